//! What is written from a head reads back as that head, so that the peer sees what was
//! decided on.

use proptest::prelude::*;

use super::*;

fn written(head: &RequestHead, form: TargetForm) -> String {
    let mut wire = Vec::new();
    write_request(head, form, &mut wire);
    String::from_utf8(wire).unwrap()
}

#[test]
fn writes_a_request_from_what_was_understood() {
    let lines = [
        "POST http://A.example:8080/%7euser?q=%41 HTTP/1.0",
        "x-oDD:   v  ",
        "connection: x-drop, close",
        "X-Drop: 1",
        "host: a.EXAMPLE.:8080",
        "content-length: 007",
    ];
    let head = request(&lines).unwrap();
    let rest = "HTTP/1.1\r\nHost: a.example:8080\r\nx-oDD: v\r\n\
                Content-Length: 7\r\nConnection: close\r\n\r\n";
    let expected = format!("POST /~user?q=%41 {rest}");
    assert_eq!(written(&head, TargetForm::Origin), expected);
    let expected = format!("POST http://a.example:8080/~user?q=%41 {rest}");
    assert_eq!(written(&head, TargetForm::Absolute), expected);
}

#[test]
fn writes_the_special_forms_as_they_are() {
    let head = request(&[
        "CONNECT [2001:DB8::1]:443 HTTP/1.1",
        "Host: [2001:db8::1]:443",
    ])
    .unwrap();
    let expected = "CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\n\r\n";
    assert_eq!(written(&head, TargetForm::Origin), expected);
    let head = request(&[
        "OPTIONS * HTTP/1.1",
        "Host: a.example",
        "Expect: 100-continue",
    ])
    .unwrap();
    let expected = "OPTIONS * HTTP/1.1\r\nHost: a.example\r\nExpect: 100-continue\r\n\r\n";
    assert_eq!(written(&head, TargetForm::Absolute), expected);
}

#[test]
fn writes_a_response_from_what_was_understood() {
    for (method, lines, expected) in [
        (
            "GET",
            &["HTTP/1.0 200 Fine", "a: b", "Content-Length: 03"][..],
            "HTTP/1.1 200 Fine\r\na: b\r\nContent-Length: 3\r\nConnection: close\r\n\r\n",
        ),
        (
            "GET",
            &["HTTP/1.1 200", "Transfer-Encoding: CHUNKED"],
            "HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n",
        ),
        (
            "HEAD",
            &["HTTP/1.1 200 OK", "Content-Length: 3"],
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n",
        ),
        (
            "GET",
            &["HTTP/1.1 204 No Content", "Content-Length: 3"],
            "HTTP/1.1 204 No Content\r\n\r\n",
        ),
        (
            "GET",
            &["HTTP/1.0 100 Continue"],
            "HTTP/1.1 100 Continue\r\n\r\n",
        ),
        (
            "GET",
            &["HTTP/1.1 200 OK"],
            "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
        ),
    ] {
        let mut wire = Vec::new();
        write_response(&response(method, lines).unwrap(), &mut wire);
        assert_eq!(String::from_utf8(wire).unwrap(), expected);
    }
}

fn target() -> impl Strategy<Value = String> {
    let path = "(/[a-z%4.~;]{0,4}(%7e|%20|%c3%a9)?){1,4}";
    let query = "(\\?[a-z=&%4/]{0,8})?";
    let authority = "[a-z]{1,5}\\.(example|EXAMPLE)";
    prop_oneof![
        (path, query).prop_map(|(path, query)| format!("{path}{query}")),
        (authority, path, query).prop_map(|(a, path, query)| format!("http://{a}{path}{query}")),
        Just("*".to_owned()),
        authority.prop_map(|authority| format!("{authority}:443")),
    ]
}

fn fields() -> impl Strategy<Value = Vec<String>> {
    let field = prop_oneof![
        "X-[a-zA-Z]{1,4}:[ \t]{0,2}[ -~é]{0,10}",
        Just("Content-Length: 12".to_owned()),
        Just("Transfer-Encoding: chunked".to_owned()),
        Just("Connection: close, X-a".to_owned()),
        Just("Connection: keep-alive".to_owned()),
        Just("Expect: 100-continue".to_owned()),
        Just("TE: trailers".to_owned()),
    ];
    proptest::collection::vec(field, 0..5)
}

proptest! {
    #[test]
    fn a_written_request_reads_back_the_same(
        method in prop_oneof![Just("GET"), Just("OPTIONS"), Just("CONNECT")],
        target in target(),
        fields in fields(),
        version in 0..2u8,
    ) {
        let host = target
            .strip_prefix("http://")
            .and_then(|rest| rest.split(['/', '?']).next())
            .or_else(|| target.strip_suffix(":443"))
            .unwrap_or("a.example");
        let mut lines = vec![format!("{method} {target} HTTP/1.{version}")];
        lines.push(format!("Host: {host}"));
        lines.extend(fields);
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        if let Ok(head) = request(&lines) {
            for form in [TargetForm::Origin, TargetForm::Absolute] {
                let mut wire = Vec::new();
                write_request(&head, form, &mut wire);
                let again = read_whole_request(&wire).unwrap();
                prop_assert_eq!(again.target.path(), head.target.path());
                prop_assert_eq!(again.target.query(), head.target.query());
                let expected = RequestHead {
                    target: again.target.clone(),
                    version: Version::Http11,
                    ..head.clone()
                };
                prop_assert_eq!(&again, &expected);
                let mut twice = Vec::new();
                write_request(&again, form, &mut twice);
                prop_assert_eq!(twice, wire);
            }
        }
    }

    #[test]
    fn a_written_response_reads_back_the_same(
        method in prop_oneof![Just("GET"), Just("HEAD"), Just("CONNECT")],
        status in 100..600u16,
        reason in "( [ -~é]{0,8})?",
        fields in fields(),
        version in 0..2u8,
    ) {
        let mut lines = vec![format!("HTTP/1.{version} {status}{reason}")];
        lines.extend(fields);
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        if let Ok(head) = response(method, &lines) {
            let mut wire = Vec::new();
            write_response(&head, &mut wire);
            let (again, length) = read_response(&wire, method).unwrap().unwrap();
            prop_assert_eq!(length, wire.len());
            let expected = ResponseHead {
                version: Version::Http11,
                keep_alive: head.keep_alive || head.is_interim(),
                ..head
            };
            prop_assert_eq!(again, expected);
        }
    }
}
