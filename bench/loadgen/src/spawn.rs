//! Start-to-exit time of a command.

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use clap::Args;
use serde_json::{Value, json};

use crate::sample::Sample;

const ERRORS_TO_GIVE_UP: u64 = 3;

#[derive(Args)]
pub struct Options {
    /// Runs that count.
    #[arg(long, default_value_t = 20)]
    count: usize,
    /// Runs before them that do not.
    #[arg(long, default_value_t = 2)]
    warm_up: usize,
    /// The command and its arguments.
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

pub fn measure(options: &Options) -> Result<Value> {
    let mut sample = Sample::default();
    for _ in 0..options.warm_up {
        run(&options.command)?;
    }
    while sample.count() < options.count && sample.errors() < ERRORS_TO_GIVE_UP {
        let start = Instant::now();
        match run(&options.command) {
            Ok(()) => sample.success(start.elapsed()),
            Err(error) => sample.failure(&error),
        }
    }
    Ok(json!({
        "n": sample.count(),
        "errors": sample.errors(),
        "first_error": sample.first_error(),
        "min_ms": sample.percentile(0.0) / 1000.0,
        "p50_ms": sample.percentile(0.5) / 1000.0,
        "p90_ms": sample.percentile(0.9) / 1000.0,
    }))
}

fn run(command: &[String]) -> Result<()> {
    let (program, arguments) = command.split_first().context("no command")?;
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    Err(anyhow!("{}: {}", output.status, text.trim()))
}
