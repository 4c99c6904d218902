//! HTTP/2 inside TLS: frames that a well-behaved client would not send.

use ringfence_testkit::api::echo;

use super::desk::Desk;

/// Sends header fields as they are given, each in a connection of its own, and prints the status, or how the stream ended.
const SEND: &str = r#"
from wire import *
import h2.config, h2.connection, h2.events, h2.exceptions

context = ssl.create_default_context()
context.set_alpn_protocols(["h2"])
loose = h2.config.H2Configuration(client_side=True, header_encoding=None, validate_outbound_headers=False,
                                  normalize_outbound_headers=False, validate_inbound_headers=False)
USUAL = [(b":method", b"GET"), (b":scheme", b"https"), (b":authority", b"api.acme.test"), (b":path", b"/open/a")]

def ask(changes={}, more=[], body=None):
    fields = [(name, changes.get(name, value)) for name, value in USUAL if changes.get(name, value) is not None] + more
    with context.wrap_socket(connect("api.acme.test", 443), server_hostname="api.acme.test") as tls:
        assert tls.selected_alpn_protocol() == "h2"
        client = h2.connection.H2Connection(loose)
        client.initiate_connection()
        client.send_headers(1, fields, end_stream=body is None)
        if body is not None:
            client.send_data(1, body, end_stream=True)
        tls.sendall(client.data_to_send())
        show(outcome(client, tls))

def outcome(client, tls):
    try:
        while octets := tls.recv(65536):
            for event in client.receive_data(octets):
                if isinstance(event, h2.events.ResponseReceived):
                    return dict(event.headers)[b":status"]
                if isinstance(event, (h2.events.StreamReset, h2.events.ConnectionTerminated)):
                    return b"reset"
    except (OSError, h2.exceptions.ProtocolError):
        pass
    return b"reset"
"#;

/// Calls in Python, and whether each goes through.
const CALLS: &[(&str, bool)] = &[
    ("ask()", true),
    (
        "ask({b':method': b'POST'}, [(b'content-length', b'4')], b'body')",
        true,
    ),
    ("ask({b':authority': b'evil.test'})", false),
    ("ask({b':authority': b'api.acme.test:8443'})", false),
    ("ask({b':authority': b'api.acme.test@evil.test'})", false),
    ("ask({b':authority': None})", false),
    ("ask({}, [(b'host', b'evil.test')])", false),
    ("ask({}, [(b':authority', b'evil.test')])", false),
    ("ask({b':scheme': b'http'})", false),
    ("ask({b':path': b'/closed'})", false),
    ("ask({b':path': b'/open/../closed'})", false),
    ("ask({b':path': b'/open/..%2fclosed'})", false),
    ("ask({b':path': b'/open/%252e%252e/closed'})", false),
    ("ask({b':path': b'https://evil.test/open/a'})", false),
    ("ask({b':path': b''})", false),
    (
        "ask({b':path': b'/open/a HTTP/1.1\\r\\nHost: evil.test'})",
        false,
    ),
    ("ask({b':method': b'DELETE'})", false),
    ("ask({b':method': b'GET / HTTP/1.1\\r\\n'})", false),
    (
        "ask({b':method': b'CONNECT', b':scheme': None, b':path': None})",
        false,
    ),
    ("ask({}, [(b'transfer-encoding', b'chunked')])", false),
    ("ask({}, [(b'connection', b'close')])", false),
    ("ask({}, [(b'upgrade', b'websocket')])", false),
    ("ask({}, [(b'x-a', b'b\\r\\nauthorization: mine')])", false),
    ("ask({}, [(b'x-a', b'b\\x00')])", false),
    ("ask({}, [(b'X-Upper', b'b')])", false),
    (
        "ask({b':method': b'POST'}, [(b'content-length', b'9')], b'body')",
        false,
    ),
    (
        "ask({b':method': b'POST'}, [(b'content-length', b'0')], b'GET /closed HTTP/1.1\\r\\n\\r\\n')",
        false,
    ),
    ("ask({}, [(b'x-large', b'a' * 200_000)])", false),
];

#[test]
fn frames_that_mean_something_else_upstream_are_refused() {
    let mut desk = Desk::new();
    let api = desk.api("api.acme.test", echo);
    desk.acme("methods: [GET, POST], paths: [\"/open/**\"]");
    let calls: Vec<&str> = CALLS.iter().map(|(call, _)| *call).collect();
    let ended = desk
        .host
        .run()
        .profile("api")
        .python(&format!("{SEND}{}\n", calls.join("\n")));
    assert_eq!(ended.code, 0, "{ended}");
    let answers: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(answers.len(), CALLS.len(), "{ended}");
    for ((call, passes), answer) in CALLS.iter().zip(answers) {
        let is_refused = answer == "reset" || answer.starts_with('4');
        assert_eq!(!is_refused, *passes, "{call}: {answer}: {ended}");
    }
    let arrived: Vec<String> = api.requests().iter().map(|it| it.path.clone()).collect();
    assert!(arrived.iter().all(|path| path == "/open/a"), "{arrived:?}");
    // One of those with a body that is not as long as it says may arrive as far as it came; nothing else does.
    assert!((2..=4).contains(&arrived.len()), "{arrived:?}");
    for request in api.requests() {
        let host = request.header("host");
        assert_eq!(host, Some("api.acme.test"), "{request:?}");
    }
}
