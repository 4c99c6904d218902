//! Sends spans to a collector: OTLP over HTTP, in protobuf. One request at a time.

use std::time::Duration;

use jiff::Timestamp;
use ringfence_gateway::{
    Config, ConfigError, Outbound, OutboundError, OwnRequest, OwnResponse, OwnUrl,
};
use ringfence_model::Secret;
use ringfence_trace::Run;
use ringfence_trace::metrics::Meter;
use ringfence_trace::otlp::{self, PROTOBUF};
use ringfence_trace::spans::Span;

use super::config::Collector;
use super::limits::LONGEST_PAUSE;

/// Sends spans to one collector.
#[derive(Clone)]
pub struct Sender {
    outbound: Outbound,
    collector: Collector,
}

/// Why spans were not taken.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// It may take them later, after so long where it says so.
    #[error("{why}")]
    Later {
        /// What it said.
        why: String,
        /// How long to wait.
        after: Option<Duration>,
    },
    /// It never takes these.
    #[error("{0}")]
    Never(String),
}

impl Sender {
    /// A sender by this configuration: its host map, proxy, name servers and authorities.
    ///
    /// # Errors
    /// Where the configuration cannot be used.
    pub fn new(config: &Config, collector: Collector) -> Result<Self, ConfigError> {
        Ok(Self {
            outbound: Outbound::new(config)?,
            collector,
        })
    }

    /// Where it sends to, for a message.
    #[must_use]
    pub fn shown(&self) -> String {
        self.collector.shown()
    }

    /// Sends spans, together in one request. Returns how many of them the collector rejected.
    ///
    /// # Errors
    /// Where it did not take the request.
    pub async fn send(&self, spans: &[Span]) -> Result<u64, SendError> {
        let body = otlp::traces(spans, VERSION);
        let response = self.post(self.collector.url(), body).await?;
        let rejected = otlp::rejected(response.body.expose());
        Ok(rejected.map_or(0, |(count, _)| count))
    }

    /// Sends what was counted of a run until now, where the collector is to have metrics.
    ///
    /// # Errors
    /// Where it did not take the request.
    pub async fn send_metrics(&self, run: &Run, meter: &Meter) -> Result<(), SendError> {
        let Some(url) = self.collector.metrics_url() else {
            return Ok(());
        };
        let body = otlp::metrics(run, meter, Timestamp::now(), VERSION);
        self.post(url, body).await.map(|_| ())
    }

    async fn post(&self, url: OwnUrl, body: Vec<u8>) -> Result<OwnResponse, SendError> {
        let mut headers = self.collector.headers().to_vec();
        headers.push(("content-type".to_owned(), Secret::new(PROTOBUF)));
        let request = OwnRequest {
            method: "POST".to_owned(),
            url,
            headers,
            body: Secret::new(body),
        };
        match self.outbound.send(request).await {
            Ok(response) => self.judge(response),
            Err(error @ OutboundError::Request(_)) => Err(SendError::Never(error.to_string())),
            Err(error) => Err(SendError::Later {
                why: format!("{}: {error}", self.shown()),
                after: None,
            }),
        }
    }

    /// By the specification of OTLP/HTTP: 429, 502, 503 and 504 are to be tried again, others not.
    fn judge(&self, response: OwnResponse) -> Result<OwnResponse, SendError> {
        let why = || format!("{} answered {}", self.shown(), response.status);
        match response.status {
            200..300 => Ok(response),
            429 | 502..=504 => Err(SendError::Later {
                why: why(),
                after: retry_after(&response),
            }),
            _ => Err(SendError::Never(why())),
        }
    }
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn retry_after(response: &OwnResponse) -> Option<Duration> {
    let mut found = response
        .headers
        .iter()
        .filter(|(name, _)| name == "retry-after");
    let seconds: u64 = found.next()?.1.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_PAUSE))
}
