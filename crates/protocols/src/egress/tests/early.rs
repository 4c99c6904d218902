//! Upstreams that answer before they have the whole request: what they say arrives, whatever
//! the client is still sending.

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use super::stack::{Stack, accept, hear_all, hear_until, listen, say};

const RULES: &str =
    r#"  - allow: { host: api.test, ports: [80], methods: [POST], paths: ["/open/**"] }"#;
const DENIED: &str = "HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\ndenied";
const BODY: usize = 3_000_000;
/// Each time, another part of the body is under way when the upstream answers.
const TIMES: usize = 50;

async fn stack() -> (Stack, TcpListener) {
    let (listener, address) = listen().await;
    (Stack::new(RULES, &[("api.test", address)]), listener)
}

/// Sends a request, a part of its body while the upstream does its own part, and, when an answer
/// is there, all the rest before it reads the answer.
async fn post<T>(
    stack: &Stack,
    path: &str,
    time: usize,
    upstream: impl Future<Output = T>,
) -> (String, T) {
    let mut agent = stack.captured("api.test:80").await;
    let head = format!("POST {path} HTTP/1.1\r\nHost: api.test\r\nContent-Length: {BODY}\r\n\r\n");
    say(&mut agent, head).await;
    let body = vec![b'x'; BODY];
    let (early, late) = body.split_at(time * BODY / TIMES);
    let (upstream, ()) = tokio::join!(upstream, say(&mut agent, early));
    agent.readable().await.unwrap();
    say(&mut agent, late).await;
    (hear_all(&mut agent).await, upstream)
}

/// Reads the head only.
async fn head_of(listener: &TcpListener) -> TcpStream {
    let mut server = accept(listener).await;
    hear_until(&mut server, "\r\n\r\n").await;
    server
}

async fn answer_early(listener: &TcpListener) -> TcpStream {
    let mut server = head_of(listener).await;
    say(&mut server, DENIED).await;
    server
}

fn reset(server: TcpStream) {
    server.set_zero_linger().unwrap();
    drop(server);
}

fn assert_whole(answer: &str) {
    assert!(answer.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{answer}");
    assert!(answer.contains("\r\nConnection: close\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\ndenied"), "{answer}");
}

#[tokio::test]
async fn an_early_answer_arrives_from_an_upstream_that_resets() {
    for time in 0..TIMES {
        let (stack, listener) = stack().await;
        let upstream = async { reset(answer_early(&listener).await) };
        let (answer, ()) = post(&stack, "/open/a", time, upstream).await;
        assert_whole(&answer);
        assert_eq!(
            stack.story().await,
            [
                "connect api.test:80: allow, done",
                "POST http://api.test:80/open/a: allow, 403"
            ]
        );
    }
}

#[tokio::test]
async fn an_early_answer_arrives_from_an_upstream_that_stays_and_does_not_read() {
    for time in 0..TIMES {
        let (stack, listener) = stack().await;
        let upstream = answer_early(&listener);
        let (answer, _server) = post(&stack, "/open/a", time, upstream).await;
        assert_whole(&answer);
    }
}

#[tokio::test]
async fn an_upstream_that_resets_without_a_word_is_explained_to_a_client_that_sends() {
    for time in 0..TIMES {
        let (stack, listener) = stack().await;
        let upstream = async { reset(head_of(&listener).await) };
        let (answer, ()) = post(&stack, "/open/a", time, upstream).await;
        assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
    }
}

#[tokio::test]
async fn a_refusal_arrives_at_a_client_that_sends() {
    for time in 0..TIMES {
        let (stack, _listener) = stack().await;
        let (answer, ()) = post(&stack, "/closed", time, async {}).await;
        assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
        assert!(answer.contains("path-not-allowed"), "{answer}");
    }
}

#[tokio::test]
async fn the_answer_to_a_last_request_arrives_whatever_follows_it() {
    let (stack, listener) = stack().await;
    let mut agent = stack.captured("api.test:80").await;
    say(
        &mut agent,
        "POST /open/a HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\nContent-Length: 0\r\n\r\nmore",
    )
    .await;
    answer_early(&listener).await;
    agent.write_all(b" and more").await.unwrap();
    assert_whole(&hear_all(&mut agent).await);
}
