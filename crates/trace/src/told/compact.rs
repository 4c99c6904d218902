//! What is kept of a span of the agent's: whether it may be one of this run, its times, and short
//! words of the few attributes that are listed here. No other attribute is looked at, and no event.

use jiff::Timestamp;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use ringfence_model::{SpanId, Told, ToldSpan};

use super::{Fault, Hearing};
use crate::limits::{TOLD_ATTRIBUTES, TOLD_OCTETS};

/// The names that clients have for the same thing: those of the conventions, Claude Code's, Codex's.
const TOOL: [&str; 3] = ["gen_ai.tool.name", "tool_name", "tool.name"];
const CALL: [&str; 4] = [
    "gen_ai.tool.call.id",
    "tool_use_id",
    "call_id",
    "tool.call_id",
];
const MODEL: [&str; 2] = ["gen_ai.request.model", "model"];
const DECISION: [&str; 1] = ["decision"];

/// `Status.code` of what failed.
const ERROR: i32 = 2;

pub(super) fn of(span: &Span, hearing: &Hearing) -> Result<ToldSpan, Fault> {
    if span.trace_id != hearing.trace.octets() {
        return Err(Fault::Trace);
    }
    let id = id(&span.span_id)?;
    if id == hearing.root {
        return Err(Fault::Id);
    }
    let parent = match span.parent_span_id.as_slice() {
        [] => None,
        octets => Some(self::id(octets)?),
    };
    let (start, end) = (
        time(span.start_time_unix_nano)?,
        time(span.end_time_unix_nano)?,
    );
    if start < hearing.within.from || end < start || hearing.within.until < end {
        return Err(Fault::Time);
    }
    Ok(ToldSpan {
        id,
        parent: parent.filter(|parent| *parent != id),
        start,
        end,
        what: Told {
            name: plain(&span.name).unwrap_or_else(|| "span".to_owned()),
            failed: span.status.as_ref().is_some_and(|it| it.code == ERROR),
            tool: said(span, &TOOL),
            call: said(span, &CALL),
            model: said(span, &MODEL),
            decision: said(span, &DECISION),
        },
    })
}

fn id(octets: &[u8]) -> Result<SpanId, Fault> {
    let octets: [u8; 8] = octets.try_into().map_err(|_| Fault::Id)?;
    SpanId::from_octets(octets).ok_or(Fault::Id)
}

fn time(nanos: u64) -> Result<Timestamp, Fault> {
    Timestamp::from_nanosecond(i128::from(nanos)).map_err(|_| Fault::Time)
}

/// The first text that stands under one of these names.
fn said(span: &Span, names: &[&str]) -> Option<String> {
    let mut known = span.attributes.iter().take(TOLD_ATTRIBUTES);
    let found = known.find_map(|attribute| {
        let is_named = names.contains(&attribute.key.as_str());
        match attribute.value.as_ref()?.value.as_ref()? {
            Value::StringValue(text) if is_named => Some(text),
            _ => None,
        }
    });
    plain(found?)
}

/// A word as it can be shown anywhere.
fn plain(text: &str) -> Option<String> {
    let shown = |c: char| {
        if c == ' ' || c.is_ascii_graphic() {
            c
        } else {
            '?'
        }
    };
    let text: String = text.chars().take(TOLD_OCTETS).map(shown).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}
