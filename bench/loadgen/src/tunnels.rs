//! New tunnels: connect, TLS handshake, one small request, close.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep_until, timeout};

use crate::sample::{Meter, Sample};
use crate::target::Target;
use crate::tls::Connector;

const TUNNEL_LIMIT: Duration = Duration::from_secs(10);
const REQUEST: &[u8] = b"GET /small HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    target: Target,
    /// Duration of the measurement.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Tunnels at once, each followed by the next (closed loop).
    #[arg(long, default_value_t = 16)]
    at_once: usize,
    /// Tunnels per second, started on time whether or not earlier ones have ended (open loop); instead of `--at-once`.
    #[arg(long)]
    rate: Option<f64>,
}

pub async fn measure(options: Options) -> Result<Value> {
    let tls = Connector::new()?;
    let sample = Rc::new(RefCell::new(Sample::default()));
    let meter = Meter::start(options.target.pid);
    let local = LocalSet::new();
    let tunnel = Tunnel {
        target: options.target.clone(),
        tls,
        sample: Rc::clone(&sample),
    };
    local
        .run_until(async {
            match options.rate {
                Some(rate) => open_loop(&tunnel, rate, options.seconds).await,
                None => closed_loop(&tunnel, options.at_once, options.seconds).await,
            }
        })
        .await?;
    Ok(meter.report(&mut sample.borrow_mut()))
}

#[derive(Clone)]
struct Tunnel {
    target: Target,
    tls: Connector,
    sample: Rc<RefCell<Sample>>,
}

impl Tunnel {
    /// One tunnel; its duration from `since` or its failure goes into the sample.
    async fn run(&self, since: Instant) {
        let result = timeout(TUNNEL_LIMIT, self.request()).await;
        let mut sample = self.sample.borrow_mut();
        match result.context("no answer in time").and_then(|inner| inner) {
            Ok(()) => sample.success(since.elapsed()),
            Err(error) => sample.failure(&error),
        }
    }

    async fn request(&self) -> Result<()> {
        let stream = self.target.connect().await?;
        let mut stream = self.tls.connect(stream).await?;
        stream.write_all(REQUEST).await?;
        let mut answer = Vec::with_capacity(1024);
        while stream.read_buf(&mut answer).await? > 0 {}
        ensure!(answer.starts_with(b"HTTP/1.1 200 "), "unexpected answer");
        Ok(())
    }
}

async fn closed_loop(tunnel: &Tunnel, at_once: usize, seconds: f64) -> Result<()> {
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let workers: Vec<_> = (0..at_once)
        .map(|_| {
            let tunnel = tunnel.clone();
            tokio::task::spawn_local(async move {
                while Instant::now() < end {
                    tunnel.run(Instant::now()).await;
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await?;
    }
    Ok(())
}

async fn open_loop(tunnel: &Tunnel, rate: f64, seconds: f64) -> Result<()> {
    let start = Instant::now();
    let mut running = Vec::new();
    let mut due = start;
    while due < start + Duration::from_secs_f64(seconds) {
        sleep_until(due).await;
        let tunnel = tunnel.clone();
        running.push(tokio::task::spawn_local(async move {
            tunnel.run(Instant::now()).await;
        }));
        due = start + Duration::from_secs_f64(running.len() as f64 / rate);
    }
    for one in running {
        one.await?;
    }
    Ok(())
}
