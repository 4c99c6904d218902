use super::*;
use crate::limits::ASKED_OCTETS;

fn frame(text: &str) -> Frame {
    Frame::read(text.as_bytes(), ASKED_OCTETS).unwrap()
}

fn asked(method: &str, params: &str) -> Result<Asked, AskError> {
    let era = match method {
        "subscriptions/listen" => Era::Stateless,
        _ => Era::Sessions,
    };
    let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
    of_client(&frame(&text), era)
}

#[test]
fn what_an_era_has_not_is_not_found_there() {
    for (method, params, era) in [
        ("initialize", "{}", Era::Stateless),
        ("ping", "{}", Era::Stateless),
        ("resources/subscribe", "{}", Era::Stateless),
        ("server/discover", "{}", Era::Sessions),
        ("subscriptions/listen", "{}", Era::Sessions),
    ] {
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
        let error = of_client(&frame(&text), era).unwrap_err();
        assert_eq!(error.code, code::METHOD_NOT_FOUND, "{method}");
    }
}

#[test]
fn a_message_is_about_what_it_names() {
    for (method, params, verb, targets) in [
        (
            "tools/call",
            r#"{"name":"a","arguments":{}}"#,
            McpVerb::CallTool,
            vec!["a"],
        ),
        (
            "resources/read",
            r#"{"uri":"file:///a"}"#,
            McpVerb::ReadResource,
            vec!["file:///a"],
        ),
        (
            "prompts/get",
            r#"{"name":"p"}"#,
            McpVerb::GetPrompt,
            vec!["p"],
        ),
        (
            "completion/complete",
            r#"{"ref":{"type":"ref/prompt","name":"p"},"argument":{}}"#,
            McpVerb::Complete,
            vec!["prompt p"],
        ),
        (
            "completion/complete",
            r#"{"ref":{"type":"ref/resource","uri":"x://{a}"},"argument":{}}"#,
            McpVerb::Complete,
            vec!["resource x://{a}"],
        ),
        (
            "subscriptions/listen",
            r#"{"notifications":{"resourceSubscriptions":["x://a","x://b"]}}"#,
            McpVerb::Listen,
            vec!["x://a", "x://b"],
        ),
        ("tools/list", "{}", McpVerb::ListTools, vec![]),
        ("ping", "{}", McpVerb::Talk, vec![]),
    ] {
        let asked = asked(method, params).unwrap();
        assert_eq!(
            (asked.verb, asked.targets),
            (verb, targets.into_iter().map(str::to_owned).collect()),
            "{method}"
        );
    }
}

#[test]
fn what_is_not_known_or_not_said_is_refused() {
    for (method, params, code) in [
        ("tools/delete", "{}", code::METHOD_NOT_FOUND),
        ("Tools/Call", r#"{"name":"a"}"#, code::METHOD_NOT_FOUND),
        ("sampling/createMessage", "{}", code::METHOD_NOT_FOUND),
        ("notifications/initialized", "{}", code::METHOD_NOT_FOUND),
        ("tools/call", "{}", code::INVALID_PARAMS),
        ("tools/call", r#"{"name":7}"#, code::INVALID_PARAMS),
        (
            "tools/call",
            r#"{"name":"a","arguments":"x"}"#,
            code::INVALID_PARAMS,
        ),
        (
            "tools/call",
            r#"{"name":"a","arguments":null}"#,
            code::INVALID_PARAMS,
        ),
        (
            "prompts/get",
            r#"{"name":"a","arguments":[1]}"#,
            code::INVALID_PARAMS,
        ),
        ("tools/call", r#"{"name":""}"#, code::INVALID_PARAMS),
        (
            "tools/call",
            "{\"name\":\"a\u{200b}\"}",
            code::INVALID_PARAMS,
        ),
        (
            "resources/read",
            r#"{"uri":"file:///docs/../etc/passwd"}"#,
            code::INVALID_PARAMS,
        ),
        (
            "resources/read",
            r#"{"uri":"file:///docs/%2e%2e/etc"}"#,
            code::INVALID_PARAMS,
        ),
        (
            "resources/read",
            r#"{"uri":"file:///docs\\..\\etc"}"#,
            code::INVALID_PARAMS,
        ),
        (
            "completion/complete",
            r#"{"ref":{"type":"ref/other","name":"p"}}"#,
            code::INVALID_PARAMS,
        ),
        (
            "subscriptions/listen",
            r#"{"notifications":{"resourceSubscriptions":[1]}}"#,
            code::INVALID_PARAMS,
        ),
    ] {
        assert_eq!(
            asked(method, params).unwrap_err().code,
            code,
            "{method} {params}"
        );
    }
    let request = frame(r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"a"}}"#);
    assert_eq!(
        of_client(&request, Era::Sessions).unwrap_err().code,
        code::METHOD_NOT_FOUND
    );
}

fn stateless(meta: &str) -> Frame {
    frame(&format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"caf\u00e9","_meta":{{{meta}}}}}}}"#
    ))
}

const META: &str = r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}"#;

const GOOD: Headers<'static> = Headers {
    versions: &["2026-07-28"],
    methods: &["tools/call"],
    names: &["=?base64?Y2Fmw6k=?="],
};

#[test]
fn headers_say_what_the_message_says() {
    assert_eq!(
        version(&stateless(META), GOOD, None).unwrap(),
        Version::LATEST
    );
    for (headers, code) in [
        (
            Headers {
                methods: &["tools/list"],
                ..GOOD
            },
            code::HEADER_MISMATCH,
        ),
        (
            Headers {
                methods: &[],
                ..GOOD
            },
            code::HEADER_MISMATCH,
        ),
        (
            Headers {
                methods: &["tools/call", "tools/call"],
                ..GOOD
            },
            code::HEADER_MISMATCH,
        ),
        (Headers { names: &[], ..GOOD }, code::HEADER_MISMATCH),
        (
            Headers {
                names: &["other"],
                ..GOOD
            },
            code::HEADER_MISMATCH,
        ),
        (
            Headers {
                names: &["=?base64?b3RoZXI=?="],
                ..GOOD
            },
            code::HEADER_MISMATCH,
        ),
        (
            Headers {
                names: &["=?base64?!?="],
                ..GOOD
            },
            code::HEADER_MISMATCH,
        ),
        (
            Headers {
                versions: &[],
                ..GOOD
            },
            code::HEADER_MISMATCH,
        ),
        (
            Headers {
                versions: &["2025-11-25"],
                ..GOOD
            },
            code::HEADER_MISMATCH,
        ),
        (
            Headers {
                versions: &["2099-01-01"],
                ..GOOD
            },
            code::UNSUPPORTED_VERSION,
        ),
    ] {
        let error = version(&stateless(META), headers, None).unwrap_err();
        assert_eq!(error.code, code, "{headers:?}");
    }
}

#[test]
fn the_message_says_its_version_itself() {
    const OTHER: &str = r#""io.modelcontextprotocol/protocolVersion":"2025-11-25""#;
    for (meta, code) in [("", code::INVALID_PARAMS), (OTHER, code::HEADER_MISMATCH)] {
        let error = version(&stateless(meta), GOOD, None).unwrap_err();
        assert_eq!(error.code, code, "{meta}");
    }
}

#[test]
fn a_session_speaks_one_version() {
    let ping = frame(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#);
    let said = |text| Headers {
        versions: text,
        ..Headers::default()
    };
    let session = Version::read("2025-11-25");
    assert_eq!(
        version(&ping, said(&["2025-11-25"]), session)
            .unwrap()
            .as_str(),
        "2025-11-25"
    );
    assert_eq!(
        version(&ping, said(&[]), session).unwrap().as_str(),
        "2025-11-25"
    );
    assert!(version(&ping, said(&["2025-06-18"]), session).is_err());
    assert_eq!(version(&ping, said(&[]), None).unwrap(), Version::UNSAID);
}

#[test]
fn what_is_no_method_is_in_no_header() {
    let odd = frame("{\"jsonrpc\":\"2.0\",\"method\":\"n\u{7f}tify\"}");
    assert_eq!(headers(&odd, Some(Version::LATEST)).len(), 1);
}

#[test]
fn headers_are_written_from_the_message() {
    let written = headers(&stateless(META), Some(Version::LATEST));
    assert_eq!(
        written,
        [
            ("mcp-protocol-version", "2026-07-28".to_owned()),
            ("mcp-method", "tools/call".to_owned()),
            ("mcp-name", "=?base64?Y2Fmw6k=?=".to_owned()),
        ]
    );
    for value in ["plain name", " blank", "=?base64?x?=", "é", "tab\t", ""] {
        assert_eq!(decoded(&encoded(value)).unwrap(), value);
        assert!(encoded(value).bytes().all(|b| (0x20..=0x7e).contains(&b)));
    }
}

#[test]
fn what_a_server_asks_for_within_a_result_is_read_as_if_it_came_alone() {
    let read = |requests: &str| {
        let answer = frame(&format!(
            r#"{{"jsonrpc":"2.0","id":1,"result":{{"resultType":"input_required","inputRequests":{requests}}}}}"#
        ));
        inputs(answer.result().unwrap()).map(|all| {
            all.into_iter()
                .map(|(_, it)| (it.verb, it.targets))
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(
        read(r#"{"a":{"method":"elicitation/create","params":{"mode":"url","url":"https://x.test/y"}},"b":{"method":"roots/list"}}"#).unwrap(),
        [(McpVerb::Elicit, vec!["https://x.test/y".to_owned()]), (McpVerb::ListRoots, vec![])]
    );
    for odd in [
        r#"{"a":{"method":"tools/call"}}"#,
        r#"{"a":{}}"#,
        r#"[1]"#,
        r#"{"a":{"method":"elicitation/create","params":{"url":"https://x.test"}}}"#,
    ] {
        assert!(read(odd).is_err(), "{odd}");
    }
}
