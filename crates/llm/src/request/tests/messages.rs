//! Requests as messages of a WebSocket.

use proptest::prelude::*;

use super::*;
use crate::request::{Message, MessageError, read_message};

fn message(text: &str) -> Result<Message, MessageError> {
    let (kind, path) = RESPONSES;
    let target = target_of(kind, path);
    let octets = Bytes::copy_from_slice(text.as_bytes());
    read_message(&target, octets, &|id| id == "resp_own")
}

#[test]
fn a_message_is_the_body_of_a_request_in_an_event() {
    let text =
        r#"{"type":"response.create","model":"m","input":"hi","tools":[{"type":"web_search"}]}"#;
    let read = message(text).unwrap();
    assert_eq!(read.request.model.as_deref(), Some("m"));
    assert_eq!(read.request.hosted, [HostedFeature::WebSearch]);
    assert!(read.generates && read.previous.is_none());
    assert_eq!(read.request.octets(), text.as_bytes());
    let warm = r#"{"type":"response.create","model":"m","generate":false}"#;
    assert!(!message(warm).unwrap().generates);
}

#[test]
fn other_events_and_what_can_be_read_in_two_ways_are_refused() {
    for text in [
        r#"{"model":"m"}"#,
        r#"{"type":null,"model":"m"}"#,
        r#"{"type":"response.cancel"}"#,
        r#"{"type":"response.created","model":"m"}"#,
        r#"{"type":"Response.create","model":"m"}"#,
    ] {
        assert_eq!(message(text).unwrap_err(), MessageError::Other, "{text}");
    }
    for text in [
        "",
        "[]",
        r#"{"type":"response.create"}"#,
        r#"{"type":["response.create"],"model":"m"}"#,
        r#"{"Type":"x","type":"response.create","model":"m"}"#,
        r#"{"type":"x","type":"response.create","model":"m"}"#,
        r#"{"type":"response.create","model":"m","generate":"no"}"#,
        r#"{"type":"response.create","model":"m","previous_response_id":["resp_own"]}"#,
        r#"{"type":"response.create","model":"m","previousResponseId":"resp_own"}"#,
        r#"{"type":"response.create","model":"m"} {}"#,
    ] {
        let error = message(text).unwrap_err();
        assert!(matches!(error, MessageError::Request(_)), "{text}: {error}");
    }
}

#[test]
fn to_go_on_from_a_response_of_the_same_connection_asks_for_nothing_stored() {
    let stored = [HostedFeature::StoredResponse];
    let of = |rest: &str| {
        message(&format!(
            r#"{{"type":"response.create","model":"m",{rest}}}"#
        ))
        .unwrap()
    };
    let own = of(r#""previous_response_id":"resp_own""#);
    assert_eq!(own.previous.as_deref(), Some("resp_own"));
    assert_eq!(own.request.hosted, []);
    for rest in [
        r#""previous_response_id":"resp_other""#,
        r#""previous_response_id":"resp_own","conversation":"conv_1""#,
        r#""previous_response_id":"resp_own","prompt":{"id":"p"}"#,
        r#""previous_response_id":"resp_own","store":true"#,
    ] {
        assert_eq!(of(rest).request.hosted, stored, "{rest}");
    }
    assert_eq!(of(r#""previous_response_id":"resp_other""#).previous, None);
    assert_eq!(of(r#""previous_response_id":"""#).request.hosted, []);
}

proptest! {
    /// Whatever comes, it is read as one request or refused.
    #[test]
    fn nothing_breaks_the_reader(text in ".*", rest in "[\\[\\]{}\",:a-z0-9]*") {
        let _ = message(&text);
        let _ = message(&format!(r#"{{"type":"response.create","model":"m",{rest}}}"#));
    }
}
