//! New tunnels: connect, TLS handshake, one small request, close.

use std::cell::RefCell;
use std::io::ErrorKind;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::client::TlsStream;

use crate::sample::{Meter, Sample};
use crate::target::Target;
use crate::tls::{Connector, HTTP1};

const TUNNEL_LIMIT: Duration = Duration::from_secs(10);

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
    let tls = Connector::new(HTTP1)?;
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
        let host = self.target.authority();
        let request = format!("GET /small HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let answer = read_to_end(stream).await?;
        ensure!(answer.starts_with(b"HTTP/1.1 200 "), "unexpected answer");
        Ok(())
    }
}

/// All that comes. Some proxies end without saying so in TLS.
async fn read_to_end(mut stream: TlsStream<TcpStream>) -> Result<Vec<u8>> {
    let mut answer = Vec::with_capacity(1024);
    loop {
        match stream.read_buf(&mut answer).await {
            Ok(0) => return Ok(answer),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(answer),
            Err(error) => return Err(error.into()),
        }
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
