//! OTLP in JSON: ids in hex, 64-bit numbers as texts, enumerations as numbers.

use serde_json::{Map, Value as Json, json};

use super::{SAMPLED, STATUS_ERROR, nanos, number_of};
use crate::names;
use crate::spans::{Attributes, Span, SpanEvent, Value};

/// Spans as an `ExportTraceServiceRequest` in JSON.
#[must_use]
pub fn traces(spans: &[Span], version: &str) -> Json {
    let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    json!({"resourceSpans": [{
        "resource": {"attributes": [
            text(names::SERVICE_NAME, names::SCOPE),
            text(names::SERVICE_VERSION, version),
        ]},
        "scopeSpans": [{
            "scope": {"name": names::SCOPE, "version": version},
            "spans": spans.iter().map(span).collect::<Vec<_>>(),
            "schemaUrl": names::SCHEMA_URL,
        }],
        "schemaUrl": names::SCHEMA_URL,
    }]})
}

fn span(span: &Span) -> Json {
    let mut fields = Map::new();
    let mut set = |name: &str, value: Json| fields.insert(name.to_owned(), value);
    set("traceId", span.trace.to_string().into());
    set("spanId", span.id.to_string().into());
    if let Some(parent) = span.parent {
        set("parentSpanId", parent.to_string().into());
    }
    set("name", span.name.as_str().into());
    set("kind", number_of(span.kind).into());
    set("startTimeUnixNano", nanos(span.start).to_string().into());
    set("endTimeUnixNano", nanos(span.end).to_string().into());
    set("attributes", attributes(&span.attributes));
    if !span.events.is_empty() {
        set("events", span.events.iter().map(event).collect());
    }
    if !span.links.is_empty() {
        let link = |(trace, id): &(_, _)| link(*trace, *id);
        set("links", span.links.iter().map(link).collect());
    }
    if let Some(words) = &span.error {
        set("status", json!({"code": STATUS_ERROR, "message": words}));
    }
    set("flags", SAMPLED.into());
    Json::Object(fields)
}

fn link(trace: ringfence_model::TraceId, id: ringfence_model::SpanId) -> Json {
    json!({"traceId": trace.to_string(), "spanId": id.to_string()})
}

fn event(event: &SpanEvent) -> Json {
    json!({
        "timeUnixNano": nanos(event.time).to_string(),
        "name": event.name,
        "attributes": attributes(&event.attributes),
    })
}

fn attributes(attributes: &Attributes) -> Json {
    let one = |(name, value): &(&str, Value)| json!({"key": name, "value": any(value)});
    attributes.iter().map(one).collect()
}

fn any(value: &Value) -> Json {
    match value {
        Value::Text(text) => json!({"stringValue": text}),
        Value::Flag(flag) => json!({"boolValue": flag}),
        Value::Int(number) => json!({"intValue": number.to_string()}),
        Value::Number(number) => json!({"doubleValue": number}),
        Value::Texts(texts) => {
            let text = |text: &String| json!({"stringValue": text});
            json!({"arrayValue": {"values": texts.iter().map(text).collect::<Vec<_>>()}})
        }
    }
}
