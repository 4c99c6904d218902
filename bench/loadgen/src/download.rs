//! Bulk as a client sees it: the same large answer again and again over one connection, decrypted and thrown away.

use std::time::Duration;

use anyhow::Result;
use clap::Args;
use serde_json::Value;
use tokio::task::LocalSet;
use tokio::time::{Instant, timeout_at};

use crate::exchange::{Opener, Protocol};
use crate::sample::Meter;
use crate::target::Target;

#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    target: Target,
    #[arg(long, value_enum, default_value = "http1")]
    protocol: Protocol,
    #[arg(long, default_value = "/big")]
    path: String,
    /// Duration of the measurement.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
}

pub async fn measure(options: Options) -> Result<Value> {
    LocalSet::new().run_until(run(options)).await
}

async fn run(options: Options) -> Result<Value> {
    let opener = Opener::new(options.target.clone(), options.protocol)?;
    let mut connection = opener.open().await?;
    let meter = Meter::start(options.target.pid);
    let end = Instant::now() + Duration::from_secs_f64(options.seconds);
    let mut octets = 0;
    loop {
        let asked = connection.ask(&options.path, |count| octets += count);
        match timeout_at(end, asked).await {
            Ok(result) => result?,
            Err(_) => return Ok(meter.report_octets(octets as f64)),
        }
    }
}
