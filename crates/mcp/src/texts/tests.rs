use serde_json::json;

use super::*;
use crate::limits::ANSWERED_OCTETS;

fn masked(message: &serde_json::Value) -> (serde_json::Value, Vec<String>) {
    let text = message.to_string();
    let mut frame = Frame::read(text.as_bytes(), ANSWERED_OCTETS).unwrap();
    let mut places = Vec::new();
    each(&mut frame, &mut |found| {
        if !found.text.contains("canary") {
            return None;
        }
        places.push(found.place().to_string());
        Some(found.text.replace("canary", "***"))
    });
    places.sort();
    let written = frame.write().unwrap();
    (serde_json::from_slice(&written).unwrap(), places)
}

#[test]
fn a_text_is_found_wherever_it_is() {
    let hidden = STANDARD.encode("a canary in base64");
    let (written, places) = masked(&json!({"jsonrpc": "2.0", "id": 1, "result": {
        "content": [
            {"type": "text", "text": "a canary"},
            {"type": "resource", "resource": {"uri": "x://canary", "blob": hidden}},
            {"type": "resource_link", "uri": "https://h/?canary"},
            {"type": "of-tomorrow", "deep": [[{"canary": ["canary"]}]]},
        ],
        "structuredContent": {"k": "canary"},
        "_meta": {"note": "canary"},
        "canary": 1,
    }}));
    assert!(!written.to_string().contains("canary"));
    let blob = written["result"]["content"][1]["resource"]["blob"]
        .as_str()
        .unwrap();
    assert_eq!(STANDARD.decode(blob).unwrap(), b"a *** in base64");
    assert_eq!(places.len(), 9, "{places:?}");
    assert!(
        places.contains(&"result.content[0].text".to_owned()),
        "{places:?}"
    );
}

#[test]
fn errors_progress_and_questions_are_read_as_well() {
    for message in [
        json!({"jsonrpc": "2.0", "id": 1, "error": {"code": -1, "message": "canary", "data": {"x": ["canary"]}}}),
        json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": 1, "progress": 1, "message": "canary"}}),
        json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "canary"}}),
        json!({"jsonrpc": "2.0", "id": "a", "method": "elicitation/create", "params": {"message": "canary"}}),
    ] {
        let (written, places) = masked(&message);
        assert!(!written.to_string().contains("canary"), "{written}");
        assert!(!places.is_empty());
    }
}

#[test]
fn what_is_clean_stays_as_it_was() {
    let image = STANDARD.encode([0xff, 0xd8, 0, 1, 2, 3]);
    let message = json!({"jsonrpc": "2.0", "id": "canary", "result": {
        "nextCursor": "canary", "requestState": "canary",
        "content": [{"type": "image", "data": image, "mimeType": "image/png"}],
    }});
    let (written, places) = masked(&message);
    assert_eq!(written, message);
    assert!(places.is_empty(), "{places:?}");
}

#[test]
fn a_message_whose_names_would_become_one_is_not_written() {
    let text =
        json!({"jsonrpc": "2.0", "id": 1, "result": {"canary1": 1, "canary2": 2}}).to_string();
    let mut frame = Frame::read(text.as_bytes(), ANSWERED_OCTETS).unwrap();
    each(&mut frame, &mut |found| {
        found.text.starts_with("canary").then(|| "***".to_owned())
    });
    assert!(frame.write().is_err());
}

/// What the protocol carries is that only in its own places.
#[test]
fn the_names_of_what_is_opaque_are_names_like_others_elsewhere() {
    let opaque = json!({
        "cursor": "canary", "nextCursor": "canary", "requestState": "canary", "taskId": "canary",
        "progressToken": "canary", "requestId": "canary", "protocolVersion": "canary",
        "traceparent": "canary", "elicitationId": "canary",
    });
    for message in [
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "a", "arguments": opaque}}),
        json!({"jsonrpc": "2.0", "id": 1, "result": {"structuredContent": opaque, "content": [opaque]}}),
        json!({"jsonrpc": "2.0", "id": 1, "error": {"code": 1, "message": "a", "data": opaque}}),
        json!({"jsonrpc": "2.0", "id": 1, "result": {"_meta": {"acme.test/a": opaque}}}),
    ] {
        let (written, _) = masked(&message);
        assert!(!written.to_string().contains("canary"), "{written}");
    }
}
