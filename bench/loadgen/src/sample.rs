//! What was measured, and how it is reported: durations, failures, and the CPU time of the proxy meanwhile.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::processes;

/// Durations of what went well, and the count of what did not.
#[derive(Default)]
pub struct Sample {
    microseconds: Vec<f64>,
    errors: u64,
    first_error: Option<String>,
}

impl Sample {
    pub fn success(&mut self, duration: Duration) {
        self.microseconds.push(duration.as_secs_f64() * 1e6);
    }

    pub fn failure(&mut self, error: &anyhow::Error) {
        self.errors += 1;
        self.first_error.get_or_insert_with(|| format!("{error:#}"));
    }

    /// The value below which this part of the durations lies, in microseconds.
    pub fn percentile(&mut self, part: f64) -> f64 {
        self.microseconds.sort_by(f64::total_cmp);
        let last = self.microseconds.len().saturating_sub(1);
        let index = (last as f64 * part).round() as usize;
        self.microseconds.get(index).copied().unwrap_or(0.0)
    }

    pub fn count(&self) -> usize {
        self.microseconds.len()
    }

    pub fn errors(&self) -> u64 {
        self.errors
    }

    pub fn first_error(&self) -> Option<&str> {
        self.first_error.as_deref()
    }
}

/// Time and CPU time from the start of a measurement on.
pub struct Meter {
    pid: Option<u32>,
    start: Instant,
    cpu_at_start: f64,
    own_cpu_at_start: f64,
}

impl Meter {
    pub fn start(pid: Option<u32>) -> Self {
        Self {
            pid,
            cpu_at_start: pid.map_or(0.0, processes::cpu_seconds),
            own_cpu_at_start: processes::cpu_seconds(std::process::id()),
            start: Instant::now(),
        }
    }

    pub fn seconds(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    /// CPU seconds of the proxy and its children; none without a process to look at.
    pub fn cpu_seconds(&self) -> Option<f64> {
        self.pid
            .map(|pid| processes::cpu_seconds(pid) - self.cpu_at_start)
    }

    /// How busy the load generator itself was; near 100 it is what limits.
    pub fn own_cpu_percent(&self) -> f64 {
        let own = processes::cpu_seconds(std::process::id()) - self.own_cpu_at_start;
        own / self.seconds() * 100.0
    }

    pub fn report(&self, sample: &mut Sample) -> Value {
        let seconds = self.seconds();
        let count = sample.count();
        let mut report = json!({
            "n": count,
            "errors": sample.errors(),
            "per_s": count as f64 / seconds,
            "p50_us": sample.percentile(0.5),
            "p99_us": sample.percentile(0.99),
            "loadgen_cpu_pct": self.own_cpu_percent(),
        });
        if let (Some(cpu), true) = (self.cpu_seconds(), count > 0) {
            report["cpu_us_op"] = json!(cpu * 1e6 / count as f64);
        }
        if let Some(error) = sample.first_error() {
            report["first_error"] = json!(error);
        }
        report
    }

    /// The same for octets that arrived.
    pub fn report_octets(&self, octets: f64) -> Value {
        let mut report = json!({
            "n": 1,
            "mb": octets / 1e6,
            "mb_s": octets / 1e6 / self.seconds(),
            "loadgen_cpu_pct": self.own_cpu_percent(),
        });
        if let Some(cpu) = self.cpu_seconds() {
            report["cpu_s_gb"] = json!(cpu * 1e9 / octets);
        }
        report
    }
}
