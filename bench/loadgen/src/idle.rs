//! Memory for connections that are open and quiet.

use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::LocalSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::client::TlsStream;

use crate::exchange::{Connection, Opener, Protocol};
use crate::processes;
use crate::sample::Sample;
use crate::target::Target;
use crate::tls::{Connector, HTTP1};

const OPENING_LIMIT: Duration = Duration::from_secs(15);
/// Buffers of the handshakes are given back a moment after the last one.
const SETTLE: Duration = Duration::from_millis(1500);
const ERRORS_TO_GIVE_UP: u64 = 50;

#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    target: Target,
    /// Connections to open.
    #[arg(long, default_value_t = 1000)]
    count: usize,
    /// Ask for this path once on each, so that the proxy has its own connection upstream; without it, only handshakes are made.
    #[arg(long)]
    ask: Option<String>,
}

pub async fn measure(options: Options) -> Result<Value> {
    LocalSet::new().run_until(run(options)).await
}

async fn run(options: Options) -> Result<Value> {
    let pid = options.target.pid.context("--pid is needed")?;
    let opener = Idler::new(&options)?;
    let before = processes::memory(pid);
    let mut open = Vec::with_capacity(options.count);
    let mut sample = Sample::default();
    while open.len() < options.count && sample.errors() < ERRORS_TO_GIVE_UP {
        let opening = timeout(OPENING_LIMIT, opener.open()).await;
        match opening.context("no answer in time").and_then(|inner| inner) {
            Ok(idle) => open.push(idle),
            Err(error) => sample.failure(&error),
        }
    }
    sleep(SETTLE).await;
    let after = processes::memory(pid);
    Ok(json!({
        "n": open.len(),
        "errors": sample.errors(),
        "first_error": sample.first_error(),
        "mb": after,
        "mb_before": before,
        "kb_each": (after - before) * 1024.0 / open.len().max(1) as f64,
    }))
}

/// What is held open; nobody reads or writes it again.
#[expect(dead_code, reason = "held, so that the connection stays open")]
enum Idle {
    Tunnel(Box<TlsStream<TcpStream>>),
    Asked(Connection),
}

enum Idler {
    Tunnel(Target, Connector),
    Asked(Opener, String),
}

impl Idler {
    fn new(options: &Options) -> Result<Self> {
        let target = options.target.clone();
        Ok(match &options.ask {
            Some(path) => Self::Asked(Opener::new(target, Protocol::Http1)?, path.clone()),
            None => Self::Tunnel(target, Connector::new(HTTP1)?),
        })
    }

    async fn open(&self) -> Result<Idle> {
        match self {
            Self::Tunnel(target, tls) => {
                let stream = tls.connect(target.connect().await?).await?;
                Ok(Idle::Tunnel(Box::new(stream)))
            }
            Self::Asked(opener, path) => {
                let mut connection = opener.open().await?;
                connection.ask(path, |_| ()).await?;
                Ok(Idle::Asked(connection))
            }
        }
    }
}
