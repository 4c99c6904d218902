//! Response heads.

use super::*;

const OK: &str = "HTTP/1.1 200 OK";

fn error(lines: &[&str]) -> HttpError {
    match response("GET", lines) {
        Err(error) => error,
        Ok(head) => panic!("{lines:?} was read as {head:?}"),
    }
}

#[test]
fn reads_a_response_at_every_split() {
    let lines = ["HTTP/1.1 404 Not Found", "Server: x", "Content-Length: 5"];
    let wire = [&joined(&lines)[..], b"body\n"].concat();
    let length = wire.len() - 5;
    let mut reader = ResponseReader::new("GET");
    for end in 0..length {
        assert_eq!(read_response(&wire[..end], "GET"), Ok(None));
        assert_eq!(reader.read(&wire[..end]), Ok(None));
    }
    let (head, used) = reader.read(&wire).unwrap().unwrap();
    assert_eq!(used, length);
    assert_eq!((head.status, head.reason.as_str()), (404, "Not Found"));
    assert_eq!(head.body, BodyKind::Length(5));
    assert_eq!(names(&head.headers), ["Server"]);
    assert!(head.keep_alive);
}

#[test]
fn knows_which_responses_have_a_body() {
    let length = "Content-Length: 5";
    let chunked = "Transfer-Encoding: chunked";
    for (method, status, field, expected) in [
        ("GET", "200", length, BodyKind::Length(5)),
        ("GET", "200", chunked, BodyKind::Chunked),
        ("GET", "200", "X: y", BodyKind::UntilClose),
        ("POST", "404", "X: y", BodyKind::UntilClose),
        ("HEAD", "200", length, BodyKind::None),
        ("HEAD", "200", chunked, BodyKind::None),
        ("HEAD", "404", "X: y", BodyKind::None),
        ("GET", "204", length, BodyKind::None),
        ("GET", "204", "X: y", BodyKind::None),
        ("GET", "304", length, BodyKind::None),
        ("GET", "100", "X: y", BodyKind::None),
        ("GET", "103", "X: y", BodyKind::None),
        ("CONNECT", "200", length, BodyKind::None),
        ("CONNECT", "200", "X: y", BodyKind::None),
        ("CONNECT", "407", length, BodyKind::Length(5)),
        ("head", "200", length, BodyKind::Length(5)),
    ] {
        let head = response(method, &[&format!("HTTP/1.1 {status} x"), field]).unwrap();
        assert_eq!(head.body, expected, "{method} {status} {field}");
        assert_eq!(head.keep_alive, expected != BodyKind::UntilClose);
    }
}

#[test]
fn keeps_the_length_of_a_body_that_is_not_sent() {
    let length = "Content-Length: 5";
    for (method, line, expected) in [
        ("HEAD", OK, Some(5)),
        ("GET", "HTTP/1.1 304 Not Modified", Some(5)),
        ("HEAD", "HTTP/1.1 204 No Content", None),
        ("GET", "HTTP/1.1 204 No Content", None),
        ("GET", OK, None),
    ] {
        let head = response(method, &[line, length]).unwrap();
        assert_eq!(head.content_length, expected, "{method} {line}");
    }
}

#[test]
fn refuses_what_no_status_line_is() {
    for (line, expected) in [
        ("HTTP/1.1", HttpError::StartLine),
        ("HTTP/1.1  200 OK", HttpError::Status),
        ("HTTP/1.1 20 OK", HttpError::Status),
        ("HTTP/1.1 2000 OK", HttpError::Status),
        ("HTTP/1.1 099 x", HttpError::Status),
        ("HTTP/1.1 600 x", HttpError::Status),
        ("HTTP/1.1 +20 x", HttpError::Status),
        ("HTTP/1.1 2", HttpError::Status),
        ("HTTP/1.1\t200 OK", HttpError::StartLine),
        ("HTTP/2.0 200 OK", HttpError::Version),
        ("HTTP/0.9 200 OK", HttpError::Version),
        ("ICY 200 OK", HttpError::StartLine),
        ("http/1.1 200 OK", HttpError::StartLine),
        ("HTTP/1.1 200 O\0K", HttpError::LineEnding),
        ("HTTP/1.1 200 O\rK", HttpError::LineEnding),
        ("HTTP/1.1 200 O\x1b[2J", HttpError::LineEnding),
        (
            "HTTP/1.1 101 Switching Protocols",
            HttpError::SwitchingProtocols,
        ),
    ] {
        assert_eq!(error(&[line]), expected, "{line:?}");
    }
    let bare = read_response(b"HTTP/1.1 200 OK\nX: y\n\n", "GET");
    assert_eq!(bare, Err(HttpError::LineEnding));
}

#[test]
fn drops_a_reason_that_is_not_plain_text() {
    for line in [
        "HTTP/1.1 200",
        "HTTP/1.1 200 ",
        "HTTP/1.1 200 \u{fc}",
        "HTTP/1.0 200 a\tb",
    ] {
        assert_eq!(response("GET", &[line]).unwrap().reason, "", "{line:?}");
    }
}

#[test]
fn refuses_ambiguous_framing() {
    let length = "Content-Length: 5";
    let chunked = "Transfer-Encoding: chunked";
    for (lines, expected) in [
        (&[OK, length, length][..], HttpError::ContentLength),
        (&[OK, "Content-Length: 5, 5"], HttpError::ContentLength),
        (&[OK, length, chunked], HttpError::ConflictingLength),
        (&[OK, chunked, chunked], HttpError::TransferEncoding),
        (
            &[OK, "Transfer-Encoding: gzip, chunked"],
            HttpError::TransferEncoding,
        ),
        (
            &[OK, "Transfer-Encoding: identity"],
            HttpError::TransferEncoding,
        ),
        (&["HTTP/1.0 200 OK", chunked], HttpError::TransferEncoding),
        (
            &["HTTP/1.1 204 x", length, chunked],
            HttpError::ConflictingLength,
        ),
        (&[OK, "X : y"], HttpError::HeaderName),
        (&[OK, " X: y"], HttpError::ObsoleteFold),
    ] {
        assert_eq!(error(lines), expected, "{lines:?}");
    }
}

#[test]
fn takes_out_what_concerns_the_upstream_connection_only() {
    let lines = [
        OK,
        "Connection: Upgrade, X-Hop",
        "Upgrade: h2,h2c",
        "X-Hop: 1",
        "Keep-Alive: timeout=5",
        "Proxy-Authenticate: Basic",
        "Trailer: X",
        "Set-Cookie: a",
        "Set-Cookie: b",
    ];
    let head = response("GET", &lines).unwrap();
    assert_eq!(names(&head.headers), ["Set-Cookie", "Set-Cookie"]);
}

#[test]
fn fits_the_framing_to_the_client() {
    for (body, version, expected) in [
        (BodyKind::UntilClose, Version::Http11, BodyKind::Chunked),
        (BodyKind::UntilClose, Version::Http10, BodyKind::UntilClose),
        (BodyKind::Chunked, Version::Http10, BodyKind::UntilClose),
        (BodyKind::Chunked, Version::Http11, BodyKind::Chunked),
        (BodyKind::Length(3), Version::Http10, BodyKind::Length(3)),
        (BodyKind::None, Version::Http11, BodyKind::None),
    ] {
        for keep_alive in [true, false] {
            let mut head = response("GET", &[OK]).unwrap();
            head.body = body;
            head.adapt(version, keep_alive);
            assert_eq!(head.body, expected);
            assert_eq!(head.keep_alive, keep_alive && version == Version::Http11);
        }
    }
}
