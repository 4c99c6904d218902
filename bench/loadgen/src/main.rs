//! The load generator of the benchmark. Each measuring command is bounded in time or count and prints one line of JSON.

mod bulk;
mod download;
mod exchange;
mod idle;
mod processes;
mod requests;
mod sample;
mod spawn;
mod target;
mod tls;
mod tunnels;
mod upstream;

use anyhow::Result;
use clap::{Parser, Subcommand};
use serde_json::Value;

#[derive(Parser)]
#[command(about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// One request over TLS in each tunnel, as many tunnels as go through (closed loop) or at a fixed rate.
    Tunnels(tunnels::Options),
    /// Small requests on kept connections, as many as go through (closed loop) or at a fixed rate.
    Requests(requests::Options),
    /// One connection, the same large answer again and again.
    Download(download::Options),
    /// One tunnel, raw octets downwards, thrown away in the kernel.
    Bulk(bulk::Options),
    /// Many connections that are opened and then do nothing; how much memory the proxy holds for them.
    Idle(idle::Options),
    /// Start-to-exit time of a command.
    Spawn(spawn::Options),
    /// The far end of `bulk`: sends without end to whoever has sent something.
    Upstream(upstream::Options),
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let result = match arguments.command {
        Command::Tunnels(options) => in_runtime(tunnels::measure(options))?,
        Command::Requests(options) => in_runtime(requests::measure(options))?,
        Command::Download(options) => in_runtime(download::measure(options))?,
        Command::Bulk(options) => bulk::measure(&options)?,
        Command::Idle(options) => in_runtime(idle::measure(options))?,
        Command::Spawn(options) => spawn::measure(&options)?,
        Command::Upstream(options) => return upstream::serve(&options),
    };
    println!("{result}");
    Ok(())
}

/// One thread: the load generator must leave the other cores to the proxy.
fn in_runtime(measuring: impl Future<Output = Result<Value>>) -> Result<Value> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(measuring)
}
