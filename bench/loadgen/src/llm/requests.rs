//! Requests whose answers are not streamed.

use std::cell::RefCell;
use std::rc::Rc;

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use tokio::task::spawn_local;

use super::client::{Client, Target};
use crate::observer::Observer;
use crate::sample::Sample;
use crate::schedule::{Schedule, wait_until};

/// A client whose requests fail so often gives up.
const FAILURES: u32 = 3;

#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    observer: Observer,
    /// Duration of the measurement.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Connections.
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Requests per second in all, due on time whether or not earlier ones have been answered (open loop).
    #[arg(long)]
    rate: Option<f64>,
}

pub async fn measure(options: Options) -> Result<Value> {
    let model = options.target.open()?;
    let mut clients = Vec::new();
    // The first request of a connection opens the one upstream, which is not what is measured here.
    for position in 0..options.connections {
        let mut client = Client::new(&model, position);
        client.ask().await?.finish().await?;
        clients.push(client);
    }
    let sample = Rc::new(RefCell::new(Sample::default()));
    let schedule = Schedule::new(options.seconds, options.rate, clients.len());
    let observed = options.observer.begin();
    let running: Vec<_> = clients
        .into_iter()
        .enumerate()
        .map(|(position, client)| spawn_local(work(client, schedule, position, Rc::clone(&sample))))
        .collect();
    for worker in running {
        worker.await?;
    }
    let mut sample = sample.borrow_mut();
    let seconds = observed.meter.seconds();
    observed.end(json!({
        "n": sample.count(),
        "operations": sample.count(),
        "errors": sample.errors(),
        "first_error": sample.first_error(),
        "per_s": sample.count() as f64 / seconds,
        "p50_us": sample.percentile(0.5),
        "p99_us": sample.percentile(0.99),
    }))
}

async fn work(
    mut client: Client,
    schedule: Schedule,
    position: usize,
    sample: Rc<RefCell<Sample>>,
) {
    let mut failures = 0;
    for done in 0.. {
        let due = schedule.due(position, done);
        if due >= schedule.end || failures == FAILURES {
            return;
        }
        let since = wait_until(due).await;
        let asked = async { client.ask().await?.finish().await }.await;
        match asked {
            Ok(()) => sample.borrow_mut().success(since.elapsed()),
            Err(error) => {
                failures += 1;
                sample.borrow_mut().failure(&error);
            }
        }
    }
}
