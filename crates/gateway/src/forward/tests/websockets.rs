//! WebSockets through real HTTP/1 on both sides.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::task::JoinSet;

use super::upstream::{Ca, Speaks, Upstream, read_head};
use super::world::{SECRET, World};
use crate::http::{BodyError, RequestBody, full};

const RULES: &str = "api:\n  - allow: { id: all, host: api.test, methods: [GET], paths: [\"/**\"], credential: github, websocket: true }";

const ACCEPTED: &str = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: x\r\n";

/// A client's connection, and what serves it.
struct Client {
    stream: DuplexStream,
    _server: JoinSet<()>,
}

impl Client {
    /// Connects through `world` and asks for a WebSocket with these fields beside the usual ones.
    async fn ask(world: &Arc<World>, fields: &str) -> (Self, String) {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let serving = Arc::clone(world);
        let mut server = JoinSet::new();
        server.spawn(async move {
            let service = service_fn(|request: Request<Incoming>| {
                let world = Arc::clone(&serving);
                async move { Ok::<_, Infallible>(answer(&world, request).await) }
            });
            let connection = http1::Builder::new().serve_connection(TokioIo::new(far), service);
            let _ = connection.with_upgrades().await;
            std::future::pending::<()>().await;
        });
        let mut client = Self {
            stream: near,
            _server: server,
        };
        let request = format!(
            "GET /socket HTTP/1.1\r\nhost: api.test\r\nconnection: keep-alive, Upgrade\r\n\
             upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: abc\r\n{fields}\r\n"
        );
        client.stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.stream.read_u8().await.unwrap());
        }
        (client, String::from_utf8(head).unwrap())
    }

    async fn text(&mut self) -> String {
        let mut head = [0; 2];
        self.stream.read_exact(&mut head).await.unwrap();
        let mut text = vec![0; usize::from(head[1])];
        self.stream.read_exact(&mut text).await.unwrap();
        String::from_utf8(text).unwrap()
    }
}

async fn answer(world: &World, request: Request<Incoming>) -> http::Response<RequestBody> {
    let (mut head, body) = request.into_parts();
    head.uri = format!("https://api.test{}", head.uri).parse().unwrap();
    let body = http_body_util::BodyExt::map_err(body, |error| BodyError::Client(error.to_string()));
    let request = Request::from_parts(head, RequestBody::new(body));
    match world.forward(request).await {
        Ok(response) => response,
        Err(stopped) => {
            let mut response = http::Response::new(full(format!("{stopped:?}")));
            *response.status_mut() = http::StatusCode::FORBIDDEN;
            response
        }
    }
}

/// An upstream that accepts, greets with the secret in two frames, and then echoes what comes,
/// unmasked.
async fn upstream(ca: &Ca, fields: &'static str) -> Upstream {
    Upstream::raw(ca, Speaks::Http1, move |mut stream| async move {
        let head = String::from_utf8(read_head(&mut stream).await).unwrap();
        assert!(
            !head.to_lowercase().contains("sec-websocket-extensions"),
            "{head}"
        );
        assert!(!head.contains("openai-insecure"), "{head}");
        assert!(
            head.contains(&format!("authorization: Bearer {SECRET}")),
            "{head}"
        );
        let answer = format!("{ACCEPTED}{fields}\r\n");
        let _ = stream.write_all(answer.as_bytes()).await;
        let (one, two) = SECRET.split_at(10);
        let greeting = [&[0x01, 10], one.as_bytes(), &[0x80, 30], two.as_bytes()].concat();
        let _ = stream.write_all(&greeting).await;
        let _ = stream.flush().await;
        let mut head = [0; 6];
        while stream.read_exact(&mut head).await.is_ok() {
            let mut text = vec![0; usize::from(head[1] & 0x7f)];
            stream.read_exact(&mut text).await.unwrap();
            for (at, octet) in text.iter_mut().enumerate() {
                *octet ^= head[2 + at % 4];
            }
            let frame = [&[0x81, head[1] & 0x7f], text.as_slice()].concat();
            let _ = stream.write_all(&frame).await;
            let _ = stream.flush().await;
        }
    })
    .await
}

/// A text frame of a client.
fn masked(text: &str) -> Vec<u8> {
    let mask = [1, 2, 3, 4];
    let length = u8::try_from(text.len()).unwrap();
    let text = text
        .bytes()
        .enumerate()
        .map(|(at, octet)| octet ^ mask[at % 4]);
    [&[0x81, 0x80 | length][..], &mask]
        .concat()
        .into_iter()
        .chain(text)
        .collect()
}

#[tokio::test]
async fn frames_pass_both_ways_and_an_echoed_secret_does_not() {
    let ca = Ca::new();
    let upstream = upstream(&ca, "").await;
    let world = Arc::new(World::new(&ca, &upstream, RULES));
    let fields = "sec-websocket-extensions: permessage-deflate\r\n\
                  sec-websocket-protocol: openai-insecure-api-key.mine, realtime\r\n";
    let (mut client, head) = Client::ask(&world, fields).await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    let mut greeting = client.text().await;
    if greeting.is_empty() {
        greeting = client.text().await;
    }
    assert_eq!(greeting, "REDACTED-BY-RINGFENCE");
    for text in ["hello", SECRET] {
        client.stream.write_all(&masked(text)).await.unwrap();
        let expected = text.replace(SECRET, "REDACTED-BY-RINGFENCE");
        assert_eq!(client.text().await, expected);
    }
    drop(client);
}

#[tokio::test]
async fn a_websocket_is_cut_at_once_when_its_credential_is_revoked() {
    let ca = Ca::new();
    let upstream = upstream(&ca, "").await;
    let world = Arc::new(World::new(&ca, &upstream, RULES));
    let (mut client, _) = Client::ask(&world, "").await;
    client.text().await;
    world.vault.revoke("github");
    let since = Instant::now();
    let mut rest = Vec::new();
    let _ = client.stream.read_to_end(&mut rest).await;
    assert!(since.elapsed() < Duration::from_millis(100));
    let closing = world.closing();
    assert_eq!(format!("{:?}", closing.outcome), "Refused(Revoked)");
    assert!(closing.scrubbed > 0);
    assert_eq!(world.findings("credential-echoed").len(), 1);
}

#[tokio::test]
async fn a_websocket_is_cut_even_if_nobody_reads() {
    let ca = Ca::new();
    let frames = Arc::new(AtomicUsize::new(0));
    let sent = Arc::clone(&frames);
    let upstream = Upstream::raw(&ca, Speaks::Http1, move |mut stream| {
        let sent = Arc::clone(&sent);
        async move {
            read_head(&mut stream).await;
            let answer = format!("{ACCEPTED}\r\n");
            let _ = stream.write_all(answer.as_bytes()).await;
            let frame = [&[0x82, 126, 0x20, 0][..], &[b'.'; 0x2000]].concat();
            while stream.write_all(&frame).await.is_ok() {
                sent.fetch_add(1, Ordering::SeqCst);
            }
        }
    })
    .await;
    let world = Arc::new(World::new(&ca, &upstream, RULES));
    let (_client, _) = Client::ask(&world, "").await;
    let mut before = 0;
    while before == 0 || before < frames.load(Ordering::SeqCst) {
        before = frames.load(Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    world.vault.revoke("github");
    let event = world.audit.opened().pop().unwrap().id;
    let closed = async {
        while world.audit.closing_of(event).is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(2), closed)
        .await
        .unwrap();
    assert_eq!(format!("{:?}", world.closing().outcome), "Refused(Revoked)");
}

#[tokio::test]
async fn a_frame_that_may_not_pass_ends_the_connection() {
    let ca = Ca::new();
    let upstream = upstream(&ca, "").await;
    for frame in [
        &[0x81, 0x05, b'h', b'e', b'l', b'l', b'o'][..],
        &[0xc1, 0x80, 0, 0, 0, 0],
        &[0x80, 0x80, 0, 0, 0, 0],
        &[0x82, 0xff, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0],
    ] {
        let world = Arc::new(World::new(&ca, &upstream, RULES));
        let (mut client, _) = Client::ask(&world, "").await;
        client.text().await;
        client.stream.write_all(frame).await.unwrap();
        let mut rest = Vec::new();
        let _ = client.stream.read_to_end(&mut rest).await;
        let outcome = format!("{:?}", world.closing().outcome);
        assert!(outcome.starts_with("Refused("), "{outcome}");
    }
}

#[tokio::test]
async fn an_upstream_that_agrees_to_more_than_was_asked_for_is_refused() {
    let ca = Ca::new();
    for fields in [
        "sec-websocket-extensions: permessage-deflate\r\n",
        "sec-websocket-protocol: other\r\n",
    ] {
        let upstream = upstream(&ca, fields).await;
        let world = Arc::new(World::new(&ca, &upstream, RULES));
        let asked = "sec-websocket-protocol: realtime\r\n";
        let (_client, head) = Client::ask(&world, asked).await;
        assert!(head.starts_with("HTTP/1.1 403"), "{head}");
    }
}

#[tokio::test]
async fn a_websocket_needs_a_rule_that_says_so() {
    let ca = Ca::new();
    let upstream = upstream(&ca, "").await;
    let rules = RULES.replace(", websocket: true", "");
    let world = Arc::new(World::new(&ca, &upstream, &rules));
    let (_client, head) = Client::ask(&world, "").await;
    assert!(head.starts_with("HTTP/1.1 403"), "{head}");
    let outcome = format!("{:?}", world.closing().outcome);
    assert_eq!(outcome, "Refused(UpgradeRefused)");
    assert_eq!(upstream.connections(), 0);
}
