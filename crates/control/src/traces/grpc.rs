//! OTLP over gRPC, as far as it goes beyond HTTP/2. A call with one message each way is a `POST`
//! whose message stands behind five octets, and whose status comes after the answer: so little that a
//! library for it, which would bring its own way to dial, to speak TLS and to read messages, would be
//! mostly what must not be used here.

use std::time::Duration;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::percent_decode_str;
use ringfence_gateway::OwnResponse;
use ringfence_trace::otlp::retry_delay;

use super::limits::DETAILS_OCTETS;

/// Where spans go.
pub(super) const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// Where metrics go.
pub(super) const METRICS: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

/// The media type of a call and its answer.
pub(super) const MEDIA_TYPE: &str = "application/grpc";

/// How a call ended that was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Status {
    /// The code, or the status of HTTP where there is none.
    pub(super) code: Code,
    /// What it says.
    pub(super) words: String,
    /// How long to wait before the next try, where it says so.
    pub(super) after: Option<Duration>,
}

/// A status code, and where it is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    Grpc(u32),
    Http(u16),
}

impl Status {
    /// By the specification of OTLP/gRPC: which codes may pass by. That resources are exhausted only
    /// does where the collector says when.
    pub(super) const fn is_passing(&self) -> bool {
        match self.code {
            Code::Grpc(
                CANCELLED | DEADLINE_EXCEEDED | ABORTED | OUT_OF_RANGE | UNAVAILABLE | DATA_LOSS,
            )
            | Code::Http(429 | 502..=504) => true,
            Code::Grpc(RESOURCE_EXHAUSTED) => self.after.is_some(),
            Code::Grpc(_) | Code::Http(_) => false,
        }
    }
}

const CANCELLED: u32 = 1;
const UNKNOWN: u32 = 2;
const DEADLINE_EXCEEDED: u32 = 4;
const RESOURCE_EXHAUSTED: u32 = 8;
const ABORTED: u32 = 10;
const OUT_OF_RANGE: u32 = 11;
const UNAVAILABLE: u32 = 14;
const DATA_LOSS: u32 = 15;

/// A message as it is sent: not compressed, its length, itself. A request is far shorter than 4 GiB.
pub(super) fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    let mut framed = Vec::with_capacity(message.len() + 5);
    framed.push(0);
    framed.extend_from_slice(&length.to_be_bytes());
    framed.extend_from_slice(message);
    framed
}

/// The message of an answer, or why the call was not taken.
pub(super) fn answered(response: &OwnResponse) -> Result<&[u8], Status> {
    if response.status != 200 {
        return Err(Status {
            code: Code::Http(response.status),
            words: String::new(),
            after: None,
        });
    }
    // An answer without a message has its status among the headers.
    let found = |wanted: &str| {
        let all = response.trailers.iter().chain(&response.headers);
        let mut found = all.filter(|(name, _)| name == wanted);
        found.next().map(|(_, value)| value.as_str())
    };
    let code = found("grpc-status").and_then(|it| it.parse().ok());
    match code.unwrap_or(UNKNOWN) {
        0 => Ok(message(response.body.expose()).unwrap_or_default()),
        code => {
            let words = percent_decode_str(found("grpc-message").unwrap_or_default());
            Err(Status {
                code: Code::Grpc(code),
                words: words.decode_utf8_lossy().into_owned(),
                after: found("grpc-status-details-bin").and_then(delay),
            })
        }
    }
}

/// The one message of a body. Whether it was taken, the status says; it is only asked what was not.
fn message(body: &[u8]) -> Option<&[u8]> {
    let (head, message) = body.split_at_checked(5)?;
    let (compressed, length) = head.split_first()?;
    let length = u32::from_be_bytes(length.try_into().ok()?);
    let is_whole = usize::try_from(length).is_ok_and(|length| length == message.len());
    (*compressed == 0 && is_whole).then_some(message)
}

fn delay(details: &str) -> Option<Duration> {
    if details.len() > DETAILS_OCTETS {
        return None;
    }
    retry_delay(&BINARY.decode(details).ok()?)
}

/// Binary values come with or without padding.
const BINARY: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[cfg(test)]
mod tests;
