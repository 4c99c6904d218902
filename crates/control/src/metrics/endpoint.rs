//! Serves the metrics of one run to whoever scrapes them, on a thread of its own.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::thread::{self, JoinHandle};

use ringfence_gateway::{OwnAnswer, OwnQuestion, serve_own};
use tokio::sync::oneshot;

use super::config::Listen;
use super::counters::Metrics;
use super::exposition::Form;

/// Serves metrics until it is dropped.
#[derive(Debug)]
pub struct Endpoint {
    address: SocketAddr,
    /// Ends the thread when it is dropped.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Why metrics are not served.
#[derive(Debug, thiserror::Error)]
#[error("metrics cannot be served at {listen}: {error}")]
pub struct EndpointError {
    listen: Listen,
    error: io::Error,
}

impl Endpoint {
    /// Starts to serve.
    ///
    /// # Errors
    /// Where nobody can listen there.
    pub fn start(listen: Listen, metrics: Metrics) -> Result<Self, EndpointError> {
        Self::begin(listen, metrics).map_err(|error| EndpointError { listen, error })
    }

    fn begin(listen: Listen, metrics: Metrics) -> io::Result<Self> {
        let listener = TcpListener::bind(listen.0)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let is_near = address.ip().is_loopback();
        let thread = thread::Builder::new().name("metrics".to_owned());
        let thread = thread.spawn(move || {
            runtime.block_on(async {
                let answering = move |question: &OwnQuestion| answer(&metrics, question, is_near);
                tokio::select! {
                    biased;
                    _ = stopped => {}
                    // A listener that broke serves no more; the run goes on.
                    _ = serve_own(listener, answering) => {}
                }
            });
        })?;
        Ok(Self {
            address,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where it listens: port 0 stands for any free one.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked serves no more; there is nothing to do about it here.
            let _ = thread.join();
        }
    }
}

fn answer(metrics: &Metrics, question: &OwnQuestion, is_near: bool) -> OwnAnswer {
    let plain = |status: u16, words: &str| OwnAnswer {
        status,
        headers: vec![("content-type", "text/plain; charset=utf-8")],
        body: format!("{words}\n"),
    };
    if is_near && !is_direct(question.header("host")) {
        return plain(421, "ask for metrics by address, or by localhost");
    }
    if question.path != PATH {
        return plain(404, "metrics are at /metrics");
    }
    if question.method != "GET" {
        let mut refused = plain(405, "metrics are there for GET");
        refused.headers.push(("allow", "GET"));
        return refused;
    }
    let form = Form::preferred(question.header("accept"));
    match metrics.written() {
        Ok(written) => OwnAnswer {
            status: 200,
            headers: vec![
                ("content-type", form.media_type()),
                ("vary", "accept"),
                ("cache-control", "no-store"),
                ("x-content-type-options", "nosniff"),
            ],
            body: form.of(written),
        },
        Err(_) => plain(500, "metrics cannot be written"),
    }
}

/// Whether a client names this machine, and not something that leads here: a page in a browser whose
/// own name resolves to the loopback address must not read what is on it.
fn is_direct(host: Option<&str>) -> bool {
    let Some(host) = host else {
        return false;
    };
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|it| it.is_ascii_digit());
    let name = match host.rsplit_once(':') {
        Some((name, port)) if is_port(port) => name,
        _ => host,
    };
    let bare = name.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    let is_address = bare.unwrap_or(name).parse::<IpAddr>().is_ok();
    is_address || name.eq_ignore_ascii_case("localhost")
}

const PATH: &str = "/metrics";

#[cfg(test)]
mod tests;
