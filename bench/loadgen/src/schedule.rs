//! When requests are due: at a fixed rate, or each when the one before it has been answered.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// When requests are due.
#[derive(Clone, Copy)]
pub struct Schedule {
    start: Instant,
    pub end: Instant,
    /// Seconds between two requests of one worker, and between those of two neighbours; none when the answer is what the next waits for.
    steps: Option<(f64, f64)>,
}

impl Schedule {
    pub fn new(seconds: f64, rate: Option<f64>, workers: usize) -> Self {
        let start = Instant::now();
        Self {
            start,
            end: start + Duration::from_secs_f64(seconds),
            steps: rate.map(|rate| (workers as f64 / rate, 1.0 / rate)),
        }
    }

    /// When the worker at this position starts its next request.
    pub fn due(&self, position: usize, done: u32) -> Instant {
        self.steps.map_or_else(Instant::now, |(own, neighbour)| {
            let after = own * f64::from(done) + neighbour * position as f64;
            self.start + Duration::from_secs_f64(after)
        })
    }
}

/// From when a request that is due then is measured: a late one from when it was due. Timers are late by up to a millisecond, which is
/// not part of it.
pub async fn wait_until(due: Instant) -> Instant {
    if due <= Instant::now() {
        return due;
    }
    sleep_until(due).await;
    Instant::now()
}
