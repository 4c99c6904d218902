//! Upstreams that send the credential back in every place and every form. None reaches the agent.

use std::convert::Infallible;
use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::Response;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;

use super::upstream::{Ca, Reply, Seen, Speaks, Upstream, body, reply};
use super::world::{SECRET, WITH_GITHUB, World, get, over_http2, request};

const URL: &str = "https://api.test/x";

/// Sends the whole of a request back, in the body and in headers.
async fn echo(seen: Seen) -> Reply {
    let authorization = seen.headers["authorization"].to_str().unwrap().to_owned();
    let mut response = reply(format!("{seen:?} {authorization}"));
    let headers = response.headers_mut();
    for name in [
        "location",
        "x-echo",
        "set-cookie",
        "www-authenticate",
        "refresh",
    ] {
        headers.insert(name, authorization.parse().unwrap());
    }
    let name = format!("x-{}", SECRET.to_ascii_lowercase());
    headers.insert(
        http::HeaderName::try_from(name).unwrap(),
        "1".parse().unwrap(),
    );
    response
}

fn chunks(pieces: Vec<Frame<Bytes>>) -> Reply {
    let frames = pieces.into_iter().map(Ok::<_, Infallible>);
    Response::new(StreamBody::new(futures_util::stream::iter(frames)).boxed())
}

fn assert_clean(seen: &str) {
    let lower = seen.to_ascii_lowercase();
    let forms = [
        SECRET.to_owned(),
        STANDARD.encode(SECRET),
        URL_SAFE_NO_PAD.encode(SECRET),
        SECRET[4..].to_owned(),
        SECRET[..20].to_owned(),
    ];
    for form in forms {
        assert!(
            !lower.contains(&form.to_ascii_lowercase()),
            "{form} in {seen}"
        );
    }
}

#[tokio::test]
async fn an_upstream_that_echoes_everything_reveals_nothing() {
    let ca = Ca::new();
    for speaks in [Speaks::Http1, Speaks::Http2] {
        let upstream = Upstream::start(&ca, speaks, echo).await;
        let world = World::new(&ca, &upstream, WITH_GITHUB);
        let got = world.send(over_http2(get(URL))).await.unwrap();
        assert!(got.text().contains("REDACTED"), "{}", got.text());
        assert_eq!(got.headers["x-echo"], "Bearer REDACTED-BY-RINGFENCE");
        assert!(got.headers.get("location").is_some());
        assert!(got.headers.get("set-cookie").is_none());
        assert_clean(&got.everything());
        assert_clean(&world.record());
    }
}

#[tokio::test]
async fn an_echo_is_counted_and_found_once() {
    let ca = Ca::new();
    let upstream = Upstream::start(&ca, Speaks::Http1, echo).await;
    let world = World::new(&ca, &upstream, WITH_GITHUB);
    world.send(get(URL)).await.unwrap();
    let closing = world.closing();
    assert!(closing.scrubbed >= 5, "{closing:?}");
    let found = world.findings("credential-echoed");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("`github`"), "{found:?}");
}

#[tokio::test]
async fn a_value_that_is_cut_into_chunks_or_frames_is_found() {
    let ca = Ca::new();
    for speaks in [Speaks::Http1, Speaks::Http2] {
        for size in [1, 2, 7, 39] {
            let reply = move |_| async move {
                let text = format!("begin {SECRET} middle {SECRET} end");
                let pieces = text.as_bytes().chunks(size);
                chunks(
                    pieces
                        .map(|piece| Frame::data(Bytes::copy_from_slice(piece)))
                        .collect(),
                )
            };
            let upstream = Upstream::start(&ca, speaks, reply).await;
            let world = World::new(&ca, &upstream, WITH_GITHUB);
            let got = world.send(over_http2(get(URL))).await.unwrap();
            let redacted = "REDACTED-BY-RINGFENCE";
            assert_eq!(
                got.text(),
                format!("begin {redacted} middle {redacted} end")
            );
        }
    }
}

#[tokio::test]
async fn encodings_hide_nothing_and_are_undone() {
    let ca = Ca::new();
    let reply = |seen: Seen| async move {
        assert_eq!(seen.headers["accept-encoding"], "gzip, br");
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(format!("a {SECRET} b").as_bytes()).unwrap();
        let mut response = reply(gzip.finish().unwrap());
        let headers = response.headers_mut();
        headers.insert("content-encoding", "gzip".parse().unwrap());
        headers.insert("etag", "\"1\"".parse().unwrap());
        headers.insert("digest", "x".parse().unwrap());
        response
    };
    let upstream = Upstream::start(&ca, Speaks::Both, reply).await;
    let world = World::new(&ca, &upstream, WITH_GITHUB);
    let accepts = [("accept-encoding", "gzip, zstd, br")];
    let got = world.send(request("GET", URL, &accepts, "")).await.unwrap();
    assert_eq!(got.text(), "a REDACTED-BY-RINGFENCE b");
    assert!(got.headers.get("content-encoding").is_none());
    assert!(got.headers.get("content-length").is_none());
    assert!(got.headers.get("digest").is_none());
    assert_eq!(got.headers["etag"], "W/\"1\"");
}

#[tokio::test]
async fn what_cannot_be_read_is_refused() {
    let ca = Ca::new();
    for (name, value, status) in [
        ("content-encoding", "zstd, snappy", 200),
        ("content-encoding", "gzip, gzip, gzip", 200),
        ("content-range", "bytes 0-9/100", 206),
        ("content-type", "multipart/byteranges; boundary=x", 200),
    ] {
        let reply = move |_| async move {
            let mut response = reply("x");
            *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
            response.headers_mut().insert(name, value.parse().unwrap());
            response
        };
        let upstream = Upstream::start(&ca, Speaks::Http1, reply).await;
        let world = World::new(&ca, &upstream, WITH_GITHUB);
        let (code, words) = world.stopped(get(URL)).await;
        assert_eq!(code, "response-refused", "{name}: {words}");
        assert_eq!(upstream.connections(), 1);
    }
}

#[tokio::test]
async fn a_body_that_is_not_what_its_encoding_says_is_cut() {
    let ca = Ca::new();
    let reply = |_| async {
        let mut response = reply(format!("not gzip {SECRET}"));
        response
            .headers_mut()
            .insert("content-encoding", "gzip".parse().unwrap());
        response
    };
    let upstream = Upstream::start(&ca, Speaks::Http1, reply).await;
    let world = World::new(&ca, &upstream, WITH_GITHUB);
    let response = world.forward(get(URL)).await.unwrap();
    assert!(super::world::read(response).await.is_err());
    let outcome = format!("{:?}", world.closing().outcome);
    assert_eq!(outcome, "Refused(ResponseRefused)");
}

#[tokio::test]
async fn a_range_cannot_cut_a_value_in_two() {
    let ca = Ca::new();
    let reply = |seen: Seen| async move {
        assert!(seen.headers.get("range").is_none());
        assert!(seen.headers.get("if-range").is_none());
        reply(SECRET)
    };
    let upstream = Upstream::start(&ca, Speaks::Http1, reply).await;
    let world = World::new(&ca, &upstream, WITH_GITHUB);
    let ranges = [("range", "bytes=0-20"), ("if-range", "\"x\"")];
    let got = world.send(request("GET", URL, &ranges, "")).await.unwrap();
    assert_eq!(got.text(), "REDACTED-BY-RINGFENCE");
}

#[tokio::test]
async fn trailers_are_scrubbed_and_pass_both_ways() {
    let ca = Ca::new();
    for speaks in [Speaks::Http1, Speaks::Http2] {
        let reply = |_| async {
            let mut trailers = http::HeaderMap::new();
            trailers.insert("grpc-status", "0".parse().unwrap());
            trailers.insert("grpc-message", SECRET.parse().unwrap());
            trailers.insert("set-cookie", "a=1".parse().unwrap());
            let data = Frame::data(Bytes::from_static(b"data"));
            let mut response = chunks(vec![data, Frame::trailers(trailers)]);
            let names = "grpc-status, grpc-message, set-cookie";
            response
                .headers_mut()
                .insert("trailer", names.parse().unwrap());
            response
        };
        let upstream = Upstream::start(&ca, speaks, reply).await;
        let world = World::new(&ca, &upstream, WITH_GITHUB);
        let asked = request("GET", URL, &[("te", "trailers")], "");
        let got = world.send(over_http2(asked)).await.unwrap();
        assert_eq!(got.text(), "data");
        assert_eq!(got.trailers["grpc-status"], "0");
        assert_eq!(got.trailers["grpc-message"], "REDACTED-BY-RINGFENCE");
        assert!(got.trailers.get("set-cookie").is_none());
    }
}

#[tokio::test]
async fn a_reason_phrase_or_an_error_page_reveals_nothing() {
    let ca = Ca::new();
    let said = format!(
        "HTTP/1.1 500 {SECRET}\r\nx-a: {SECRET}\r\ncontent-length: {}\r\n\r\n{SECRET}",
        SECRET.len()
    );
    let upstream = Upstream::saying(&ca, said).await;
    let world = World::new(&ca, &upstream, WITH_GITHUB);
    let response = world.forward(get(URL)).await.unwrap();
    assert!(response.extensions().is_empty());
    let got = super::world::read(response).await.unwrap();
    assert_eq!(got.status, 500);
    assert_clean(&got.everything());
}

#[tokio::test]
async fn without_a_credential_a_body_passes_as_it_is() {
    let ca = Ca::new();
    let reply = |seen: Seen| async move {
        assert_eq!(seen.headers["accept-encoding"], "snappy");
        assert_eq!(seen.headers["authorization"], "Bearer mine");
        let mut response = Response::new(body("octets"));
        let headers = response.headers_mut();
        headers.insert("content-encoding", "snappy".parse().unwrap());
        headers.insert("set-cookie", "a=1".parse().unwrap());
        headers.insert("alt-svc", "h3=\":443\"".parse().unwrap());
        response
    };
    let upstream = Upstream::start(&ca, Speaks::Http1, reply).await;
    let rules = "network:\n  - allow: { host: api.test, methods: [GET] }";
    let world = World::new(&ca, &upstream, rules);
    let sent = [
        ("accept-encoding", "snappy"),
        ("authorization", "Bearer mine"),
    ];
    let got = world.send(request("GET", URL, &sent, "")).await.unwrap();
    assert_eq!(got.headers["content-encoding"], "snappy");
    assert_eq!(got.headers["content-length"], "6");
    assert_eq!(got.headers["set-cookie"], "a=1");
    assert!(got.headers.get("alt-svc").is_none());
}
