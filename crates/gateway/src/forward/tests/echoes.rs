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
use crate::limits::ENCODED_RESPONSE_OCTETS;

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

fn zipped(text: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(text).unwrap();
    gzip.finish().unwrap()
}

/// Characters that no encoding shortens, the same for each seed.
fn noise(mut seed: u64, length: usize) -> String {
    let next = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b'A' + ((seed >> 40) % 26) as u8)
    });
    next.take(length).collect()
}

/// What an upstream that encodes its responses whatever it is asked for echoes `text` in.
async fn encoding(ca: &Ca, text: String) -> Upstream {
    let reply = move |_| {
        let body = zipped(format!("authorization: {SECRET}; {text}").as_bytes());
        async move {
            let pieces = body.chunks(1000);
            let mut response = chunks(
                pieces
                    .map(|piece| Frame::data(Bytes::copy_from_slice(piece)))
                    .collect(),
            );
            let headers = response.headers_mut();
            headers.insert("content-encoding", "gzip".parse().unwrap());
            response
        }
    };
    Upstream::start(ca, Speaks::Http1, reply).await
}

#[tokio::test]
async fn how_much_an_encoding_shortens_a_guess_is_not_seen() {
    let ca = Ca::new();
    let mut seen = Vec::new();
    for guess in [&SECRET[..20], "nothing_of_the_value"] {
        let text = format!("{guess} {}", noise(7, 100_000));
        let upstream = encoding(&ca, text).await;
        let world = World::new(&ca, &upstream, WITH_GITHUB);
        let response = world.forward(get(URL)).await.unwrap();
        let mut body = response.into_body();
        let mut lengths = Vec::new();
        while let Some(frame) = body.frame().await {
            lengths.push(frame.unwrap().into_data().unwrap().len());
        }
        assert!(lengths.len() > 3 && lengths.iter().sum::<usize>() > 100_000);
        seen.push(lengths);
    }
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test]
async fn an_encoded_response_that_is_too_long_to_be_held_back_is_refused_in_words() {
    let ca = Ca::new();
    let upstream = encoding(&ca, noise(7, ENCODED_RESPONSE_OCTETS)).await;
    let world = World::new(&ca, &upstream, WITH_GITHUB);
    let (code, words) = world.stopped(get(URL)).await;
    assert_eq!(code, "response-refused");
    assert!(words.contains("though it was asked not to"), "{words}");
}

/// It would have no end to wait for.
#[tokio::test]
async fn an_encoded_stream_of_events_is_refused_at_once() {
    let ca = Ca::new();
    let head =
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-type: text/event-stream\r\n\r\n";
    let upstream = Upstream::saying(&ca, head.to_owned()).await;
    let world = World::new(&ca, &upstream, WITH_GITHUB);
    let (code, words) = world.stopped(get(URL)).await;
    assert_eq!(code, "response-refused");
    assert!(words.contains("stream"), "{words}");
}

#[tokio::test]
async fn nothing_tells_how_long_an_encoded_response_is() {
    let ca = Ca::new();
    let head =
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 1234567\r\n\r\nno gzip";
    let upstream = Upstream::saying(&ca, head.to_owned()).await;
    let rules = WITH_GITHUB.replace("credential", "response: { octets: 10 }, credential");
    let world = World::new(&ca, &upstream, &rules);
    let got = world.send(request("HEAD", URL, &[], "")).await.unwrap();
    assert!(got.headers.get("content-length").is_none());
    let (_, words) = world.stopped(get(URL)).await;
    assert!(!words.contains("1234567"), "{words}");
}

#[tokio::test]
async fn an_agent_does_not_choose_the_alphabet_of_a_response() {
    let ca = Ca::new();
    let reply = |seen: Seen| async move {
        assert!(seen.headers.get("accept-charset").is_none());
        assert_eq!(seen.headers["accept"], "application/json");
        let mut response = reply("x");
        let media = "application/json;charset=UTF-16LE".parse().unwrap();
        response.headers_mut().insert("content-type", media);
        response
    };
    let upstream = Upstream::start(&ca, Speaks::Http1, reply).await;
    let world = World::new(&ca, &upstream, WITH_GITHUB);
    let fields = [
        ("accept", "application/json;charset=UTF-16LE"),
        ("accept-charset", "utf-16"),
    ];
    let (code, words) = world.stopped(request("GET", URL, &fields, "")).await;
    assert_eq!(code, "response-refused");
    assert!(words.contains("alphabet"), "{words}");
}

#[tokio::test]
async fn encodings_hide_nothing_and_are_undone() {
    let ca = Ca::new();
    let reply = |seen: Seen| async move {
        assert_eq!(seen.headers["accept-encoding"], "identity");
        let mut response = reply(zipped(format!("a {SECRET} b").as_bytes()));
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
async fn a_body_that_is_not_what_its_encoding_says_is_refused() {
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
    let (code, _) = world.stopped(get(URL)).await;
    assert_eq!(code, "response-refused");
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
    let phrase = response.extensions().get::<hyper::ext::ReasonPhrase>();
    assert!(phrase.is_none());
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
