//! Sends spans to a collector: OTLP in protobuf, over HTTP or gRPC. One request at a time.

use std::time::Duration;

use jiff::Timestamp;
use ringfence_gateway::{Config, ConfigError, Outbound, OutboundError, OwnRequest, OwnResponse};
use ringfence_model::Secret;
use ringfence_trace::Run;
use ringfence_trace::metrics::Meter;
use ringfence_trace::otlp::{self, PROTOBUF};
use ringfence_trace::spans::Span;

use super::config::{Collector, Protocol, Target};
use super::grpc::{self, Code};
use super::limits::{FIRST_PAUSE, LONGEST_PAUSE, WORDS};

/// Sends spans to one collector.
#[derive(Clone)]
pub struct Sender {
    outbound: Outbound,
    collector: Collector,
}

/// What became of spans that a collector took.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// How many of them it rejected for good.
    pub rejected: u64,
    /// What it says about that, or beside it.
    pub words: Option<String>,
}

/// Why spans were not taken.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// It may take them later, after so long where it says so.
    #[error("{why}")]
    Later {
        /// What it said.
        why: String,
        /// How long to wait: neither so short that it would be asked all the time, nor for ever.
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

    /// Sends spans, together in one request.
    ///
    /// # Errors
    /// Where it did not take the request.
    pub async fn send(&self, spans: &[Span]) -> Result<Taken, SendError> {
        let message = otlp::traces(spans, VERSION);
        self.export(self.collector.traces(), message).await
    }

    /// Sends what was counted of a run until now, where the collector is to have metrics.
    ///
    /// # Errors
    /// Where it did not take the request, or not all of it.
    pub async fn send_metrics(&self, run: &Run, meter: &Meter) -> Result<(), SendError> {
        let Some(target) = self.collector.metrics() else {
            return Ok(());
        };
        let message = otlp::metrics(run, meter, Timestamp::now(), VERSION);
        let taken = self.export(target, message).await?;
        if taken.rejected == 0 {
            return Ok(());
        }
        let words = taken.words.unwrap_or_default();
        let count = taken.rejected;
        Err(SendError::Never(format!(
            "{} refused {count} of them: {words}",
            self.shown()
        )))
    }

    async fn export(&self, target: &Target, message: Vec<u8>) -> Result<Taken, SendError> {
        let (body, media_type) = match target.protocol {
            Protocol::Http => (message, PROTOBUF),
            Protocol::Grpc => (grpc::framed(&message), grpc::MEDIA_TYPE),
        };
        let mut headers = target.headers.clone();
        headers.push(("content-type".to_owned(), Secret::new(media_type)));
        if target.protocol == Protocol::Grpc {
            headers.push(("te".to_owned(), Secret::new("trailers")));
        }
        let request = OwnRequest {
            method: "POST".to_owned(),
            url: target.endpoint.url(),
            headers,
            body: Secret::new(body),
        };
        let sent = match target.protocol {
            Protocol::Http => self.outbound.send(request).await,
            Protocol::Grpc => self.outbound.send_http2(request).await,
        };
        match sent {
            Ok(response) if target.protocol == Protocol::Grpc => self.judge_grpc(&response),
            Ok(response) => self.judge(&response),
            Err(error @ OutboundError::Request(_)) => Err(SendError::Never(error.to_string())),
            Err(error) => Err(SendError::Later {
                why: format!("{}: {error}", self.shown()),
                after: None,
            }),
        }
    }

    /// By the specification of OTLP/HTTP: 429, 502, 503 and 504 are to be tried again, others not.
    fn judge(&self, response: &OwnResponse) -> Result<Taken, SendError> {
        let why = || format!("{} answered {}", self.shown(), response.status);
        match response.status {
            200..300 => Ok(taken(response.body.expose())),
            429 | 502..=504 => Err(SendError::Later {
                why: why(),
                after: retry_after(response).map(within_bounds),
            }),
            _ => Err(SendError::Never(why())),
        }
    }

    fn judge_grpc(&self, response: &OwnResponse) -> Result<Taken, SendError> {
        let status = match grpc::answered(response) {
            Ok(message) => return Ok(taken(message)),
            Err(status) => status,
        };
        let code = match status.code {
            Code::Grpc(code) => format!("gRPC status {code}"),
            Code::Http(status) => status.to_string(),
        };
        let mut why = format!("{} answered {code}", self.shown());
        if let Some(words) = said(&status.words) {
            why = format!("{why}: {words}");
        }
        if status.is_passing() {
            let after = status.after.map(within_bounds);
            return Err(SendError::Later { why, after });
        }
        Err(SendError::Never(why))
    }
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn taken(message: &[u8]) -> Taken {
    let (rejected, words) = otlp::rejected(message).unwrap_or_default();
    Taken {
        rejected,
        words: said(&words),
    }
}

/// What a collector says, so that it can be shown to a person.
fn said(words: &str) -> Option<String> {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let shown: String = words.chars().take(WORDS).map(plain).collect();
    let shown = shown.trim();
    (!shown.is_empty()).then(|| shown.to_owned())
}

/// A collector may ask for a pause, but neither for none nor for one without end.
fn within_bounds(pause: Duration) -> Duration {
    pause.clamp(FIRST_PAUSE, LONGEST_PAUSE)
}

fn retry_after(response: &OwnResponse) -> Option<Duration> {
    let mut found = response
        .headers
        .iter()
        .filter(|(name, _)| name == "retry-after");
    let seconds: u64 = found.next()?.1.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests;
