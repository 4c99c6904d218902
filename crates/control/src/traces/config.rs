//! Where traces are sent: the `[traces]` table of the configuration, and the variables that
//! OpenTelemetry has for it (Exporter configuration, 1.x).

mod environment;

use std::path::{Path, PathBuf};

use ringfence_model::Secret;
use ringfence_trace::otlp::{METRICS_PATH, TRACES_PATH};
use serde::Deserialize;

use super::grpc;
use super::limits::HEADERS;
use crate::endpoint::{Endpoint, EndpointError};
use crate::source::file;
pub use environment::from_environment;

/// The `[traces]` table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TraceConfig {
    /// Where an OTLP collector is, for example `https://otel.example.com`. Over HTTP, `/v1/traces`
    /// is put behind it.
    pub endpoint: Option<CollectorAddress>,
    /// How it is spoken to.
    pub protocol: Protocol,
    /// A file of one's own with headers for it, one `Name: value` each line.
    pub headers_file: Option<PathBuf>,
    /// Whether metrics are sent to it as well.
    pub metrics: bool,
    /// Whether agents are heard that tell of their own work.
    pub agents: Agents,
}

/// Whether agents are heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Agents(bool);

impl Agents {
    /// Whether they are.
    #[must_use]
    pub const fn are_heard(self) -> bool {
        self.0
    }
}

impl Default for Agents {
    /// Unless the configuration says otherwise: it costs nothing, and what they say proves nothing.
    fn default() -> Self {
        Self(true)
    }
}

/// How OTLP is spoken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum Protocol {
    /// Protobuf over HTTP/1.1.
    #[default]
    #[serde(rename = "http/protobuf")]
    Http,
    /// gRPC, over HTTP/2.
    #[serde(rename = "grpc")]
    Grpc,
}

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signal {
    Traces,
    Metrics,
}

/// The address of a collector: HTTPS, or HTTP to this machine itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct CollectorAddress(Endpoint);

impl TryFrom<String> for CollectorAddress {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let endpoint = read(&text).map_err(|error| format!("traces.endpoint: {error}"))?;
        Ok(Self(endpoint))
    }
}

/// `localhost` is the address that every system has for it; it is not looked up.
fn read(text: &str) -> Result<Endpoint, EndpointError> {
    let near = text.strip_prefix("http://localhost");
    match near.filter(|rest| rest.is_empty() || rest.starts_with([':', '/'])) {
        Some(rest) => Endpoint::parse_near(&format!("http://127.0.0.1{rest}")),
        None => Endpoint::parse_near(text),
    }
}

/// A collector, ready to be sent to.
#[derive(Debug, Clone)]
pub struct Collector {
    traces: Target,
    /// Where metrics go, where they do.
    metrics: Option<Target>,
}

/// Where one signal goes, and how.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) endpoint: Endpoint,
    pub(super) protocol: Protocol,
    pub(super) headers: Vec<(String, Secret)>,
}

/// Why there is no collector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CollectorError {
    /// Its address is not usable.
    #[error("{0} is not usable: {1}")]
    Address(&'static str, String),
    /// Its headers are not.
    #[error("{0}: {1}")]
    Headers(&'static str, String),
    /// Another protocol.
    #[error("{0} asks for `{1}`; what is spoken is http/protobuf and grpc")]
    Protocol(&'static str, String),
}

impl Collector {
    /// One whose whole or base address is `address`: over HTTP, `/v1/traces` is put behind it, unless it
    /// is there.
    ///
    /// # Errors
    /// Where it is none.
    pub fn at(address: &str, protocol: Protocol) -> Result<Self, CollectorError> {
        const NAME: &str = "the address of the collector";
        let unusable = |error: EndpointError| CollectorError::Address(NAME, error.to_string());
        let endpoint = read(address).map_err(unusable)?;
        let is_whole = endpoint.url().path_and_query.ends_with(TRACES_PATH);
        let traces = if protocol == Protocol::Http && is_whole {
            Target::whole(endpoint)
        } else {
            Target::below(&endpoint, (Signal::Traces, protocol), NAME)?
        };
        Ok(Self {
            traces,
            metrics: None,
        })
    }

    /// Gives it the headers of a file.
    ///
    /// # Errors
    /// Where it cannot be read, or is none of headers.
    async fn with_headers_of(mut self, path: &Path) -> Result<Self, CollectorError> {
        let failed = |why: String| CollectorError::Headers(HEADERS_FILE, why);
        let secret = file::read(path).await;
        let secret = secret.map_err(|error| failed(error.to_string()))?;
        let text = std::str::from_utf8(secret.expose());
        let text = text.map_err(|_| failed("it is not UTF-8".to_owned()))?;
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let pair = line.split_once(':');
            let (name, value) = pair.ok_or_else(|| failed("a line is no header".to_owned()))?;
            self.traces.add(HEADERS_FILE, name, value)?;
        }
        if let Some(metrics) = &mut self.metrics {
            metrics.headers.clone_from(&self.traces.headers);
        }
        Ok(self)
    }

    /// Where it is, for a message.
    #[must_use]
    pub fn shown(&self) -> String {
        let url = self.traces.endpoint.url();
        format!("{}://{}", url.scheme.as_str(), url.destination)
    }

    pub(super) const fn traces(&self) -> &Target {
        &self.traces
    }

    pub(super) const fn metrics(&self) -> Option<&Target> {
        self.metrics.as_ref()
    }
}

impl Target {
    /// One whose address is whole.
    const fn whole(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            protocol: Protocol::Http,
            headers: Vec::new(),
        }
    }

    /// That of a signal at a collector, whose address `name` gave.
    fn below(
        collector: &Endpoint,
        (signal, protocol): (Signal, Protocol),
        name: &'static str,
    ) -> Result<Self, CollectorError> {
        let path = match (protocol, signal) {
            (Protocol::Http, Signal::Traces) => TRACES_PATH,
            (Protocol::Http, Signal::Metrics) => METRICS_PATH,
            (Protocol::Grpc, Signal::Traces) => grpc::TRACES,
            (Protocol::Grpc, Signal::Metrics) => grpc::METRICS,
        };
        if protocol == Protocol::Grpc && collector.url().path_and_query != "/" {
            let why = "with gRPC it has no path".to_owned();
            return Err(CollectorError::Address(name, why));
        }
        Ok(Self {
            endpoint: collector.join(path),
            protocol,
            headers: Vec::new(),
        })
    }

    fn add(&mut self, of: &'static str, name: &str, value: &str) -> Result<(), CollectorError> {
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        let is_name = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        let is_ours = OURS.contains(&name.as_str());
        let is_value = value.bytes().all(|b| (b' '..=b'~').contains(&b));
        if name.is_empty() || !name.bytes().all(is_name) || is_ours || !is_value {
            let why = "it holds what is no header, or one that is not to be set".to_owned();
            return Err(CollectorError::Headers(of, why));
        }
        if self.headers.len() >= HEADERS {
            let why = format!("it has more than {HEADERS} headers");
            return Err(CollectorError::Headers(of, why));
        }
        self.headers.push((name, Secret::new(value)));
        Ok(())
    }
}

impl TraceConfig {
    /// The collector of the configuration; none where it has none.
    ///
    /// # Errors
    /// Where its address is none for the protocol, or its headers cannot be read.
    pub async fn collector(&self) -> Result<Option<Collector>, CollectorError> {
        let Some(CollectorAddress(endpoint)) = &self.endpoint else {
            return Ok(None);
        };
        let below = |signal| Target::below(endpoint, (signal, self.protocol), "traces.endpoint");
        let collector = Collector {
            traces: below(Signal::Traces)?,
            metrics: self.metrics.then(|| below(Signal::Metrics)).transpose()?,
        };
        match &self.headers_file {
            Some(path) => collector.with_headers_of(path).await.map(Some),
            None => Ok(Some(collector)),
        }
    }
}

const HEADERS_FILE: &str = "traces.headers_file";
/// Headers that are written here.
const OURS: [&str; 8] = [
    "content-encoding",
    "content-length",
    "content-type",
    "connection",
    "host",
    "te",
    "transfer-encoding",
    "user-agent",
];

#[cfg(test)]
mod tests;
