//! What a request says about its connection and its length, and the limits of a head.

use super::*;
use crate::wire::limits::{
    HTTP_CONNECTION_OPTIONS, HTTP_FIELD_NAME_OCTETS, HTTP_FIELDS, HTTP_HEAD_OCTETS,
    HTTP_METHOD_OCTETS, HTTP_START_LINE_OCTETS,
};

const HOST: &str = "Host: a.example";
const GET: &str = "GET / HTTP/1.1";
const POST: &str = "POST / HTTP/1.1";

#[test]
fn reads_how_the_body_is_delimited() {
    for (field, expected) in [
        ("X: y", BodyKind::None),
        ("Content-Length: 0", BodyKind::Length(0)),
        ("content-length:\t0042 ", BodyKind::Length(42)),
        (
            "Content-Length: 999999999999999999",
            BodyKind::Length(999_999_999_999_999_999),
        ),
        ("Transfer-Encoding: chunked", BodyKind::Chunked),
        ("tRANSFER-eNCODING: \tChunked ", BodyKind::Chunked),
    ] {
        assert_eq!(
            request(&[POST, HOST, field]).unwrap().body,
            expected,
            "{field}"
        );
    }
}

#[test]
fn refuses_lengths_that_servers_disagree_on() {
    for value in [
        "",
        "+3",
        "-3",
        "3, 3",
        "3,4",
        "0x3",
        "3 3",
        "3;",
        "3.0",
        "1e3",
        "\u{663}",
        "18446744073709551616",
        "1000000000000000000",
        "٣",
    ] {
        let field = format!("Content-Length: {value}");
        assert_eq!(
            request_error(&[POST, HOST, &field]),
            HttpError::ContentLength,
            "{value:?}"
        );
    }
    let three = "Content-Length: 3";
    assert_eq!(
        request_error(&[POST, HOST, three, three]),
        HttpError::ContentLength
    );
    assert_eq!(
        request_error(&[POST, HOST, three, "CONTENT-LENGTH: 4"]),
        HttpError::ContentLength
    );
}

#[test]
fn refuses_codings_that_servers_disagree_on() {
    for value in [
        "",
        "identity",
        "gzip",
        "gzip, chunked",
        "chunked, gzip",
        "chunked, chunked",
        "chunkedx",
        "xchunked",
        "chunked;q=1",
        "\"chunked\"",
        "chunked,",
        ",chunked",
        "chun ked",
        "chunked\u{b}",
    ] {
        let field = format!("Transfer-Encoding: {value}");
        let expected = match value {
            "chunked\u{b}" => HttpError::HeaderValue,
            _ => HttpError::TransferEncoding,
        };
        assert_eq!(request_error(&[POST, HOST, &field]), expected, "{value:?}");
    }
    let chunked = "Transfer-Encoding: chunked";
    assert_eq!(
        request_error(&[POST, HOST, chunked, chunked]),
        HttpError::TransferEncoding
    );
    let identity = "Transfer-Encoding: identity";
    assert_eq!(
        request_error(&[POST, HOST, chunked, identity]),
        HttpError::TransferEncoding
    );
    let old = "POST / HTTP/1.0";
    assert_eq!(
        request_error(&[old, HOST, chunked]),
        HttpError::TransferEncoding
    );
}

#[test]
fn refuses_length_and_coding_together_in_either_order() {
    let length = "Content-Length: 3";
    let chunked = "Transfer-Encoding: chunked";
    for fields in [[length, chunked], [chunked, length]] {
        let found = request_error(&[POST, HOST, fields[0], fields[1]]);
        assert_eq!(found, HttpError::ConflictingLength);
    }
}

#[test]
fn refuses_a_second_field_where_servers_take_either() {
    for (first, second) in [
        ("Content-Type: application/json", "content-type: text/plain"),
        ("Content-Type: application/json", "Content_Type: text/plain"),
        ("Content-Encoding: identity", "Content-Encoding: gzip"),
        ("Authorization: Basic eDp5", "Authorization: Bearer x"),
        ("Content-Location: /a", "Content-Location: /a"),
    ] {
        let found = request_error(&[POST, HOST, first, "X: y", second]);
        assert_eq!(found, HttpError::Repeated, "{second}");
        assert!(request(&[POST, HOST, first]).is_ok());
    }
}

#[test]
fn refuses_a_body_with_connect() {
    let connect = "CONNECT a.example:443 HTTP/1.1";
    for field in ["Content-Length: 3", "Transfer-Encoding: chunked"] {
        assert_eq!(
            request_error(&[connect, HOST, field]),
            HttpError::UnexpectedBody
        );
    }
    assert!(request(&[connect, HOST, "Content-Length: 0"]).is_ok());
}

#[test]
fn takes_out_what_concerns_this_connection_only() {
    let head = request(&[
        GET,
        "X-First: 1",
        HOST,
        "Connection: keep-alive, X-Secret ,,TE",
        "X-Secret: 1",
        "Keep-Alive: timeout=5",
        "Proxy-Connection: keep-alive",
        "proxy-authorization: Basic eDp5",
        "Proxy-Anything: x",
        "TE: trailers",
        "Trailer: X-Sum",
        "HTTP2-Settings: AAA",
        "x-SECRET: 2",
        "X-Last: 1",
    ]);
    assert_eq!(names(&head.unwrap().headers), ["X-First", "X-Last"]);
}

#[test]
fn refuses_to_drop_fields_that_are_not_hop_by_hop() {
    for option in [
        "Host",
        "content-length",
        "Transfer-Encoding",
        "Authorization",
        "Cookie",
        "Connection",
        "Expect",
        "Content_Length",
        "Cache-Control",
        "Content-Type",
        "Range",
    ] {
        let field = format!("Connection: close, {option}");
        assert_eq!(
            request_error(&[GET, HOST, &field]),
            HttpError::Connection,
            "{option}"
        );
    }
    for value in ["a b", "\u{e9}", "\"close\"", "a/b"] {
        let field = format!("Connection: {value}");
        assert_eq!(
            request_error(&[GET, HOST, &field]),
            HttpError::Connection,
            "{value}"
        );
    }
}

#[test]
fn knows_whether_the_connection_stays_open() {
    for (version, connection, expected) in [
        ("1.1", "X: y", true),
        ("1.1", "Connection: keep-alive", true),
        ("1.1", "Connection: Close", false),
        ("1.1", "Connection: keep-alive, close", false),
        ("1.0", "X: y", false),
        ("1.0", "Connection: Keep-Alive", true),
        ("1.0", "Connection: close, keep-alive", false),
    ] {
        let line = format!("GET / HTTP/{version}");
        let head = request(&[&line, HOST, connection]).unwrap();
        assert_eq!(head.keep_alive, expected, "{version} {connection}");
    }
}

#[test]
fn understands_one_expectation() {
    let field = "Expect: 100-Continue";
    assert!(request(&[POST, HOST, field]).unwrap().expect_continue);
    let old = request(&["POST / HTTP/1.0", HOST, field]).unwrap();
    assert!(!old.expect_continue);
    let found = request_error(&[POST, HOST, "Expect: 200-ok"]);
    assert_eq!((found, found.status()), (HttpError::Expectation, 417));
}

#[test]
fn holds_heads_to_their_limits() {
    let line = |length: usize| format!("GET /{} HTTP/1.1", "a".repeat(length - 14));
    assert!(request(&[&line(HTTP_START_LINE_OCTETS - 1), HOST]).is_ok());
    let overlong = line(HTTP_START_LINE_OCTETS + 1);
    assert_eq!(
        request_error(&[&overlong, HOST]),
        HttpError::StartLineTooLong
    );
    let endless = vec![b'a'; HTTP_START_LINE_OCTETS + 1];
    assert_eq!(read_request(&endless), Err(HttpError::StartLineTooLong));

    let rest = joined(&[GET, HOST, "X: "]).len();
    let value = |length: usize| format!("X: {}", "a".repeat(length - rest));
    assert!(request(&[GET, HOST, &value(HTTP_HEAD_OCTETS)]).is_ok());
    let overlong = joined(&[GET, HOST, &value(HTTP_HEAD_OCTETS + 1)]);
    assert_eq!(read_request(&overlong), Err(HttpError::HeadTooLong));
    let early = read_request(&overlong[..HTTP_HEAD_OCTETS]);
    assert_eq!(early, Err(HttpError::HeadTooLong));

    let mut lines = vec![GET, HOST];
    lines.extend([&"X: y"; HTTP_FIELDS]);
    assert!(request(&lines).is_ok());
    lines.push("X: y");
    assert_eq!(request_error(&lines), HttpError::HeadTooLong);

    let name = "n".repeat(HTTP_FIELD_NAME_OCTETS);
    assert!(request(&[GET, HOST, &format!("{name}: y")]).is_ok());
    assert_eq!(
        request_error(&[GET, HOST, &format!("{name}n: y")]),
        HttpError::HeadTooLong
    );

    let method = "M".repeat(HTTP_METHOD_OCTETS);
    assert!(request(&[&format!("{method} / HTTP/1.1"), HOST]).is_ok());
    assert_eq!(
        request_error(&[&format!("{method}M / HTTP/1.1"), HOST]),
        HttpError::Method
    );

    let options = |count: usize| format!("Connection: {}", vec!["x"; count].join(","));
    assert!(request(&[GET, HOST, &options(HTTP_CONNECTION_OPTIONS)]).is_ok());
    let many = options(HTTP_CONNECTION_OPTIONS + 1);
    assert_eq!(request_error(&[GET, HOST, &many]), HttpError::Connection);
}

#[test]
fn adds_only_sound_end_to_end_fields_by_hand() {
    let mut headers = Headers::default();
    headers.push("Authorization", b" Bearer x ").unwrap();
    headers.push("X-A", b"1").unwrap();
    headers.push("x-a", b"2").unwrap();
    assert_eq!(headers.get("authorization"), Some(&b"Bearer x"[..]));
    for name in [
        "Host",
        "content-length",
        "Transfer-Encoding",
        "Connection",
        "Expect",
        "Upgrade",
        "transfer_encoding",
        "",
        "a b",
        "a:",
        "a\r\nb",
    ] {
        assert_eq!(
            headers.push(name, b"x"),
            Err(HttpError::HeaderName),
            "{name:?}"
        );
    }
    for value in [&b"a\r\nb: c"[..], b"\0", b"\n"] {
        assert_eq!(headers.push("X", value), Err(HttpError::HeaderValue));
    }
    assert!(headers.remove("X-A") && !headers.remove("X-A"));
    assert_eq!(names(&headers), ["Authorization"]);
    assert!(!format!("{headers:?}").contains("Bearer"));
}
