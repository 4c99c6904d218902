//! Requests to a language model: as many as go through or at a fixed rate, streams at once, and streams that are held open.

mod client;
mod requests;
mod streams;

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::Value;
use tokio::task::LocalSet;

#[derive(Args)]
pub struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Requests whose answers are not streamed, on kept connections.
    Requests(requests::Options),
    /// Streams at once: the time to the first event, and from when the provider wrote each event to when it is here.
    Streams(streams::Options),
    /// How much memory the proxy holds for streams that are open and slow.
    Open(streams::OpenOptions),
}

pub async fn measure(options: Options) -> Result<Value> {
    let measuring = async {
        match options.what {
            What::Requests(options) => requests::measure(options).await,
            What::Streams(options) => streams::measure(options).await,
            What::Open(options) => streams::hold(options).await,
        }
    };
    LocalSet::new().run_until(measuring).await
}
