//! Memory for tunnels that are open and quiet.

use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::processes;
use crate::sample::Sample;
use crate::target::Target;
use crate::tls::Connector;

const TUNNEL_LIMIT: Duration = Duration::from_secs(15);
/// Buffers of the handshakes are given back a moment after the last one.
const SETTLE: Duration = Duration::from_millis(1500);
const ERRORS_TO_GIVE_UP: u64 = 50;

#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    target: Target,
    /// Tunnels to open.
    #[arg(long, default_value_t = 1000)]
    count: usize,
}

pub async fn measure(options: Options) -> Result<Value> {
    let pid = options.target.pid.context("--pid is needed")?;
    let tls = Connector::new()?;
    let before = processes::memory(pid);
    let mut open = Vec::with_capacity(options.count);
    let mut sample = Sample::default();
    while open.len() < options.count && sample.errors() < ERRORS_TO_GIVE_UP {
        let tunnel = timeout(TUNNEL_LIMIT, async {
            tls.connect(options.target.connect().await?).await
        });
        match tunnel
            .await
            .context("no answer in time")
            .and_then(|inner| inner)
        {
            Ok(stream) => open.push(stream),
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
        "kb_per_tunnel": (after - before) * 1024.0 / open.len().max(1) as f64,
    }))
}
