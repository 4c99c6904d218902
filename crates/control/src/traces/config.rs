//! Where traces are sent: the `[traces]` table of the configuration, and the variables that
//! OpenTelemetry has for it (Exporter configuration, 1.x).

use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use ringfence_gateway::OwnUrl;
use ringfence_model::Secret;
use ringfence_trace::otlp::{METRICS_PATH, TRACES_PATH};
use serde::Deserialize;

use super::limits::HEADERS;
use crate::endpoint::{Endpoint, EndpointError};
use crate::source::file;

/// The `[traces]` table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TraceConfig {
    /// Where an OTLP collector takes HTTP, for example `https://otel.example.com`. `/v1/traces` is
    /// put behind it.
    pub endpoint: Option<CollectorAddress>,
    /// A file of one's own with headers for it, one `Name: value` each line.
    pub headers_file: Option<PathBuf>,
    /// Whether metrics are sent to it as well.
    pub metrics: bool,
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
    endpoint: Endpoint,
    /// Where metrics go, where they do.
    metrics: Option<Endpoint>,
    headers: Vec<(String, Secret)>,
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
    /// Only OTLP over HTTP in protobuf is spoken.
    #[error("OTEL_EXPORTER_OTLP_PROTOCOL asks for `{0}`; only http/protobuf is spoken")]
    Protocol(String),
}

impl Collector {
    /// One whose whole or base address is `address`: `/v1/traces` is put behind it, unless it is there.
    ///
    /// # Errors
    /// Where it is none.
    pub fn at(address: &str) -> Result<Self, CollectorError> {
        let unusable = |error: EndpointError| {
            CollectorError::Address("the address of the collector", error.to_string())
        };
        let endpoint = read(address).map_err(unusable)?;
        let path = endpoint.url().path_and_query;
        let is_whole = path.ends_with(TRACES_PATH);
        let endpoint = if is_whole {
            endpoint
        } else {
            endpoint.join(TRACES_PATH)
        };
        Ok(Self {
            endpoint,
            metrics: None,
            headers: Vec::new(),
        })
    }

    /// Gives it the headers of a file.
    ///
    /// # Errors
    /// Where it cannot be read, or is none of headers.
    pub async fn with_headers_of(mut self, path: &Path) -> Result<Self, CollectorError> {
        let failed = |why: String| CollectorError::Headers("traces.headers_file", why);
        let secret = file::read(path).await;
        let secret = secret.map_err(|error| failed(error.to_string()))?;
        let text = std::str::from_utf8(secret.expose());
        let text = text.map_err(|_| failed("it is not UTF-8".to_owned()))?;
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let pair = line.split_once(':');
            let (name, value) = pair.ok_or_else(|| failed("a line is no header".to_owned()))?;
            self.add("traces.headers_file", name, value)?;
        }
        Ok(self)
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

    /// Where it is, for a message.
    #[must_use]
    pub fn shown(&self) -> String {
        let url = self.endpoint.url();
        format!("{}://{}", url.scheme.as_str(), url.destination)
    }

    pub(super) fn url(&self) -> OwnUrl {
        self.endpoint.url()
    }

    pub(super) fn metrics_url(&self) -> Option<OwnUrl> {
        self.metrics.as_ref().map(Endpoint::url)
    }

    pub(super) fn headers(&self) -> &[(String, Secret)] {
        &self.headers
    }
}

impl TraceConfig {
    /// The collector of the configuration; none where it has none.
    ///
    /// # Errors
    /// Where its headers cannot be read.
    pub async fn collector(&self) -> Result<Option<Collector>, CollectorError> {
        let Some(CollectorAddress(endpoint)) = &self.endpoint else {
            return Ok(None);
        };
        let collector = Collector {
            endpoint: endpoint.join(TRACES_PATH),
            metrics: self.metrics.then(|| endpoint.join(METRICS_PATH)),
            headers: Vec::new(),
        };
        match &self.headers_file {
            Some(path) => collector.with_headers_of(path).await.map(Some),
            None => Ok(Some(collector)),
        }
    }
}

/// The collector that the caller's environment names, as every program with OpenTelemetry would
/// find it; none where it names none, or switches traces off.
///
/// # Errors
/// Where it cannot be used.
pub fn from_environment(
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<Collector>, CollectorError> {
    let value = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
    let is_off = value("OTEL_SDK_DISABLED").is_some_and(|it| it.eq_ignore_ascii_case("true"))
        || value("OTEL_TRACES_EXPORTER").is_some_and(|it| it.trim() == "none");
    let whole = value("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
    let base = value(BASE);
    let (name, address) = match (whole, base) {
        _ if is_off => return Ok(None),
        (Some(whole), _) => ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", whole),
        (None, Some(base)) => (BASE, base),
        (None, None) => return Ok(None),
    };
    let protocol = value("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
        .or_else(|| value("OTEL_EXPORTER_OTLP_PROTOCOL"));
    if let Some(protocol) = protocol.filter(|it| it.trim() == "grpc") {
        return Err(CollectorError::Protocol(protocol));
    }
    let endpoint = read(address.trim());
    let endpoint = endpoint.map_err(|it| CollectorError::Address(name, it.to_string()))?;
    let is_base = name == BASE;
    let asks = value("OTEL_METRICS_EXPORTER").is_some_and(|it| it.trim() == "otlp");
    let mut collector = Collector {
        metrics: (is_base && asks).then(|| endpoint.join(METRICS_PATH)),
        endpoint: if is_base {
            endpoint.join(TRACES_PATH)
        } else {
            endpoint
        },
        headers: Vec::new(),
    };
    let headers =
        value("OTEL_EXPORTER_OTLP_TRACES_HEADERS").or_else(|| value("OTEL_EXPORTER_OTLP_HEADERS"));
    for pair in headers.as_deref().unwrap_or_default().split(',') {
        let Some((name, value)) = pair.split_once('=') else {
            continue;
        };
        let value = percent_decode_str(value.trim()).decode_utf8_lossy();
        collector.add("OTEL_EXPORTER_OTLP_HEADERS", name, &value)?;
    }
    Ok(Some(collector))
}

const BASE: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
/// Headers that are written here.
const OURS: [&str; 7] = [
    "content-encoding",
    "content-length",
    "content-type",
    "connection",
    "host",
    "transfer-encoding",
    "user-agent",
];

#[cfg(test)]
mod tests;
