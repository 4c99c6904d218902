//! The load generator of the benchmark. Each measuring command is bounded in time or count and prints one line of JSON.

mod bulk;
mod download;
mod exchange;
mod idle;
mod inside;
mod llm;
mod mcp;
mod mcp_server;
mod moment;
mod observer;
mod processes;
mod provider;
mod requests;
mod sample;
mod schedule;
mod serve;
mod sink;
mod spawn;
mod target;
mod tls;
mod tunnels;
mod upstream;

use anyhow::{Result, bail};
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
    /// Calls of a tool by the Model Context Protocol, as many as go through (closed loop) or at a fixed rate.
    Mcp(mcp::Options),
    /// The far end of `mcp`.
    McpServer(mcp_server::Options),
    /// Start-to-exit time of a command.
    Spawn(spawn::Options),
    /// Requests to a language model.
    Llm(llm::Options),
    /// The far end of `bulk`: sends without end to whoever has sent something.
    Upstream(upstream::Options),
    /// The far end of `llm`: a provider of language models.
    Provider(provider::Options),
    /// A collector of traces that throws them away.
    Sink(sink::Options),
    /// Measures what `ask` says, from inside of a sandbox.
    Inside,
    /// Has `inside` measure something.
    Ask(inside::Options),
}

fn main() -> Result<()> {
    let result = match Arguments::parse().command {
        Command::Upstream(options) => return upstream::serve(&options),
        Command::McpServer(options) => return in_runtime(mcp_server::serve(options)),
        Command::Provider(options) => match in_runtime(provider::run(options))? {},
        Command::Sink(options) => match in_runtime(sink::run(options))? {},
        Command::Inside => {
            return inside::serve(|words| measure(Arguments::try_parse_from(words)?.command));
        }
        measuring => measure(measuring)?,
    };
    println!("{result}");
    Ok(())
}

fn measure(command: Command) -> Result<Value> {
    match command {
        Command::Tunnels(options) => in_runtime(tunnels::measure(options)),
        Command::Requests(options) => in_runtime(requests::measure(options)),
        Command::Download(options) => in_runtime(download::measure(options)),
        Command::Bulk(options) => bulk::measure(&options),
        Command::Idle(options) => in_runtime(idle::measure(options)),
        Command::Spawn(options) => spawn::measure(&options),
        Command::Llm(options) => in_runtime(llm::measure(options)),
        Command::Mcp(options) => in_runtime(mcp::measure(options)),
        Command::Ask(options) => inside::ask(&options),
        Command::Upstream(_)
        | Command::McpServer(_)
        | Command::Provider(_)
        | Command::Sink(_)
        | Command::Inside => {
            bail!("this measures nothing")
        }
    }
}

/// One thread: the load generator must leave the other cores to the proxy.
fn in_runtime<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(work)
}
