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

#[tokio::test]
async fn what_is_no_proxy_request_is_refused_with_an_explanation() {
    let stack = Stack::new(RULES, &[]);
    for request in [
        "GET / HTTP/1.1\r\nHost: x.test\r\nConnection: close\r\n\r\n",
        "CONNECT api.test HTTP/1.1\r\nHost: api.test\r\n\r\n",
        "CONNECT evil\0.api.test:443 HTTP/1.1\r\nHost: api.test\r\n\r\n",
        "CONNECT api.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n\r\n",
        "CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\nContent-Length: 5\r\n\r\n",
    ] {
        let mut agent = stack.proxy().await;
        say(&mut agent, request).await;
        let answer = hear_all(&mut agent).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{request}: {answer}");
    }
    assert!(stack.story().await.is_empty());
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
    stack.story().await;
    assert!(untouched(listener));
}
