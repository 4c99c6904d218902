//! Reads what an agent tells of itself: an `ExportTraceServiceRequest` (OTLP 1.x), in protobuf or in
//! JSON. Spans are taken out one by one, so that a short request cannot grow to much in memory, and
//! of each little is kept: ids, times, and a few short words of a list. Everything else is dropped,
//! what may be content first of all.

mod compact;
mod json;
mod protobuf;

use jiff::Timestamp;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use ringfence_model::{RunId, SpanId, ToldSpan, TraceId};
use serde_json::json;

use crate::limits::{TOLD_SLACK, TOLD_SPANS};

/// How a request is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As `application/x-protobuf`.
    Protobuf,
    /// As `application/json`.
    Json,
}

/// What a span has to be of to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Within {
    run: RunId,
    /// Nothing of the run can be earlier.
    from: Timestamp,
    /// Nothing that has ended can be later.
    until: Timestamp,
}

impl Within {
    /// The trace of `run`, whose id tells when it was begun, until `now`.
    #[must_use]
    pub fn of(run: RunId, now: Timestamp) -> Self {
        let begun = run.uuid().get_timestamp().map(|time| time.to_unix());
        let begun = begun.and_then(|(seconds, nanos)| {
            Timestamp::new(i64::try_from(seconds).ok()?, i32::try_from(nanos).ok()?).ok()
        });
        let from = begun.and_then(|begun| begun.checked_sub(TOLD_SLACK).ok());
        Self {
            run,
            from: from.unwrap_or(now),
            until: now.checked_add(TOLD_SLACK).unwrap_or(now),
        }
    }
}

/// What a request says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heard {
    /// The spans that are taken.
    pub spans: Vec<ToldSpan>,
    /// How many are not.
    pub refused: u64,
    /// Why the first of them is not.
    pub why: Option<Fault>,
}

/// Why a span is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is of another trace.
    #[error("a span is not of the trace of this run, which TRACEPARENT names")]
    Trace,
    /// Its id is none, or that of the run itself.
    #[error("the id of a span is malformed, or that of the run itself")]
    Id,
    /// It was before the run, or is later than now.
    #[error("the time of a span is not within this run")]
    Time,
    /// It is too long, or cannot be read.
    #[error("a span is too long, or malformed")]
    Span,
    /// There are too many.
    #[error("too many spans")]
    Many,
}

/// A request that cannot be read at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the request is no ExportTraceServiceRequest of OTLP")]
pub struct Unreadable;

/// Reads a request.
///
/// # Errors
/// Where it is no request of OTLP. What is wrong with a span alone concerns just that one.
pub fn read(request: &[u8], form: Form, within: Within) -> Result<Heard, Unreadable> {
    let mut hearing = Hearing {
        trace: TraceId::of_run(within.run),
        root: SpanId::root(within.run),
        within,
        heard: Heard::default(),
    };
    match form {
        Form::Protobuf => protobuf::spans(request, &mut hearing)?,
        Form::Json => json::spans(request, &mut hearing)?,
    }
    Ok(hearing.heard)
}

/// The answer to a request, in protobuf: that it was taken, but for so many spans, and why those not.
#[must_use]
pub fn taken(refused: Option<(u64, String)>) -> Vec<u8> {
    let partial_success = refused.map(|(count, why)| ExportTracePartialSuccess {
        rejected_spans: i64::try_from(count).unwrap_or(i64::MAX),
        error_message: why,
    });
    ExportTraceServiceResponse { partial_success }.encode_to_vec()
}

/// The same in JSON.
#[must_use]
pub fn taken_json(refused: Option<(u64, String)>) -> Vec<u8> {
    let answer = refused.map_or_else(
        || json!({}),
        |(count, why)| {
            let count = count.to_string();
            json!({"partialSuccess": {"rejectedSpans": count, "errorMessage": why}})
        },
    );
    answer.to_string().into_bytes()
}

/// Takes spans, one after another.
struct Hearing {
    trace: TraceId,
    root: SpanId,
    within: Within,
    heard: Heard,
}

impl Hearing {
    /// Whether another span may be read.
    fn has_room(&mut self) -> bool {
        let has_room = self.heard.spans.len() < TOLD_SPANS;
        if !has_room {
            self.refuse(Fault::Many, 1);
        }
        has_room
    }

    fn take(&mut self, span: Option<Span>) {
        let span = span.ok_or(Fault::Span);
        match span.and_then(|span| compact::of(&span, self)) {
            Ok(span) => self.heard.spans.push(span),
            Err(fault) => self.refuse(fault, 1),
        }
    }

    fn refuse(&mut self, fault: Fault, count: u64) {
        self.heard.refused = self.heard.refused.saturating_add(count);
        self.heard.why.get_or_insert(fault);
    }
}

#[cfg(test)]
mod tests;
