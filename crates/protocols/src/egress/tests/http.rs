//! Plain HTTP on captured connections: every request is decided on, and what arrives upstream
//! is what was decided on.

use std::time::Duration;

use ringfence_model::{Outcome, ReasonCode};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use super::stack::{Stack, accept, hear, hear_all, hear_until, listen, say, untouched};

const RULES: &str = r#"  - allow: { host: api.test, ports: [80], methods: [GET, HEAD, POST], paths: ["/open/**"] }"#;
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

async fn stack() -> (Stack, TcpListener, TcpStream) {
    let (listener, address) = listen().await;
    let stack = Stack::new(RULES, &[("api.test", address), ("other.test", address)]);
    let agent = stack.captured("api.test:80").await;
    (stack, listener, agent)
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: api.test\r\n\r\n")
}

#[tokio::test]
async fn what_arrives_upstream_is_written_from_what_was_decided_on() {
    let (stack, listener, mut agent) = stack().await;
    say(
        &mut agent,
        "GET /%6Fpen/a%2d?q=%20 HTTP/1.1\r\nhost: API.test\r\nX-A:  1 \r\nProxy-Authorization: x\r\n\
         Connection: x-hop\r\nX-Hop: 1\r\n\r\n",
    )
    .await;
    let mut server = accept(&listener).await;
    let head = hear_until(&mut server, "\r\n\r\n").await;
    assert_eq!(
        head,
        "GET /open/a-?q=%20 HTTP/1.1\r\nHost: api.test\r\nX-A: 1\r\n\r\n"
    );
    say(&mut server, OK).await;
    assert_eq!(hear_until(&mut agent, "ok").await, OK);
    agent.shutdown().await.unwrap();
    assert_eq!(
        stack.story().await,
        [
            "connect api.test:80: allow, done",
            "GET http://api.test:80/open/a-: allow, 200"
        ]
    );
    let events = stack.events();
    assert_eq!(events[1].parent, Some(events[0].id));
    let closing = stack.closing("connect api.test:80").await;
    assert_eq!(closing.sent, head.len() as u64);
    assert_eq!(closing.received, OK.len() as u64);
}

#[tokio::test]
async fn each_request_of_a_kept_connection_is_decided_on() {
    let (stack, listener, mut agent) = stack().await;
    say(&mut agent, get("/open/1")).await;
    let mut server = accept(&listener).await;
    hear_until(&mut server, "\r\n\r\n").await;
    say(&mut server, OK).await;
    hear_until(&mut agent, "ok").await;

    say(&mut agent, get("/closed")).await;
    let answer = hear_until(&mut agent, "ask the operator to allow it.\n").await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert!(
        answer.contains("X-Ringfence-Reason: path-not-allowed"),
        "{answer}"
    );

    // The connection and the upstream's are both still good.
    say(&mut agent, get("/open/2")).await;
    let head = hear_until(&mut server, "\r\n\r\n").await;
    assert!(head.starts_with("GET /open/2 "), "{head}");
    say(&mut server, OK).await;
    hear_until(&mut agent, "ok").await;

    say(
        &mut agent,
        "GET /open/3 HTTP/1.1\r\nHost: other.test\r\n\r\n",
    )
    .await;
    let answer = hear_all(&mut agent).await;
    assert!(
        answer.contains("X-Ringfence-Reason: host-mismatch"),
        "{answer}"
    );
    assert_eq!(hear_all(&mut server).await, "");
    let story = stack.story().await;
    assert_eq!(
        story[0],
        "connect api.test:80: allow, refused host-mismatch"
    );
    assert_eq!(story[2], "GET http://api.test:80/closed: path-not-allowed");
    assert_eq!(story.len(), 4);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order_and_each_decided_on() {
    let (_stack, listener, mut agent) = stack().await;
    let both = [get("/open/1"), get("/closed"), get("/open/2")].concat();
    say(&mut agent, both).await;
    let mut server = accept(&listener).await;
    for path in ["/open/1", "/open/2"] {
        let head = hear_until(&mut server, "\r\n\r\n").await;
        assert!(head.starts_with(&format!("GET {path} ")), "{head}");
        say(&mut server, OK).await;
    }
    let first = hear_until(&mut agent, "ok").await;
    assert_eq!(first, OK);
    let rest = hear_until(&mut agent, OK).await;
    assert!(rest.starts_with("HTTP/1.1 403 "), "{rest}");
}

#[tokio::test]
async fn ambiguous_and_malformed_requests_leave_the_upstream_untouched() {
    for (request, status, reason) in [
        (
            "POST /open/a HTTP/1.1\r\nHost: api.test\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
            400,
            "malformed",
        ),
        (
            "POST /open/a HTTP/1.1\r\nHost: api.test\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\n",
            400,
            "malformed",
        ),
        (
            "POST /open/a HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunkedx\r\n\r\n",
            400,
            "malformed",
        ),
        ("GET /open/a HTTP/1.1\nHost: api.test\n\n", 400, "malformed"),
        (
            "GET /open/../closed HTTP/1.1\r\nHost: api.test\r\n\r\n",
            400,
            "malformed",
        ),
        (
            "GET /open/%2e%2e/closed HTTP/1.1\r\nHost: api.test\r\n\r\n",
            400,
            "malformed",
        ),
        (
            "GET /open%2Fa HTTP/1.1\r\nHost: api.test\r\n\r\n",
            400,
            "malformed",
        ),
        (
            "GET http://other.test/open/a HTTP/1.1\r\nHost: api.test\r\n\r\n",
            400,
            "host-mismatch",
        ),
        (
            "GET http://other.test/open/a HTTP/1.1\r\nHost: other.test\r\n\r\n",
            403,
            "host-mismatch",
        ),
        (
            "GET /open/a HTTP/1.1\r\nHost: api.test\r\nHost: api.test\r\n\r\n",
            400,
            "malformed",
        ),
        ("GET /open/a HTTP/1.1\r\n\r\n", 400, "malformed"),
        (
            "GET /open/a HTTP/1.1\r\nHost: api.test:81\r\n\r\n",
            403,
            "host-mismatch",
        ),
        (
            "CONNECT other.test:443 HTTP/1.1\r\nHost: other.test:443\r\n\r\n",
            403,
            "host-mismatch",
        ),
        (
            "GET /open/a HTTP/1.1\r\nHost: api.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
            403,
            "upgrade-refused",
        ),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 403, "upgrade-refused"),
        ("what is this\r\n\r\n", 400, "malformed"),
    ] {
        let (stack, listener, mut agent) = stack().await;
        say(&mut agent, request).await;
        let answer = hear_all(&mut agent).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{request}: {answer}"
        );
        let header = format!("X-Ringfence-Reason: {reason}\r\n");
        assert!(answer.contains(&header), "{request}: {answer}");
        drop(agent);
        let expected = format!("connect api.test:80: allow, refused {reason}");
        assert_eq!(stack.story().await, [expected], "{request}");
        assert!(untouched(listener), "{request}");
    }
}

#[tokio::test]
async fn a_body_that_turns_out_malformed_never_ends_upstream() {
    let (stack, listener, mut agent) = stack().await;
    say(
        &mut agent,
        "POST /open/a HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\n\r\n\
         3\r\nabc\r\n0 \r\n\r\nGET /closed HTTP/1.1\r\nHost: api.test\r\n\r\n",
    )
    .await;
    let mut server = accept(&listener).await;
    let seen = hear_all(&mut server).await;
    assert!(seen.ends_with("\r\n\r\n3\r\nabc\r\n"), "{seen}");
    assert!(hear_all(&mut agent).await.starts_with("HTTP/1.1 400 "));
    drop(agent);
    let story = stack.story().await;
    let refused = "POST http://api.test:80/open/a: allow, refused malformed";
    assert_eq!(story[1], refused);
}

#[tokio::test]
async fn bodies_are_framed_anew_in_both_directions() {
    let (_stack, listener, mut agent) = stack().await;
    say(
        &mut agent,
        "POST /open/a HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\n\r\n\
         3;ext=1\r\nabc\r\n0\r\nX-Trailer: 1\r\n\r\n",
    )
    .await;
    let mut server = accept(&listener).await;
    let seen = hear_until(&mut server, "0\r\n\r\n").await;
    assert!(seen.ends_with("\r\n\r\n3\r\nabc\r\n0\r\n\r\n"), "{seen}");
    // A body until close becomes a delimited one.
    say(&mut server, "HTTP/1.1 200 OK\r\n\r\nto the end").await;
    drop(server);
    let answer = hear_until(&mut agent, "0\r\n\r\n").await;
    assert!(
        answer.contains("Transfer-Encoding: chunked\r\n"),
        "{answer}"
    );
    assert!(
        answer.contains("\r\na\r\nto the end\r\n0\r\n\r\n"),
        "{answer}"
    );
}

#[tokio::test]
async fn responses_without_a_body_do_not_hold_up_the_next_one() {
    let (_stack, listener, mut agent) = stack().await;
    say(
        &mut agent,
        "HEAD /open/a HTTP/1.1\r\nHost: api.test\r\n\r\n",
    )
    .await;
    let mut server = accept(&listener).await;
    for response in [
        "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n",
    ] {
        hear_until(&mut server, "\r\n\r\n").await;
        say(&mut server, response).await;
        assert_eq!(hear_until(&mut agent, "\r\n\r\n").await, response);
        say(&mut agent, get("/open/a")).await;
    }
    hear_until(&mut server, "\r\n\r\n").await;
}

#[tokio::test]
async fn a_client_that_waits_for_100_gets_it_from_the_upstream() {
    let (_stack, listener, mut agent) = stack().await;
    say(
        &mut agent,
        "POST /open/a HTTP/1.1\r\nHost: api.test\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n",
    )
    .await;
    let mut server = accept(&listener).await;
    let head = hear_until(&mut server, "\r\n\r\n").await;
    assert!(head.contains("Expect: 100-continue\r\n"), "{head}");
    say(&mut server, "HTTP/1.1 100 Continue\r\n\r\n").await;
    assert_eq!(
        hear_until(&mut agent, "\r\n\r\n").await,
        "HTTP/1.1 100 Continue\r\n\r\n"
    );
    say(&mut agent, "body").await;
    assert_eq!(hear(&mut server, 4).await, b"body");
    say(&mut server, OK).await;
    assert_eq!(hear_until(&mut agent, "ok").await, OK);
}

#[tokio::test]
async fn an_upstream_that_switches_protocols_is_cut() {
    let (stack, listener, mut agent) = stack().await;
    say(&mut agent, get("/open/a")).await;
    let mut server = accept(&listener).await;
    hear_until(&mut server, "\r\n\r\n").await;
    say(
        &mut server,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: raw\r\n\r\nraw",
    )
    .await;
    let answer = hear_all(&mut agent).await;
    assert!(
        answer.contains("X-Ringfence-Reason: upgrade-refused"),
        "{answer}"
    );
    assert!(!answer.contains("raw"), "{answer}");
    let story = stack.story().await;
    assert_eq!(
        story[1],
        "GET http://api.test:80/open/a: allow, refused upgrade-refused"
    );
}

#[tokio::test]
async fn a_kept_upstream_that_went_away_is_replaced() {
    let (_stack, listener, mut agent) = stack().await;
    for _ in 0..2 {
        say(&mut agent, get("/open/a")).await;
        let mut server = accept(&listener).await;
        hear_until(&mut server, "\r\n\r\n").await;
        say(&mut server, OK).await;
        hear_until(&mut agent, "ok").await;
        // Closed between requests, without a word.
        drop(server);
    }
}

#[tokio::test]
async fn a_kept_upstream_that_closes_instead_of_answering_is_tried_again() {
    let (_stack, listener, mut agent) = stack().await;
    say(&mut agent, get("/open/1")).await;
    let mut first = accept(&listener).await;
    hear_until(&mut first, "\r\n\r\n").await;
    say(&mut first, OK).await;
    hear_until(&mut agent, "ok").await;
    say(&mut agent, get("/open/2")).await;
    hear_until(&mut first, "\r\n\r\n").await;
    drop(first);
    let mut second = accept(&listener).await;
    let head = hear_until(&mut second, "\r\n\r\n").await;
    assert!(head.starts_with("GET /open/2 "), "{head}");
    say(&mut second, OK).await;
    hear_until(&mut agent, "ok").await;
}

#[tokio::test]
async fn the_body_of_a_refused_request_is_not_taken_for_the_next_request() {
    let (stack, listener, mut agent) = stack().await;
    let body = get("/open/smuggled");
    let request = format!(
        "POST /closed HTTP/1.1\r\nHost: api.test\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    say(&mut agent, request).await;
    hear_until(&mut agent, "ask the operator to allow it.\n").await;
    agent.shutdown().await.unwrap();
    assert_eq!(
        stack.story().await,
        [
            "connect api.test:80: allow, done",
            "POST http://api.test:80/closed: path-not-allowed"
        ]
    );
    assert!(untouched(listener));
}

#[tokio::test]
async fn a_refused_request_with_a_long_or_withheld_body_ends_the_connection() {
    for head in [
        "Content-Length: 70000\r\n",
        "Content-Length: 4\r\nExpect: 100-continue\r\n",
    ] {
        let (_stack, _listener, mut agent) = stack().await;
        let request = format!("POST /closed HTTP/1.1\r\nHost: api.test\r\n{head}\r\n");
        say(&mut agent, request).await;
        if head.contains("70000") {
            say(&mut agent, vec![b'x'; 70_000]).await;
        }
        let answer = hear_all(&mut agent).await;
        assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
        assert!(answer.contains("\r\nConnection: close\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn programs_are_refused_in_json() {
    for header in [
        "Accept: application/json, text/plain",
        "User-Agent: python-requests/2.32",
    ] {
        let (_stack, _listener, mut agent) = stack().await;
        let request = format!(
            "GET /closed HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n{header}\r\n\r\n"
        );
        say(&mut agent, request).await;
        let answer = hear_all(&mut agent).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("Content-Type: application/json"), "{head}");
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["error"]["code"], "path-not-allowed");
        assert_eq!(body["error"]["tried"], "GET http://api.test:80/closed");
        assert!(
            body["error"]["advice"]
                .as_str()
                .unwrap()
                .contains("ask the operator")
        );
        assert!(body["error"]["event"].is_string());
    }
}

#[tokio::test]
async fn a_request_under_way_is_cut_by_a_new_policy() {
    let (stack, listener, mut agent) = stack().await;
    say(&mut agent, get("/open/a")).await;
    let mut server = accept(&listener).await;
    hear_until(&mut server, "\r\n\r\n").await;
    say(
        &mut server,
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart",
    )
    .await;
    hear_until(&mut agent, "part").await;
    stack.publish(2, "  - allow: { host: other.test }");
    assert_eq!(hear_all(&mut agent).await, "");
    assert_eq!(hear_all(&mut server).await, "");
    let story = stack.story().await;
    assert_eq!(
        story[1],
        "GET http://api.test:80/open/a: allow, refused revoked"
    );
}

#[tokio::test]
async fn a_request_whose_answer_nobody_reads_is_cut_by_a_new_policy() {
    let (stack, listener, mut agent) = stack().await;
    say(&mut agent, get("/open/a")).await;
    let mut server = accept(&listener).await;
    hear_until(&mut server, "\r\n\r\n").await;
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n";
    say(&mut server, head).await;
    let flood = vec![b'.'; 1024 * 1024];
    let writing = async { while server.write_all(&flood).await.is_ok() {} };
    let stuck = tokio::time::timeout(Duration::from_millis(500), writing);
    assert!(stuck.await.is_err());
    stack.publish(2, "  - allow: { host: other.test }");
    let closed = stack.closing("GET http://api.test:80/open/a");
    let closing = tokio::time::timeout(Duration::from_secs(2), closed).await;
    let revoked = Outcome::Refused(ReasonCode::Revoked);
    assert_eq!(closing.unwrap().outcome, revoked);
}

#[tokio::test]
async fn an_idle_connection_is_cut_by_a_new_policy() {
    let (stack, listener, mut agent) = stack().await;
    say(&mut agent, get("/open/a")).await;
    let mut server = accept(&listener).await;
    hear_until(&mut server, "\r\n\r\n").await;
    say(&mut server, OK).await;
    hear_until(&mut agent, "ok").await;
    stack.publish(2, "  - allow: { host: other.test }");
    assert_eq!(hear_all(&mut agent).await, "");
    let story = stack.story().await;
    assert_eq!(story[0], "connect api.test:80: allow, refused revoked");
}
