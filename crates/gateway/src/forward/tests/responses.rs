//! What of a response the terms of a rule let through.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use http::Response;

use super::upstream::{Ca, Seen, Speaks, Upstream, body, read_head};
use super::world::{SECRET, WITH_GITHUB, World, get, read, request};

const RULES: &str = "api:\n  - allow: { id: all, host: api.test, methods: [GET, HEAD], paths: [\"/**\"], response: { statuses: [\"200-299\", \"404\"], types: [application/json, \"text/*\"], octets: 1000 } }";

/// Answers `/STATUS/TYPE/LENGTH`.
async fn answer(seen: Seen) -> super::upstream::Reply {
    let parts: Vec<&str> = seen.target.trim_start_matches('/').split('/').collect();
    let length = parts[2].parse().unwrap();
    let mut response = Response::new(body(vec![b'x'; length]));
    *response.status_mut() = http::StatusCode::from_bytes(parts[0].as_bytes()).unwrap();
    if parts[1] != "none" {
        let media = parts[1].replace('+', "/").parse().unwrap();
        response.headers_mut().insert("content-type", media);
    }
    response
}

#[tokio::test]
async fn a_rule_lets_through_what_it_names() {
    let ca = Ca::new();
    let upstream = Upstream::start(&ca, Speaks::Http1, answer).await;
    let world = World::new(&ca, &upstream, RULES);
    for (path, words) in [
        ("200/application+json/10", ""),
        ("299/text+html/10", ""),
        ("404/none/0", ""),
        ("204/none/0", ""),
        ("200/application+json/1000", ""),
        ("300/application+json/10", "answered 300"),
        ("500/application+json/10", "answered 500"),
        ("200/image+png/10", "image/png"),
        ("200/none/10", "no type"),
        ("200/application+json/1001", "1001 octets"),
    ] {
        let asked = get(&format!("https://api.test/{path}"));
        if words.is_empty() {
            world.send(asked).await.unwrap();
            continue;
        }
        let (code, reason) = world.stopped(asked).await;
        assert_eq!(code, "response-refused", "{path}");
        assert!(reason.contains(words), "{path}: {reason}");
    }
    let head = request("HEAD", "https://api.test/200/text+plain/900", &[], "");
    assert_eq!(
        world.send(head).await.unwrap().headers["content-length"],
        "900"
    );
}

/// An answer with this head and this body, and then nothing.
async fn says(ca: &Ca, head: &str, body: &[u8]) -> Upstream {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n{head}\r\n");
    Upstream::saying(ca, [head.as_bytes(), body].concat()).await
}

#[tokio::test]
async fn a_body_is_cut_at_its_limit_however_it_is_framed_or_encoded() {
    let ca = Ca::new();
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    bomb.write_all(&vec![0; 10_000_000]).unwrap();
    let bomb = bomb.finish().unwrap();
    let chunk = [b"7d0\r\n".as_slice(), &[b'x'; 2000], b"\r\n0\r\n\r\n"].concat();
    let gzip = "content-encoding: gzip\r\n";
    for (head, body) in [
        ("transfer-encoding: chunked\r\n", chunk.as_slice()),
        (gzip, &bomb[..900]),
    ] {
        let length = format!("content-length: {}\r\n", body.len());
        let framed = head.contains("chunked");
        let head = format!("{head}{}", if framed { "" } else { &length });
        let upstream = says(&ca, &head, body).await;
        let world = World::new(&ca, &upstream, RULES);
        let response = world.forward(get("https://api.test/x")).await.unwrap();
        let error = read(response).await.unwrap_err();
        assert_eq!(error.to_string(), "the body is longer than 1000 octets");
        let outcome = format!("{:?}", world.closing().outcome);
        assert_eq!(outcome, "Refused(ResponseRefused)");
    }
}

#[tokio::test]
async fn a_bomb_is_refused_without_a_limit_as_well() {
    let ca = Ca::new();
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    bomb.write_all(&vec![0; 20_000_000]).unwrap();
    let bomb = bomb.finish().unwrap();
    let head = format!(
        "content-encoding: gzip\r\ncontent-length: {}\r\n",
        bomb.len()
    );
    let upstream = says(&ca, &head, &bomb).await;
    let world = World::new(&ca, &upstream, WITH_GITHUB);
    let (code, _) = world.stopped(get("https://api.test/x")).await;
    assert_eq!(code, "response-refused");
}

#[tokio::test]
async fn a_head_that_is_not_http_or_never_ends_is_a_failure() {
    let ca = Ca::new();
    let interim = b"HTTP/1.1 103 Early\r\nlink: </x>\r\n\r\n".repeat(1000);
    let long = [
        b"HTTP/1.1 200 OK\r\nx: ".to_vec(),
        vec![b'x'; 300_000],
        b"\r\n\r\n".to_vec(),
    ]
    .concat();
    let many = [
        b"HTTP/1.1 200 OK\r\n".to_vec(),
        b"x: y\r\n".repeat(500),
        b"\r\n".to_vec(),
    ]
    .concat();
    let smuggled = b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx";
    for said in [
        interim,
        long,
        many,
        smuggled.to_vec(),
        b"SSH-2.0-OpenSSH\r\n\r\n".to_vec(),
        b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n".to_vec(),
    ] {
        let upstream = Upstream::saying(&ca, said.clone()).await;
        let world = World::new(&ca, &upstream, WITH_GITHUB);
        let begin = String::from_utf8_lossy(&said[..16]).into_owned();
        let stopped = tokio::time::timeout(
            std::time::Duration::from_secs(20),
            world.stopped(get("https://api.test/x")),
        );
        let (code, words) = stopped.await.unwrap_or_else(|_| panic!("no end: {begin}"));
        assert_eq!(code, "failed", "{begin}: {words}");
    }
}

#[tokio::test]
async fn an_upstream_that_breaks_off_breaks_the_body() {
    let ca = Ca::new();
    let upstream = Upstream::raw(&ca, Speaks::Http1, |mut stream| async move {
        read_head(&mut stream).await;
        let said = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort";
        let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, said).await;
        let _ = tokio::io::AsyncWriteExt::shutdown(&mut stream).await;
    })
    .await;
    let world = World::new(&ca, &upstream, WITH_GITHUB);
    let response = world.forward(get("https://api.test/x")).await.unwrap();
    assert!(read(response).await.is_err());
    assert_eq!(format!("{:?}", world.closing().outcome), "UpstreamFailed");
}

#[tokio::test]
async fn a_switch_of_protocol_that_was_not_asked_for_is_refused() {
    let ca = Ca::new();
    let said = "HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
    let upstream = Upstream::saying(&ca, said).await;
    let world = World::new(&ca, &upstream, WITH_GITHUB);
    let (code, words) = world.stopped(get("https://api.test/x")).await;
    assert_eq!(code, "response-refused", "{words}");
}

#[tokio::test]
async fn a_transfer_coding_that_would_hide_the_body_is_refused() {
    let ca = Ca::new();
    for coding in [
        "transfer-encoding: gzip, chunked",
        "transfer-encoding: gzip\r\ntransfer-encoding: chunked",
    ] {
        let said = format!("HTTP/1.1 200 OK\r\n{coding}\r\n\r\n1\r\nx\r\n0\r\n\r\n");
        let upstream = Upstream::saying(&ca, said).await;
        let world = World::new(&ca, &upstream, WITH_GITHUB);
        let (code, words) = world.stopped(get("https://api.test/x")).await;
        assert_eq!(code, "response-refused", "{coding}: {words}");
    }
}

#[tokio::test]
async fn a_response_that_has_no_body_brings_none() {
    let ca = Ca::new();
    for status in [204, 304] {
        let upstream = Upstream::start(&ca, Speaks::Http2, move |_| async move {
            let mut response = Response::new(body(SECRET));
            *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
            response
        });
        let upstream = upstream.await;
        let world = World::new(&ca, &upstream, WITH_GITHUB);
        let response = world.forward(get("https://api.test/x")).await.unwrap();
        assert!(read(response).await.is_err(), "{status}");
        let outcome = format!("{:?}", world.closing().outcome);
        assert_eq!(outcome, "Refused(ResponseRefused)", "{status}");
    }
}
