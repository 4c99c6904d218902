//! What we accept, a widely used parser reads in the same way.

use proptest::prelude::*;

use super::*;

/// Octets in which parsers tend to differ, after a sound beginning.
fn noisy(start: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"\r\n".to_vec()),
        Just(b"\r\nHost: a.example".to_vec()),
        Just(b"\r\nContent-Length: 3".to_vec()),
        Just(b"\r\nTransfer-Encoding: chunked".to_vec()),
        Just(b"\r\nX-Y: z".to_vec()),
        Just(b" HTTP/1.1".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\r".to_vec()),
        Just(b" ".to_vec()),
        Just(b":".to_vec()),
        any::<u8>().prop_map(|octet| vec![octet]),
    ];
    proptest::collection::vec(piece, 0..8).prop_map(move |pieces| {
        let mut wire = start.as_bytes().to_vec();
        wire.extend(pieces.concat());
        wire.extend_from_slice(b"\r\n\r\n");
        wire
    })
}

/// The fields that both have must be equal, in order; we take some out.
fn assert_fields(ours: &Headers, theirs: &[httparse::Header<'_>]) {
    let mut theirs = theirs.iter();
    for (name, value) in ours.iter() {
        let found = theirs.any(|their| their.name == name && their.value == value);
        assert!(found, "{name} is ours alone");
    }
}

fn assert_same_request(wire: &[u8]) {
    let Ok(Some((ours, length))) = read_request(wire) else {
        return;
    };
    let mut fields = [httparse::EMPTY_HEADER; 128];
    let mut theirs = httparse::Request::new(&mut fields);
    let parsed = theirs.parse(wire).unwrap();
    assert_eq!(parsed, httparse::Status::Complete(length));
    assert_eq!(theirs.method, Some(ours.method.as_str()));
    let version = u8::from(ours.version == Version::Http11);
    assert_eq!(theirs.version, Some(version));
    assert_fields(&ours.headers, theirs.headers);
    let length = |body| match body {
        BodyKind::Length(length) => Some(length),
        _ => None,
    };
    let theirs = theirs
        .headers
        .iter()
        .find(|field| field.name.eq_ignore_ascii_case("content-length"))
        .map(|field| std::str::from_utf8(field.value).unwrap().parse().unwrap());
    assert_eq!(length(ours.body), theirs);
}

fn assert_same_response(wire: &[u8]) {
    let Ok(Some((ours, length))) = read_response(wire, "GET") else {
        return;
    };
    let mut fields = [httparse::EMPTY_HEADER; 128];
    let mut theirs = httparse::Response::new(&mut fields);
    let parsed = theirs.parse(wire).unwrap();
    assert_eq!(parsed, httparse::Status::Complete(length));
    assert_eq!(theirs.code, Some(ours.status));
    if !ours.reason.is_empty() {
        assert_eq!(theirs.reason, Some(ours.reason.as_str()));
    }
    assert_fields(&ours.headers, theirs.headers);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn requests_read_the_same(
        wire in noisy("GET /a HTTP/1.1\r\nHost: a.example"),
        noise in noisy("GET /"),
    ) {
        assert_same_request(&wire);
        assert_same_request(&noise);
    }

    #[test]
    fn responses_read_the_same(
        wire in noisy("HTTP/1.1 200 OK\r\nX: y"),
        noise in noisy("HTTP/1.1 200"),
    ) {
        assert_same_response(&wire);
        assert_same_response(&noise);
    }

    #[test]
    fn chunk_sizes_read_the_same(line in "[0-9a-fA-F]{0,17}[; \t]{0,2}[a-z=\"\r]{0,5}\r?\n") {
        let mut reader = ChunkedReader::default();
        if let Ok(step) = reader.feed(line.as_bytes()) {
            let theirs = httparse::parse_chunk_size(line.as_bytes()).unwrap();
            let size = u64::from_str_radix(&line[..line.find([';', '\r']).unwrap()], 16).unwrap();
            prop_assert_eq!(theirs, httparse::Status::Complete((step.consumed, size)));
        }
    }
}

#[test]
fn an_ordinary_request_reads_the_same() {
    let lines = [
        "GET /a?b HTTP/1.1",
        "Host: a.example",
        "Accept: */*",
        "Content-Length: 3",
    ];
    let wire = joined(&lines);
    assert!(matches!(read_request(&wire), Ok(Some(_))));
    assert_same_request(&wire);
    let wire = joined(&["HTTP/1.1 200 OK", "Content-Type: text/html", "X:"]);
    assert!(matches!(read_response(&wire, "GET"), Ok(Some(_))));
    assert_same_response(&wire);
}
