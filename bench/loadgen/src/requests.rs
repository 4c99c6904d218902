//! Small requests on kept connections.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::Value;
use tokio::task::LocalSet;
use tokio::time::timeout;

use crate::exchange::{Connection, Opener, Protocol};
use crate::sample::{Meter, Sample};
use crate::schedule::{Schedule, wait_until};
use crate::target::Target;

const REQUEST_LIMIT: Duration = Duration::from_secs(10);

#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    target: Target,
    #[arg(long, value_enum, default_value = "http1")]
    protocol: Protocol,
    #[arg(long, default_value = "/item")]
    path: String,
    /// Duration of the measurement.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Connections.
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Requests at once on each connection, with HTTP/2.
    #[arg(long, default_value_t = 1)]
    streams: usize,
    /// Requests per second in all, due on time whether or not earlier ones have been answered (open loop).
    #[arg(long)]
    rate: Option<f64>,
}

pub async fn measure(options: Options) -> Result<Value> {
    LocalSet::new().run_until(run(options)).await
}

async fn run(options: Options) -> Result<Value> {
    let mut workers = open(&options).await?;
    // The first request on a connection opens the one upstream, which is not what is measured here.
    for worker in &mut workers {
        let first = timeout(REQUEST_LIMIT, worker.ask(&options.path, |_| ()));
        first.await.context("no answer in time")??;
    }
    let meter = Meter::start(options.target.pid);
    let sample = Rc::new(RefCell::new(Sample::default()));
    let schedule = Schedule::new(options.seconds, options.rate, workers.len());
    let running: Vec<_> = workers
        .into_iter()
        .enumerate()
        .map(|(position, connection)| {
            let worker = Worker {
                connection,
                path: options.path.clone(),
                sample: Rc::clone(&sample),
            };
            tokio::task::spawn_local(worker.run(schedule, position))
        })
        .collect();
    for worker in running {
        worker.await?;
    }
    Ok(meter.report(&mut sample.borrow_mut()))
}

async fn open(options: &Options) -> Result<Vec<Connection>> {
    let opener = Opener::new(options.target.clone(), options.protocol)?;
    let mut all = Vec::new();
    for _ in 0..options.connections {
        let connection = timeout(REQUEST_LIMIT, opener.open()).await;
        let connection = connection.context("no connection in time")??;
        let shared = (1..options.streams).map_while(|_| connection.share());
        all.extend(shared.collect::<Vec<_>>());
        all.push(connection);
    }
    Ok(all)
}

struct Worker {
    connection: Connection,
    path: String,
    sample: Rc<RefCell<Sample>>,
}

impl Worker {
    /// Asks until the end, or until a request fails: the connection is of no use then.
    async fn run(mut self, schedule: Schedule, position: usize) {
        for done in 0.. {
            let due = schedule.due(position, done);
            if due >= schedule.end {
                return;
            }
            let since = wait_until(due).await;
            let asked = timeout(REQUEST_LIMIT, self.connection.ask(&self.path, |_| ())).await;
            let mut sample = self.sample.borrow_mut();
            match asked.context("no answer in time").and_then(|inner| inner) {
                Ok(()) => sample.success(since.elapsed()),
                Err(error) => return sample.failure(&error),
            }
        }
    }
}
