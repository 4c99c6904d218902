use ringfence_mcp::limits::ASKED_OCTETS;
use serde_json::{Value, json};

use super::*;

/// What looks like a token of GitHub's, its check digits included.
const TOKEN: &str = "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";

fn frame(message: &Value) -> Frame {
    Frame::read(message.to_string().as_bytes(), ASKED_OCTETS).unwrap()
}

fn call(id: &Value, arguments: &Value) -> Frame {
    frame(
        &json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": "a", "arguments": arguments}}),
    )
}

fn blocked(id: &Value, arguments: &Value, secrets: McpSecrets) -> Option<String> {
    asked(&mut call(id, arguments), &ScrubSet::default(), secrets).blocked
}

#[test]
fn a_secret_of_an_agent_goes_nowhere_wherever_it_is() {
    for arguments in [
        json!({"a": TOKEN}),
        json!({TOKEN: 1}),
        json!({"cursor": TOKEN}),
        json!({"deep": [{"taskId": TOKEN}]}),
        json!({"requestId": TOKEN}),
    ] {
        for secrets in [McpSecrets::Redact, McpSecrets::Block] {
            assert!(
                blocked(&json!(1), &arguments, secrets).is_some(),
                "{arguments}"
            );
        }
        assert_eq!(blocked(&json!(1), &arguments, McpSecrets::Observe), None);
    }
    let as_id = blocked(&json!(TOKEN), &json!({}), McpSecrets::Redact);
    assert_eq!(as_id.as_deref(), Some("id"));
    assert_eq!(
        blocked(&json!("plain"), &json!({"a": "plain"}), McpSecrets::Block),
        None
    );
}

#[test]
fn what_stands_for_a_secret_is_no_argument() {
    let result =
        json!({"jsonrpc": "2.0", "id": 1, "result": {"structuredContent": {"cursor": TOKEN}}});
    let mut frame = frame(&result);
    let searched = answered(&mut frame, &ScrubSet::default(), McpSecrets::Redact);
    assert_eq!(searched.redacted, 1);
    let written: Value = serde_json::from_slice(&frame.write().unwrap()).unwrap();
    let mark = &written["result"]["structuredContent"]["cursor"];
    assert_ne!(mark, TOKEN);
    for arguments in [
        json!({"a": mark}),
        json!({"cursor": mark}),
        json!({"taskId": mark}),
    ] {
        let blocked = blocked(&json!(1), &arguments, McpSecrets::Observe);
        assert!(blocked.is_some(), "{arguments}");
    }
}

#[test]
fn however_many_there_are_some_are_told_and_all_are_put_out() {
    let many = json!({"jsonrpc": "2.0", "id": 1, "result": {"content": vec![json!({"text": TOKEN}); 500]}});
    let mut frame = frame(&many);
    let searched = answered(&mut frame, &ScrubSet::default(), McpSecrets::Redact);
    assert_eq!(
        (searched.redacted, searched.findings.len()),
        (500, FINDINGS)
    );
    let written = String::from_utf8(frame.write().unwrap()).unwrap();
    assert!(!written.contains(TOKEN));
}
