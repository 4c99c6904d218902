//! What no client and no server may do in a WebSocket.

use super::super::lab::Lab;
use super::{messages, python};

#[test]
fn what_is_no_request_is_refused_and_does_not_reach_the_provider() {
    let lab = Lab::with("models: [gpt-5-mini, claude-haiku-4-5, gemini-2.5-flash]");
    let ended = python(
        &lab,
        r#"
ws = Socket()
for text in [
    '{"type":"response.cancel"}', '{"type":"response.processed","response_id":"x"}', '{"type":"session.update","session":{}}',
    '{"model":"gpt-5-mini","input":"hi"}', '{"type":"response.create","input":"hi"}', '[]', '', 'x',
    '{"type":"response.create","model":"gpt-5-mini","model":"gpt-5","input":"hi"}',
    '{"type":"response.create","model":"gpt-5-mini","Model":"gpt-5","input":"hi"}',
    '{"type":"response.create","model":"gpt-5-mini","input":"hi"}{"type":"response.create","model":"gpt-5","input":"hi"}',
    '{"type":"response.create","response":{"model":"gpt-5-mini","input":"hi"},"model":"gpt-5-mini"}',
]:
    time.sleep(0.06)
    ws.frame(1, text)
    told(ws.hear())
"#,
    );
    assert_eq!(ended.stdout.matches("error 400").count(), 12, "{ended}");
    assert_eq!(messages(&lab).len(), 0, "{ended}");
}

#[test]
fn a_message_in_pieces_is_one_message_and_pings_between_them_are_answered_here() {
    let lab = Lab::with("");
    let ended = python(
        &lab,
        r#"
ws = Socket()
text = json.dumps({"type": "response.create", "model": "gpt-5-mini", "input": "\u00fc\u20ac\U0001f600"}, ensure_ascii=False).encode()
for at in range(len(text)):
    ws.frame(1 if at == 0 else 0, text[at:at + 1], last=False)
    if at % 40 == 0:
        ws.frame(9, b"smuggled")
ws.frame(10, b"smuggled")
ws.frame(0, b"", last=True)
events = ws.hear()
print(sum(event["type"] == "frame 10" for event in events))
told(events)
ws.frame(8, struct.pack(">H", 1000) + b"smuggled")
print(ws.next())
"#,
    );
    assert!(ended.stdout.contains("response.completed"), "{ended}");
    assert!(!ended.stdout.starts_with("0\n"), "{ended}");
    let requests = ringfence_testkit::poll::until("the close", || {
        let requests = lab.provider.requests()?;
        let is_closed = requests.iter().any(|it| !it["closed"].is_null());
        Ok(is_closed.then_some(requests))
    });
    let requests = serde_json::to_string(&requests.unwrap()).unwrap();
    assert!(!requests.contains("smuggled"), "{requests}");
    assert!(requests.contains("\"closed\":1000"), "{requests}");
    assert_eq!(messages(&lab)[0]["body"]["input"], "ü€😀");
}

#[test]
fn frames_that_can_be_read_in_two_ways_close_the_connection() {
    let lab = Lab::with("");
    let ended = python(
        &lab,
        r#"
hi = '{"type":"response.create","model":"gpt-5-mini","input":"hi"}'
def plain(ws, octets): ws.raw.sendall(octets)
for name, do in {
    "unmasked": lambda ws: ws.frame(1, hi, masked=False),
    "reserved bit": lambda ws: ws.frame(1, hi, reserved=0x40),
    "opcode": lambda ws: ws.frame(3, hi),
    "binary": lambda ws: ws.frame(2, hi),
    "control in pieces": lambda ws: ws.frame(9, "x", last=False),
    "long control": lambda ws: ws.frame(9, "x" * 126),
    "not begun": lambda ws: ws.frame(0, hi),
    "begun twice": lambda ws: (ws.frame(1, hi, last=False), ws.frame(1, hi)),
    "length": lambda ws: plain(ws, b"\x81\xfe\x00\x02\x00\x00\x00\x00{}"),
    "negative length": lambda ws: plain(ws, b"\x81\xff" + b"\xff" * 8 + b"\x00" * 4),
    "too long": lambda ws: plain(ws, b"\x81\xff" + struct.pack(">Q", 33 << 20) + b"\x00" * 4),
    "not UTF-8": lambda ws: ws.frame(1, b'{"type":"\xff"}'),
    "half a character": lambda ws: (ws.frame(1, b"\xe2\x82", last=False), ws.frame(0, b"")),
    "surrogate": lambda ws: ws.frame(1, b"\xed\xa0\x80"),
    "close code": lambda ws: ws.frame(8, struct.pack(">H", 1005)),
    "short close": lambda ws: ws.frame(8, b"x"),
    "after a close": lambda ws: (ws.frame(8, struct.pack(">H", 1000)), ws.frame(1, hi)),
    "second handshake": lambda ws: plain(ws, b"GET /v1/responses HTTP/1.1\r\nHost: api.openai.com\r\n\r\n"),
}.items():
    ws = Socket()
    do(ws)
    print(name, end=": ")
    told(ws.hear())
"#,
    );
    assert_eq!(ended.code, 0, "{ended}");
    for (name, code) in [
        ("unmasked", 1002),
        ("reserved bit", 1002),
        ("opcode", 1002),
        ("binary", 1003),
        ("control in pieces", 1002),
        ("long control", 1002),
        ("not begun", 1002),
        ("begun twice", 1002),
        ("length", 1002),
        ("negative length", 1002),
        ("too long", 1009),
        ("not UTF-8", 1007),
        ("half a character", 1007),
        ("surrogate", 1007),
        ("close code", 1002),
        ("short close", 1002),
        ("after a close", 1000),
        ("second handshake", 1002),
    ] {
        let line = format!("{name}: close {code}");
        assert!(
            ended.stdout.lines().any(|it| it.starts_with(&line)),
            "{line}: {ended}"
        );
    }
    assert_eq!(messages(&lab).len(), 0, "{ended}");
}

#[test]
fn what_a_provider_may_not_do_closes_the_connection() {
    let lab = Lab::with("");
    let ended = python(
        &lab,
        r#"
for model in ("socket-odd", "socket-reserved", "socket-masked"):
    ws = Socket()
    ws.say(model=model)
    told(ws.hear())
"#,
    );
    assert_eq!(ended.stdout.matches("close 1011").count(), 3, "{ended}");
}

#[test]
fn too_many_refusals_end_the_connection() {
    let lab = Lab::with("");
    let ended = python(
        &lab,
        r#"
ws = Socket()
for _ in range(40):
    time.sleep(0.06)
    try:
        ws.frame(1, "{}")
    except OSError:
        break
    last = ws.hear()[-1]
    if last["type"] != "error":
        break
print(last["type"], last.get("code"))
"#,
    );
    assert!(ended.stdout.contains("close 1008"), "{ended}");
}

/// RFC 8441: not offered, and an attempt leads nowhere.
#[test]
fn there_is_no_websocket_over_http2() {
    let lab = Lab::with("");
    let ended = python(
        &lab,
        r#"
import h2.connection, h2.config, h2.events, h2.settings
context = ssl.create_default_context()
context.set_alpn_protocols(["h2"])
raw = context.wrap_socket(socket.create_connection((HOST, 443), timeout=10), server_hostname=HOST)
client = h2.connection.H2Connection(h2.config.H2Configuration(validate_outbound_headers=False))
client.initiate_connection()
client.send_headers(1, [(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"), (":path", "/v1/responses"),
    (":authority", HOST), ("sec-websocket-version", "13"), ("authorization", "Bearer " + KEY)])
raw.sendall(client.data_to_send())
offered, outcome = False, None
while outcome is None:
    octets = raw.recv(65536)
    if not octets:
        outcome = "end"
        break
    for event in client.receive_data(octets):
        if isinstance(event, h2.events.RemoteSettingsChanged):
            offered |= h2.settings.SettingCodes.ENABLE_CONNECT_PROTOCOL in event.changed_settings
        if isinstance(event, h2.events.ResponseReceived):
            outcome = dict(event.headers).get(b":status") or dict(event.headers).get(":status")
        if isinstance(event, (h2.events.StreamReset, h2.events.ConnectionTerminated)):
            outcome = "reset"
    raw.sendall(client.data_to_send())
print(offered, outcome)
"#,
    );
    assert!(ended.stdout.starts_with("False"), "{ended}");
    assert!(!ended.stdout.contains("200"), "{ended}");
    assert_eq!(lab.requests().len(), 0, "{ended}");
}
