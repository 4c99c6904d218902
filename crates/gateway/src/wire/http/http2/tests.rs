//! Heads of HTTP/2 requests, as the library hands them over.

use ::http::Request;

use super::*;

fn parts(method: &str, uri: &str, fields: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn read(method: &str, uri: &str, fields: &[(&str, &str)]) -> Result<(String, Parts), HttpError> {
    let mut parts = parts(method, uri, fields);
    let authority = read_http2(&mut parts, Scheme::Https)?;
    Ok((authority.to_string(), parts))
}

#[test]
fn a_head_is_left_in_origin_form_without_what_speaks_about_the_connection() {
    let fields = [
        ("host", "API.test:443"),
        ("cookie", "a=1"),
        ("cookie", "b=2"),
        ("te", "trailers"),
        ("keep-alive", "x"),
        ("proxy-connection", "x"),
        ("expect", "100-continue"),
        ("content-length", "3"),
        ("x", "1"),
        ("x", "2"),
    ];
    let (authority, parts) = read("GET", "https://api.test:443/%7e?a=%2F", &fields).unwrap();
    assert_eq!(authority, "api.test:443");
    assert_eq!(parts.uri, "/~?a=%2F");
    let mut left: Vec<_> = parts.headers.iter().collect();
    left.sort_by_key(|(name, _)| name.as_str());
    let left: Vec<_> = left
        .into_iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    let expected = [
        "content-length: 3",
        "cookie: a=1; b=2",
        "te: trailers",
        "x: 1",
        "x: 2",
    ];
    assert_eq!(left, expected);
    let (_, parts) = read("OPTIONS", "https://api.test", &[]).unwrap();
    assert_eq!(parts.uri, "/");
}

#[test]
fn what_is_no_request_for_one_place_is_refused() {
    for (method, uri, fields, error) in REFUSED {
        let refused = read(method, uri, fields).map(|(authority, _)| authority);
        assert_eq!(refused, Err(*error), "{method} {uri} {fields:?}");
    }
    let long = format!("https://api.test/{}", "a".repeat(HTTP_START_LINE_OCTETS));
    assert_eq!(
        read("GET", &long, &[]).err(),
        Some(HttpError::StartLineTooLong)
    );
}

type Case = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
    HttpError,
);

const REFUSED: &[Case] = &[
    ("CONNECT", "api.test:443", &[], HttpError::Method),
    ("CONNECT", "https://api.test/", &[], HttpError::Method),
    ("GET", "http://api.test/", &[], HttpError::Scheme),
    ("GET", "/", &[("host", "api.test")], HttpError::Scheme),
    ("GET", "https://u@api.test/", &[], HttpError::Host),
    (
        "GET",
        "https://api.test/",
        &[("host", "b.test")],
        HttpError::HostMismatch,
    ),
    (
        "GET",
        "https://api.test/",
        &[("host", "api.test:444")],
        HttpError::HostMismatch,
    ),
    (
        "GET",
        "https://api.test/",
        &[("host", "api.test"), ("host", "api.test")],
        HttpError::Host,
    ),
    (
        "POST",
        "https://api.test/",
        &[
            ("content-type", "application/json"),
            ("content-type", "text/plain"),
        ],
        HttpError::Repeated,
    ),
    (
        "POST",
        "https://api.test/",
        &[
            ("content-type", "application/json"),
            ("content_type", "text/plain"),
        ],
        HttpError::Repeated,
    ),
    (
        "POST",
        "https://api.test/",
        &[
            ("content-encoding", "identity"),
            ("content-encoding", "gzip"),
        ],
        HttpError::Repeated,
    ),
    (
        "GET",
        "https://api.test/",
        &[
            ("authorization", "Basic eDp5"),
            ("authorization", "Bearer x"),
        ],
        HttpError::Repeated,
    ),
    ("GET", "https://api.test//a", &[], HttpError::PathAmbiguous),
    (
        "GET",
        "https://api.test/..;/a",
        &[],
        HttpError::PathAmbiguous,
    ),
    (
        "GET",
        "https://api.test/%2e/a",
        &[],
        HttpError::PathAmbiguous,
    ),
    (
        "GET",
        "https://api.test/a%2fb",
        &[],
        HttpError::PathAmbiguous,
    ),
    ("GET", "https://api.test/%ff", &[], HttpError::PathAmbiguous),
    (
        "GET",
        "https://api.test/%252e",
        &[],
        HttpError::PathAmbiguous,
    ),
    (
        "GET",
        "https://api.test/",
        &[("connection", "x")],
        HttpError::ConnectionField,
    ),
    (
        "GET",
        "https://api.test/",
        &[("transfer-encoding", "chunked")],
        HttpError::ConnectionField,
    ),
    (
        "GET",
        "https://api.test/",
        &[("upgrade", "websocket")],
        HttpError::ConnectionField,
    ),
    (
        "GET",
        "https://api.test/",
        &[("te", "gzip")],
        HttpError::ConnectionField,
    ),
    (
        "GET",
        "https://api.test/",
        &[("content_length", "1")],
        HttpError::HeaderName,
    ),
    (
        "GET",
        "https://api.test/",
        &[("transfer_encoding", "x")],
        HttpError::HeaderName,
    ),
    (
        "GET",
        "https://api.test/",
        &[("content-length", "+1")],
        HttpError::ContentLength,
    ),
    (
        "GET",
        "https://api.test/",
        &[("content-length", "1"), ("content-length", "1")],
        HttpError::ContentLength,
    ),
    (
        "GET",
        "https://api.test/",
        &[("expect", "x")],
        HttpError::Expectation,
    ),
];

#[test]
fn fields_are_bounded() {
    let many: Vec<_> = (0..=HTTP_FIELDS).map(|_| ("x", "1")).collect();
    assert_eq!(
        read("GET", "https://a.test/", &many).err(),
        Some(HttpError::HeadTooLong)
    );
    let long = "a".repeat(HTTP_HEAD_OCTETS);
    let fields = [("x", long.as_str())];
    assert_eq!(
        read("GET", "https://a.test/", &fields).err(),
        Some(HttpError::HeadTooLong)
    );
    let name = "a".repeat(HTTP_FIELD_NAME_OCTETS + 1);
    let fields = [(name.as_str(), "1")];
    assert_eq!(
        read("GET", "https://a.test/", &fields).err(),
        Some(HttpError::HeadTooLong)
    );
}
