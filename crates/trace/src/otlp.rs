//! OTLP 1.x: spans as an `ExportTraceServiceRequest`, in protobuf and in JSON. Both are only
//! written; of an answer just the partial success is read.

mod json;
mod metrics;
mod status;
mod wire;

pub use json::traces as traces_json;
pub use metrics::metrics;
pub use status::retry_delay;

use ringfence_model::{SpanId, TraceId};

use crate::names;
use crate::spans::{Attributes, Span, SpanEvent, SpanKind, Value};
use wire::{Message, Reader};

/// Where requests with spans go, below the endpoint.
pub const TRACES_PATH: &str = "/v1/traces";

/// Where those with metrics go.
pub const METRICS_PATH: &str = "/v1/metrics";

/// The media type of [`traces`].
pub const PROTOBUF: &str = "application/x-protobuf";

/// Spans as an `ExportTraceServiceRequest` in protobuf. `version` is that of this program.
#[must_use]
pub fn traces(spans: &[Span], version: &str) -> Vec<u8> {
    let mut scope_spans = Message::default();
    scope_spans.message(1, scope(version));
    for it in spans {
        scope_spans.message(2, span(it));
    }
    scope_spans.text(3, names::SCHEMA_URL);
    let mut resource_spans = Message::default();
    resource_spans.message(1, resource(version));
    resource_spans.message(2, scope_spans);
    resource_spans.text(3, names::SCHEMA_URL);
    let mut request = Message::default();
    request.message(1, resource_spans);
    request.into_octets()
}

/// Roughly how many octets a span takes, to keep a request short.
#[must_use]
pub fn octets_of(it: &Span) -> usize {
    span(it).into_octets().len()
}

/// How many spans a receiver rejected, and why, from the body of its answer in protobuf.
#[must_use]
pub fn rejected(answer: &[u8]) -> Option<(u64, String)> {
    let partial = Reader::new(answer).octets(1)?;
    let count = Reader::new(partial).number(1).unwrap_or(0);
    let words = Reader::new(partial).octets(2).unwrap_or_default();
    let words = String::from_utf8_lossy(words).into_owned();
    (count > 0 || !words.is_empty()).then_some((count, words))
}

fn resource(version: &str) -> Message {
    let mut resource = Message::default();
    resource.message(1, text_attribute(names::SERVICE_NAME, names::SCOPE));
    resource.message(1, text_attribute(names::SERVICE_VERSION, version));
    resource
}

fn scope(version: &str) -> Message {
    let mut scope = Message::default();
    scope.text(1, names::SCOPE);
    scope.text(2, version);
    scope
}

fn span(it: &Span) -> Message {
    let mut span = Message::default();
    span.octets(1, &it.trace.octets());
    span.octets(2, &it.id.octets());
    if let Some(parent) = it.parent {
        span.octets(4, &parent.octets());
    }
    span.text(5, &it.name);
    span.number(6, number_of(it.kind));
    span.fixed64(7, nanos(it.start));
    span.fixed64(8, nanos(it.end));
    attributes(&mut span, 9, &it.attributes);
    for event in &it.events {
        span.message(11, span_event(event));
    }
    for (trace, id) in &it.links {
        span.message(13, link(*trace, *id));
    }
    if let Some(words) = &it.error {
        let mut status = Message::default();
        status.text(2, words);
        status.number(3, STATUS_ERROR);
        span.message(15, status);
    }
    span.fixed32(16, SAMPLED);
    span
}

fn span_event(it: &SpanEvent) -> Message {
    let mut event = Message::default();
    event.fixed64(1, nanos(it.time));
    event.text(2, it.name);
    attributes(&mut event, 3, &it.attributes);
    event
}

fn link(trace: TraceId, id: SpanId) -> Message {
    let mut link = Message::default();
    link.octets(1, &trace.octets());
    link.octets(2, &id.octets());
    link
}

fn attributes(into: &mut Message, field: u32, attributes: &Attributes) {
    for (name, value) in attributes.iter() {
        into.message(field, attribute(name, value));
    }
}

fn text_attribute(name: &str, value: &str) -> Message {
    attribute(name, &Value::Text(value.to_owned()))
}

fn attribute(name: &str, value: &Value) -> Message {
    let mut attribute = Message::default();
    attribute.text(1, name);
    attribute.message(2, any(value));
    attribute
}

/// An `AnyValue`. Its fields are of a `oneof`, so that an empty or zero one is written too.
fn any(value: &Value) -> Message {
    let mut any = Message::default();
    match value {
        Value::Text(text) => any.octets(1, text.as_bytes()),
        Value::Flag(flag) => any.number(2, u64::from(*flag)),
        Value::Int(number) => any.number(3, number.cast_unsigned()),
        Value::Number(number) => any.fixed64(4, number.to_bits()),
        Value::Texts(texts) => {
            let mut array = Message::default();
            for text in texts {
                let mut value = Message::default();
                value.octets(1, text.as_bytes());
                array.message(1, value);
            }
            any.message(5, array);
        }
    }
    any
}

/// Nanoseconds since 1970; what is before that is 0.
fn nanos(time: jiff::Timestamp) -> u64 {
    u64::try_from(time.as_nanosecond()).unwrap_or(0)
}

const fn number_of(kind: SpanKind) -> u64 {
    match kind {
        SpanKind::Internal => 1,
        SpanKind::Client => 3,
    }
}

const STATUS_ERROR: u64 = 2;
const SAMPLED: u32 = 1;

#[cfg(test)]
mod tests;
