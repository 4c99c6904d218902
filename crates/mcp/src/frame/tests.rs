use proptest::prelude::*;
use serde_json::Value as Json;

use super::*;
use crate::limits::ASKED_OCTETS;

fn read(text: &str) -> Result<Frame, FrameError> {
    Frame::read(text.as_bytes(), ASKED_OCTETS)
}

#[test]
fn messages_are_what_they_say() {
    let body = |text: &str| read(text).unwrap().body().clone();
    assert_eq!(
        body(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}}"#),
        Body::Request {
            id: Id::Number(1),
            method: "tools/call".to_owned()
        }
    );
    assert_eq!(
        body(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#),
        Body::Notification {
            method: "notifications/initialized".to_owned()
        }
    );
    assert_eq!(
        body(r#"{"id":"x","result":{},"jsonrpc":"2.0"}"#),
        Body::Result {
            id: Id::Text("x".to_owned())
        }
    );
    assert_eq!(
        body(r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x"}}"#),
        Body::Error {
            id: None,
            code: -32_700
        }
    );
}

/// Texts that are no message, and the code for them.
const DOUBTFUL: &[(&str, i64)] = &[
    (
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}"#,
        code::PARSE,
    ),
    (
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}"#,
        code::INVALID_REQUEST,
    ),
    (
        r#"{"jsonrpc":"2.0","id":1,"Method":"tools/call"}"#,
        code::INVALID_REQUEST,
    ),
    (
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"safe","name":"evil"}}"#,
        code::PARSE,
    ),
    (
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"safe","Name":"evil"}}"#,
        code::INVALID_REQUEST,
    ),
    (
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"Name":"evil"}}"#,
        code::INVALID_REQUEST,
    ),
    (
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","ARGUMENTS":{}}}"#,
        code::INVALID_REQUEST,
    ),
    (
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"p":1,"p":2}}}"#,
        code::PARSE,
    ),
    (
        r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#,
        code::PARSE,
    ),
    (
        r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#,
        code::INVALID_REQUEST,
    ),
    (
        r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
        code::INVALID_REQUEST,
    ),
    (
        r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#,
        code::INVALID_REQUEST,
    ),
    (
        r#"{"jsonrpc":"2.0","id":1.0,"method":"ping"}"#,
        code::INVALID_REQUEST,
    ),
    (
        r#"{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}"#,
        code::INVALID_REQUEST,
    ),
    (
        r#"{"jsonrpc":"2.0","id":-0,"method":"ping"}"#,
        code::INVALID_REQUEST,
    ),
    (
        r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#,
        code::INVALID_REQUEST,
    ),
    (
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}"#,
        code::INVALID_REQUEST,
    ),
    (
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":"x"}"#,
        code::INVALID_REQUEST,
    ),
    (
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}"#,
        code::INVALID_REQUEST,
    ),
    (
        r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":""}}"#,
        code::INVALID_REQUEST,
    ),
    (
        r#"{"jsonrpc":"2.0","id":1,"result":"x"}"#,
        code::INVALID_REQUEST,
    ),
    (
        r#"{"jsonrpc":"2.0","id":1,"result":null}"#,
        code::INVALID_REQUEST,
    ),
    (
        r#"{"jsonrpc":"2.0","id":1,"error":{"message":""}}"#,
        code::INVALID_REQUEST,
    ),
    (
        r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#,
        code::INVALID_REQUEST,
    ),
    (
        r#"{"jsonrpc":2.0,"id":1,"method":"ping"}"#,
        code::INVALID_REQUEST,
    ),
    (r#"{"id":1,"method":"ping"}"#, code::INVALID_REQUEST),
    (
        r#"{"jsonrpc":"2.0","id":1,"method":"ping"} {}"#,
        code::PARSE,
    ),
    (
        "\u{feff}{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}",
        code::PARSE,
    ),
    (
        r#"{"jsonrpc":"2.0","id":1,"method":"pi\ud800ng"}"#,
        code::PARSE,
    ),
    ("", code::PARSE),
];

#[test]
fn what_two_readers_could_read_differently_is_no_message() {
    for &(text, code) in DOUBTFUL {
        let error = read(text).expect_err(text);
        assert_eq!(error.code(), code, "{text} {error}");
    }
    let long = format!(
        r#"{{"jsonrpc":"2.0","id":"{}","method":"ping"}}"#,
        "x".repeat(300)
    );
    assert!(read(&long).is_err());
    assert!(Frame::read(b"{}", 1).is_err());
}

#[test]
fn what_goes_on_is_written_anew() {
    let frame = read("{ \"params\" : {\"arguments\":{\"n\":12345678901234567890123,\"a_b\":1,\"aB\":2},\"n\\u0061me\":\"x\"},\n\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\"}").unwrap();
    assert_eq!(
        String::from_utf8(frame.write().unwrap()).unwrap(),
        r#"{"params":{"arguments":{"n":12345678901234567890123,"a_b":1,"aB":2},"name":"x"},"jsonrpc":"2.0","id":1,"method":"tools/call"}"#
    );
}

#[test]
fn our_own_messages_are_messages() {
    let id = Id::Text("a\"b".to_owned());
    for (message, id) in [
        (
            error(
                Some(&id),
                code::REFUSED,
                "no",
                Some(serde_json::json!({"rule": "r"})),
            ),
            Some(&id),
        ),
        (error(None, code::PARSE, "no", None), None),
        (request(&id, "tools/list", serde_json::json!({})), Some(&id)),
        (notification("notifications/tools/list_changed"), None),
    ] {
        let frame = Frame::read(&message, ASKED_OCTETS).unwrap();
        assert_eq!(frame.id(), id);
    }
}

proptest! {
    #[test]
    fn it_is_the_same_value_when_it_is_written_anew(name in any::<String>(), number in any::<i64>(), list in prop::collection::vec(any::<String>(), 0..4)) {
        let message = serde_json::json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"arguments": {"t": name, "n": number, "l": list}}});
        let frame = read(&format!("{message:#}")).unwrap();
        let written: Json = serde_json::from_slice(&frame.write().unwrap()).unwrap();
        prop_assert_eq!(written, message);
    }
}

#[test]
fn what_is_no_part_of_a_message_does_not_go_on() {
    let text = br#"{"jsonrpc":"2.0","id":1,"result":{"a":1},"extra":{"b":2},"arguments":3}"#;
    let frame = Frame::read(text, 1 << 20).unwrap();
    let written = frame.write().unwrap();
    assert_eq!(written, br#"{"jsonrpc":"2.0","id":1,"result":{"a":1}}"#);
}

#[test]
fn a_result_whose_names_some_readers_take_for_others_is_none() {
    for name in [
        "InputRequests",
        "input_requests",
        "Nextcursor",
        "task_id",
        "INSTRUCTIONS",
        "Tools",
        "structuredcontent",
        "_Meta",
    ] {
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"{name}":{{}}}}}}"#);
        assert!(Frame::read(text.as_bytes(), 1 << 20).is_err(), "{name}");
    }
}
