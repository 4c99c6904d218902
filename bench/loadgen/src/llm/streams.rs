//! Answers that are streamed, many at once.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Args;
use serde_json::{Value, json};
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep};

use super::client::{Answer, Client, Target};
use crate::moment;
use crate::observer::Observer;
use crate::sample::Sample;

/// A client whose streams fail so often gives up.
const FAILURES: u32 = 3;
/// What was needed to open streams is given back a moment after the last one.
const SETTLE: Duration = Duration::from_millis(1500);

#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    observer: Observer,
    /// Streams at once. Where one ends, the next begins.
    #[arg(long)]
    streams: usize,
    /// Duration of the measurement.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Seconds before it in which the streams begin, evenly; as long as one of them, they end evenly as well.
    #[arg(long, default_value_t = 2.0)]
    ramp: f64,
}

#[derive(Args)]
pub struct OpenOptions {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    observer: Observer,
    /// Streams to hold open.
    #[arg(long)]
    streams: usize,
}

/// What all clients write to, while it is measured.
#[derive(Default)]
struct Samples {
    is_measuring: Cell<bool>,
    first: RefCell<Sample>,
    delays: RefCell<Sample>,
}

pub async fn measure(options: Options) -> Result<Value> {
    let model = options.target.open()?;
    let samples = Rc::new(Samples::default());
    let running: Vec<_> = (0..options.streams)
        .map(|position| {
            let start = options.ramp * position as f64 / options.streams as f64;
            let client = Client::new(&model, position);
            let start = Duration::from_secs_f64(start);
            spawn_local(work(client, start, Rc::clone(&samples)))
        })
        .collect();
    sleep(Duration::from_secs_f64(options.ramp)).await;
    samples.is_measuring.set(true);
    let observed = options.observer.begin();
    sleep(Duration::from_secs_f64(options.seconds)).await;
    samples.is_measuring.set(false);
    let chunks = samples.delays.borrow().count();
    let seconds = observed.meter.seconds();
    let (mut first, mut delays) = (samples.first.borrow_mut(), samples.delays.borrow_mut());
    let result = observed.end(json!({
        "n": first.count(),
        "operations": chunks,
        "errors": first.errors(),
        "first_error": first.first_error(),
        "per_s": chunks as f64 / seconds,
        "first_p50_us": first.percentile(0.5),
        "first_p99_us": first.percentile(0.99),
        "delay_p50_us": delays.percentile(0.5),
        "delay_p99_us": delays.percentile(0.99),
    }));
    for worker in running {
        worker.abort();
    }
    result
}

async fn work(mut client: Client, start: Duration, samples: Rc<Samples>) {
    sleep(start).await;
    let mut failures = 0;
    while failures < FAILURES {
        if let Err(error) = stream(&mut client, &samples).await {
            failures += 1;
            samples.first.borrow_mut().failure(&error);
        }
    }
}

/// One stream to its end.
async fn stream(client: &mut Client, samples: &Samples) -> Result<()> {
    let since = Instant::now();
    let mut answer = client.ask().await?;
    let mut is_first = true;
    while let Some(part) = answer.next().await? {
        let now = moment::now();
        for written in moment::stamps(&part) {
            let measured = samples.is_measuring.get();
            if std::mem::take(&mut is_first) && measured {
                samples.first.borrow_mut().success(since.elapsed());
            }
            if measured {
                let delay = Duration::from_micros(now.saturating_sub(written));
                samples.delays.borrow_mut().success(delay);
            }
        }
    }
    ensure!(!is_first, "a stream without an event");
    Ok(())
}

/// Opens streams one after the other, and looks at the proxy when all of them have begun.
pub async fn hold(options: OpenOptions) -> Result<Value> {
    let model = options.target.open()?;
    // What the first request of all needs is not what a stream needs.
    begun(&mut Client::new(&model, 0)).await?;
    sleep(SETTLE).await;
    let observed = options.observer.begin();
    let mut sample = Sample::default();
    let mut open = Vec::new();
    for position in 0..options.streams {
        let mut client = Client::new(&model, position + 1);
        let since = Instant::now();
        match begun(&mut client).await {
            Ok(answer) => {
                sample.success(since.elapsed());
                open.push((client, answer));
            }
            Err(error) => sample.failure(&error),
        }
        if sample.errors() >= u64::from(FAILURES) {
            break;
        }
    }
    let held: Vec<_> = open.into_iter().map(|it| spawn_local(drain(it))).collect();
    sleep(SETTLE).await;
    let still = held.iter().filter(|it| !it.is_finished()).count();
    observed.end(json!({
        "n": sample.count(),
        "open": still,
        "errors": sample.errors(),
        "first_error": sample.first_error(),
    }))
}

/// A stream whose first event has come.
async fn begun(client: &mut Client) -> Result<Answer> {
    let mut answer = client.ask().await?;
    while let Some(part) = answer.next().await? {
        if moment::stamps(&part).next().is_some() {
            return Ok(answer);
        }
    }
    anyhow::bail!("a stream without an event")
}

/// Reads on, as a client does.
async fn drain((client, mut answer): (Client, Answer)) {
    while let Ok(Some(_)) = answer.next().await {}
    drop(client);
}
