//! Tunnels through the explicit proxy: HTTP CONNECT and SOCKS5.

use ringfence_model::Entry;
use tokio::net::TcpStream;

use super::stack::{Stack, accept, hear, hear_all, hear_until, hello, listen, say, untouched};

const RULES: &str = r#"  - allow: { host: api.test, ports: [443] }
  - allow: { host: web.test, ports: [80], methods: [GET] }
  - allow: { host: db.test, ports: [5432], protocol: tcp }
  - allow: { host: host.ringfence.internal, ports: [1], protocol: tcp }"#;

async fn connect(agent: &mut TcpStream, destination: &str) {
    say(
        agent,
        format!("CONNECT {destination} HTTP/1.1\r\nHost: {destination}\r\n\r\n"),
    )
    .await;
}

const CONNECTED: &str = "HTTP/1.1 200 Connection established\r\n\r\n";

#[tokio::test]
async fn a_connect_tunnel_checks_the_name_inside_it() {
    for (sni, passes) in [("api.test", true), ("evil.test", false)] {
        let (listener, address) = listen().await;
        let stack = Stack::new(RULES, &[("api.test", address)]);
        let mut agent = stack.proxy().await;
        connect(&mut agent, "api.test:443").await;
        assert_eq!(hear_until(&mut agent, "\r\n\r\n").await, CONNECTED);
        let hello = hello(Some(sni), false);
        say(&mut agent, &hello).await;
        let mut server = accept(&listener).await;
        if passes {
            assert_eq!(hear(&mut server, hello.len()).await, hello);
        } else {
            assert_eq!(hear(&mut agent, 7).await, [0x15, 3, 3, 0, 2, 2, 112]);
            // It was dialled, so that a failure could be told, but it hears nothing.
            assert_eq!(hear_all(&mut server).await, "");
        }
    }
}

#[tokio::test]
async fn a_hello_that_comes_with_the_connect_is_not_lost() {
    let (listener, address) = listen().await;
    let stack = Stack::new(RULES, &[("api.test", address)]);
    let mut agent = stack.proxy().await;
    let hello = hello(Some("api.test"), false);
    let head = b"CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\n\r\n";
    say(&mut agent, [&head[..], &hello].concat()).await;
    let mut server = accept(&listener).await;
    assert_eq!(hear(&mut server, hello.len()).await, hello);
}

#[tokio::test]
async fn plain_http_inside_a_connect_tunnel_is_decided_on_by_request() {
    let (listener, address) = listen().await;
    let stack = Stack::new(RULES, &[("web.test", address)]);
    let mut agent = stack.proxy().await;
    connect(&mut agent, "web.test:80").await;
    hear_until(&mut agent, "\r\n\r\n").await;
    say(&mut agent, "DELETE / HTTP/1.1\r\nHost: web.test\r\n\r\n").await;
    let answer = hear_until(&mut agent, "ask the operator to allow it.\n").await;
    assert!(
        answer.contains("X-Ringfence-Reason: method-not-allowed"),
        "{answer}"
    );
    drop(agent);
    assert_eq!(
        stack.story().await,
        [
            "connect web.test:80: allow, done",
            "DELETE http://web.test:80/: method-not-allowed"
        ]
    );
    assert!(untouched(listener));
}

#[tokio::test]
async fn refused_tunnels_are_explained_before_they_begin() {
    let (listener, address) = listen().await;
    let stack = Stack::new(RULES, &[("evil.test", address)]);
    for (destination, reason) in [
        ("evil.test:443", "no-rule"),
        ("api.test:22", "port-not-allowed"),
        ("203.0.113.7:443", "address-not-named"),
        ("198.18.9.9:443", "address-not-named"),
        ("[::ffff:198.18.0.1]:3128", "control-plane"),
        ("mcp.ringfence.internal:443", "control-plane"),
    ] {
        let mut agent = stack.proxy().await;
        connect(&mut agent, destination).await;
        let answer = hear_all(&mut agent).await;
        assert!(answer.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{answer}");
        let header = format!("X-Ringfence-Reason: {reason}\r\n");
        assert!(answer.contains(&header), "{destination}: {answer}");
        assert!(answer.contains("ask the operator"), "{answer}");
    }
    stack.story().await;
    assert!(stack.events().iter().all(|event| {
        matches!(&event.action, ringfence_model::Action::Connect(connect)
            if connect.entry == Entry::HttpConnect)
    }));
    assert!(untouched(listener));
}

#[tokio::test]
async fn a_tunnel_whose_upstream_is_not_there_is_a_bad_gateway() {
    let address = listen().await.1;
    let stack = Stack::new(RULES, &[("db.test", address)]);
    let mut agent = stack.proxy().await;
    connect(&mut agent, "db.test:5432").await;
    let answer = hear_all(&mut agent).await;
    assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
    assert_eq!(
        stack.story().await,
        ["connect db.test:5432: allow, upstreamfailed"]
    );
}

/// The event that an answer names, among those that were recorded.
fn event_of(answer: &str, stack: &Stack) -> Option<String> {
    let (_, rest) = answer.split_once("X-Ringfence-Event: ")?;
    let id = rest.split("\r\n").next()?;
    let events = stack.events();
    let event = events.iter().find(|event| event.id.to_string() == id)?;
    assert!(!event.decision.is_allow());
    Some(format!("{}: {}", event.action, event.decision.code))
}

#[tokio::test]
async fn what_is_refused_for_its_form_is_a_denied_action_where_it_says_where_to() {
    let stack = Stack::new(RULES, &[]);
    for (request, event) in [
        (
            "CONNECT api.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n\r\n",
            "connect api.test:443: host-mismatch",
        ),
        (
            "CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\nContent-Length: 5\r\n\r\n",
            "connect api.test:443: malformed",
        ),
        (
            "GET http://web.test/a?b HTTP/1.1\r\nHost: evil.test\r\n\r\n",
            "GET http://web.test:80/a: host-mismatch",
        ),
        (
            "GET http://web.test/a HTTP/1.1\r\nHost: web.test\r\nUpgrade: websocket\r\n\r\n",
            "GET http://web.test:80/a: upgrade-refused",
        ),
        (
            "GET https://web.test/a HTTP/1.1\r\nHost: web.test\r\nConnection: close\r\n\r\n",
            "GET https://web.test:443/a: malformed",
        ),
        (
            "GET http://web.test/a/../b HTTP/1.1\r\nHost: web.test\r\n\r\n",
            "connect web.test:80: malformed",
        ),
        (
            "GET http://web.test/a HTTP/1.1\nHost: web.test\n\n",
            "GET http://web.test:80/a: malformed",
        ),
    ] {
        let mut agent = stack.proxy().await;
        say(&mut agent, request).await;
        let answer = hear_all(&mut agent).await;
        let status = match event.ends_with("upgrade-refused") {
            true => "403",
            false => "400",
        };
        let start = format!("HTTP/1.1 {status} ");
        assert!(answer.starts_with(&start), "{request}: {answer}");
        assert_eq!(
            event_of(&answer, &stack).as_deref(),
            Some(event),
            "{answer}"
        );
    }
    assert_eq!(stack.story().await.len(), 7);
    assert_eq!(stack.findings(), [""; 0]);
}

#[tokio::test]
async fn what_says_nowhere_to_go_is_refused_and_a_finding() {
    for (request, shown) in [
        (
            "GET /x HTTP/1.1\r\nHost: x.test\r\nConnection: close\r\n\r\n",
            "GET /x",
        ),
        (
            "CONNECT api.test HTTP/1.1\r\nHost: api.test\r\n\r\n",
            "CONNECT api.test HTTP/1.1",
        ),
        (
            "CONNECT evil\0.api.test:443 HTTP/1.1\r\nHost: api.test\r\n\r\n",
            r"CONNECT evil\x00.api.test:443 HTTP/1.1",
        ),
        ("\x16\x03\x01\x02\n", r"\x16\x03\x01\x02"),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "PRI * HTTP/2.0"),
    ] {
        let stack = Stack::new(RULES, &[]);
        let mut agent = stack.proxy().await;
        say(&mut agent, request).await;
        let answer = hear_all(&mut agent).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{request}: {answer}");
        assert!(!answer.contains("X-Ringfence-Event"), "{answer}");
        assert!(answer.contains("the finding malformed-request"), "{answer}");
        assert!(stack.story().await.is_empty());
        let findings = stack.findings();
        assert_eq!(findings.len(), 1, "{request}");
        let (start, end) = (
            "malformed-request: an HTTP request: ",
            format!(": \"{shown}\""),
        );
        assert!(
            findings[0].starts_with(start) && findings[0].ends_with(&end),
            "{findings:?}"
        );
    }
}

/// A SOCKS5 request for a name, behind its greeting.
fn socks(name: &[u8], port: u16) -> Vec<u8> {
    let mut request = vec![5, 1, 0, 5, 1, 0, 3, u8::try_from(name.len()).unwrap()];
    request.extend(name);
    request.extend(port.to_be_bytes());
    request
}

#[tokio::test]
async fn a_socks_tunnel_carries_what_its_rule_allows() {
    let (listener, address) = listen().await;
    let stack = Stack::new(RULES, &[("db.test", address)]);
    let mut agent = stack.proxy().await;
    say(&mut agent, socks(b"DB.test.", 5432)).await;
    assert_eq!(hear(&mut agent, 4).await, [5, 0, 5, 0]);
    hear(&mut agent, 8).await;
    let mut server = accept(&listener).await;
    say(&mut server, "banner").await;
    assert_eq!(hear(&mut agent, 6).await, b"banner");
    drop((agent, server));
    assert_eq!(stack.story().await, ["connect db.test:5432: allow, done"]);
}

#[tokio::test]
async fn socks_refuses_in_its_own_words() {
    let (listener, address) = listen().await;
    let stack = Stack::new(RULES, &[("evil.test", address)]);
    for (request, code) in [
        (socks(b"evil.test", 443), 2),
        (socks(b"evil.test\0.api.test", 443), 1),
        (socks(b"198.18.0.1", 3128), 2),
        (vec![5, 1, 0, 5, 2, 0, 1, 1, 2, 3, 4, 0, 80], 7),
    ] {
        let mut agent = stack.proxy().await;
        say(&mut agent, request).await;
        let answer = hear(&mut agent, 4).await;
        assert_eq!(answer, [5, 0, 5, code]);
    }
    let mut agent = stack.proxy().await;
    say(&mut agent, [5, 1, 2]).await;
    assert_eq!(hear(&mut agent, 2).await, [5, 0xff]);
    drop(agent);
    assert_eq!(
        stack.story().await,
        [
            "connect evil.test:443: no-rule",
            "connect 198.18.0.1:3128: control-plane"
        ]
    );
    let findings = stack.findings();
    assert_eq!(findings.len(), 3, "{findings:?}");
    assert!(
        findings[0].contains(r"evil.test\x00.api.test"),
        "{findings:?}"
    );
    assert!(
        findings[1].contains("only the command CONNECT"),
        "{findings:?}"
    );
    assert!(
        findings[2].contains("without authentication"),
        "{findings:?}"
    );
    assert!(untouched(listener));
}
