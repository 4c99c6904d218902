use super::*;

const OURS: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn changed(params: &str, change: impl FnOnce(&mut Frame)) -> String {
    let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call"{params}}}"#);
    let mut frame = Frame::read(text.as_bytes(), text.len()).unwrap();
    change(&mut frame);
    let written = String::from_utf8(frame.write().unwrap()).unwrap();
    let (before, after) = written.split_once("tools/call\"").unwrap();
    let before = before.replace(r#""jsonrpc":"2.0","id":1,"method":""#, "");
    format!("{before}{after}")
}

#[test]
fn the_span_of_the_sender_never_goes_on() {
    let theirs = r#","params":{"name":"a","_meta":{"traceparent":"x","Tracestate":"y","baggage":"k=v","progressToken":1}}"#;
    assert_eq!(
        changed(theirs, |frame| set_trace(frame, None)),
        r#"{,"params":{"name":"a","_meta":{"progressToken":1}}}"#
    );
}

#[test]
fn a_span_of_ours_is_there_whatever_was() {
    let trace = || Some(OURS.parse().unwrap());
    for (before, after) in [
        (
            r#","params":{"_meta":{"traceparent":"x"},"name":"a"}"#,
            format!(r#"{{,"params":{{"_meta":{{"traceparent":"{OURS}"}},"name":"a"}}}}"#),
        ),
        (
            r#","params":{"name":"a"}"#,
            format!(r#"{{,"params":{{"_meta":{{"traceparent":"{OURS}"}},"name":"a"}}}}"#),
        ),
        (
            "",
            format!(r#"{{"params":{{"_meta":{{"traceparent":"{OURS}"}}}},}}"#),
        ),
    ] {
        assert_eq!(changed(before, |frame| set_trace(frame, trace())), after);
    }
}

#[test]
fn what_the_protocol_does_not_name_is_taken_out() {
    let meta = r#","params":{"_meta":{"acme/dry-run":true,"io.modelcontextprotocol/protocolVersion":"v","io.modelcontextprotocolx":1}}"#;
    assert_eq!(
        changed(meta, keep_known),
        r#"{,"params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"v"}}}"#
    );
}
