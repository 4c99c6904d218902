use jiff::SignedDuration;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Status};
use proptest::prelude::*;

use super::*;
use crate::limits::{TOLD_OCTETS, TOLD_SPAN_OCTETS};

fn run() -> RunId {
    crate::testing::run_id()
}

fn now() -> Timestamp {
    let begun = run().uuid().get_timestamp().unwrap().to_unix();
    Timestamp::from_second(i64::try_from(begun.0).unwrap() + 60).unwrap()
}

fn nanos(time: Timestamp) -> u64 {
    u64::try_from(time.as_nanosecond()).unwrap()
}

fn says(name: &str, value: Value) -> KeyValue {
    KeyValue {
        key: name.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

fn text(name: &str, value: &str) -> KeyValue {
    says(name, Value::StringValue(value.to_owned()))
}

/// As Claude Code says it.
fn tool() -> Span {
    Span {
        trace_id: TraceId::of_run(run()).octets().to_vec(),
        span_id: vec![0xe3, 0xd4, 0x8e, 0xfd, 0x49, 0x35, 9, 0x19],
        parent_span_id: vec![0xf8, 0x6f, 0xe8, 0xdf, 0xd5, 0xe8, 0x10, 0x50],
        name: "claude_code.tool".to_owned(),
        start_time_unix_nano: nanos(now() - SignedDuration::from_secs(3)),
        end_time_unix_nano: nanos(now() - SignedDuration::from_secs(1)),
        attributes: vec![
            text("user.id", "b95e7c516da07e0d"),
            text("user.email", "user@example.test"),
            text("user_prompt", "the whole prompt"),
            says("success", Value::BoolValue(true)),
            text("gen_ai.tool.name", "Bash"),
            text("gen_ai.tool.call.id", "toolu_1"),
            text("gen_ai.tool.call.arguments", "cat ~/private"),
            text("decision", "accept"),
        ],
        ..Span::default()
    }
}

fn request(spans: Vec<Span>) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            scope_spans: vec![ScopeSpans {
                spans,
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
}

/// What is heard of spans, which is the same in both forms.
fn heard(spans: Vec<Span>) -> Heard {
    let request = request(spans);
    let within = Within::of(run(), now());
    let json = serde_json::to_vec(&request).unwrap();
    let heard = read(&request.encode_to_vec(), Form::Protobuf, within).unwrap();
    assert_eq!(read(&json, Form::Json, within).unwrap(), heard);
    heard
}

fn why(change: impl FnOnce(&mut Span)) -> Option<Fault> {
    let mut span = tool();
    change(&mut span);
    let heard = heard(vec![tool(), span]);
    assert_eq!(heard.spans.len() as u64 + heard.refused, 2);
    heard.why
}

#[test]
fn little_is_kept_of_a_span_and_no_content() {
    let heard = heard(vec![tool()]);
    let [span] = &heard.spans[..] else {
        panic!("{heard:?}");
    };
    assert_eq!(heard.refused, 0);
    assert_eq!(span.id.to_string(), "e3d48efd49350919");
    assert_eq!(span.parent.unwrap().to_string(), "f86fe8dfd5e81050");
    assert_eq!(span.end.duration_since(span.start).as_secs(), 2);
    assert_eq!(
        serde_json::to_value(&span.what).unwrap(),
        serde_json::json!({"name": "claude_code.tool", "tool": "Bash", "call": "toolu_1", "decision": "accept"})
    );
}

#[test]
fn a_span_of_another_trace_is_refused() {
    assert_eq!(why(|span| span.trace_id = vec![7; 16]), Some(Fault::Trace));
    assert_eq!(why(|span| span.trace_id.clear()), Some(Fault::Trace));
}

#[test]
fn an_id_that_is_none_or_that_of_the_run_is_refused() {
    let root = SpanId::root(run()).octets().to_vec();
    for id in [root, vec![0; 8], vec![1; 7], Vec::new()] {
        assert_eq!(why(|span| span.span_id = id), Some(Fault::Id));
    }
    assert_eq!(
        why(|span| span.parent_span_id = vec![1; 9]),
        Some(Fault::Id)
    );
}

#[test]
fn a_span_has_to_be_of_the_time_of_the_run() {
    let begun = Within::of(run(), now()).from;
    let early = nanos(begun) - 1;
    assert_eq!(why(|it| it.start_time_unix_nano = early), Some(Fault::Time));
    let late = nanos(now() + TOLD_SLACK) + 1;
    assert_eq!(why(|it| it.end_time_unix_nano = late), Some(Fault::Time));
    assert_eq!(
        why(|it| it.end_time_unix_nano = nanos(begun)),
        Some(Fault::Time)
    );
    assert_eq!(
        why(|it| it.end_time_unix_nano = u64::MAX),
        Some(Fault::Time)
    );
    assert_eq!(why(|it| it.start_time_unix_nano = early + 1), None);
}

#[test]
fn words_are_short_and_can_be_shown() {
    let mut span = tool();
    span.name = format!("\u{1b}[2J\u{202e}{}", "x".repeat(10_000));
    span.attributes = vec![text("tool_name", "a\nb")];
    let heard = heard(vec![span]);
    let what = &heard.spans[0].what;
    assert_eq!(what.name.chars().count(), TOLD_OCTETS);
    assert!(what.name.starts_with("?[2J?x"), "{}", what.name);
    assert_eq!(what.tool.as_deref(), Some("a?b"));
}

#[test]
fn a_span_that_failed_says_so() {
    let mut span = tool();
    span.status = Some(Status {
        message: "what went wrong may be content".to_owned(),
        code: 2,
    });
    assert!(heard(vec![span]).spans[0].what.failed);
}

#[test]
fn a_long_span_is_refused_unread_and_its_neighbours_are_not() {
    let long = "x".repeat(TOLD_SPAN_OCTETS);
    let fault = why(|span| span.attributes.push(text("prompt", &long)));
    assert_eq!(fault, Some(Fault::Span));
}

#[test]
fn what_is_too_many_is_refused_and_counted() {
    let heard = heard(vec![tool(); TOLD_SPANS + 3]);
    assert_eq!((heard.spans.len(), heard.refused), (TOLD_SPANS, 3));
    assert_eq!(heard.why, Some(Fault::Many));
}

#[test]
fn what_is_no_request_is_unreadable() {
    let within = Within::of(run(), now());
    let whole = request(vec![tool()]).encode_to_vec();
    for octets in [
        &whole[..whole.len() - 1],
        b"\x0a",
        b"\x08\x01",
        b"\xff",
        b"hello",
    ] {
        assert_eq!(read(octets, Form::Protobuf, within), Err(Unreadable));
    }
    for text in [
        "",
        "[]",
        "null",
        "{",
        r#"{"resourceSpans": 1}"#,
        r#"{"resourceSpans": [1]}"#,
        r#"{"resourceSpans": [], "resourceSpans": []}"#,
        r#"{"resourceSpans": []} x"#,
    ] {
        let read = read(text.as_bytes(), Form::Json, within);
        assert_eq!(read, Err(Unreadable), "{text}");
    }
    let deep = format!(r#"{{"x": {}"#, "[".repeat(100_000));
    assert_eq!(read(deep.as_bytes(), Form::Json, within), Err(Unreadable));
}

#[test]
fn a_span_in_json_that_is_none_concerns_itself_alone() {
    let json = r#"{"resourceSpans": [{"scopeSpans": [{"spans": [1, {"spanId": "zz"}, {}]}]}]}"#;
    let within = Within::of(run(), now());
    let heard = read(json.as_bytes(), Form::Json, within).unwrap();
    assert_eq!((heard.spans.len(), heard.refused), (0, 3));
}

#[test]
fn what_is_not_taken_is_answered() {
    let refused = Some((3, "a span is too long".to_owned()));
    let whole = ExportTraceServiceResponse::decode(&taken(refused.clone())[..]).unwrap();
    assert_eq!(whole.partial_success.unwrap().rejected_spans, 3);
    let json: serde_json::Value = serde_json::from_slice(&taken_json(refused)).unwrap();
    assert_eq!(json["partialSuccess"]["rejectedSpans"], "3");
    assert_eq!(taken(None), b"");
    assert_eq!(taken_json(None), b"{}");
}

proptest! {
    /// Requests that are damaged in any place.
    #[test]
    fn whatever_comes_is_read_within_bounds(at in 0usize..2_000, octet: u8, cut in 0usize..2_000) {
        let within = Within::of(run(), now());
        let request = request(vec![tool(), tool()]);
        for (mut octets, form) in [
            (request.encode_to_vec(), Form::Protobuf),
            (serde_json::to_vec(&request).unwrap(), Form::Json),
        ] {
            let length = octets.len();
            octets[at % length] = octet;
            octets.truncate(length - cut % 3);
            if let Ok(heard) = read(&octets, form, within) {
                prop_assert!(heard.spans.len() <= 2);
                for span in heard.spans {
                    prop_assert!(span.start <= span.end && span.end <= within.until);
                    prop_assert!(span.id != SpanId::root(run()));
                    let words = serde_json::to_string(&span.what).unwrap();
                    prop_assert!(words.len() < 6 * 2 * TOLD_OCTETS);
                }
            }
        }
    }
}
