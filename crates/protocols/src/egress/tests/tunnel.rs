//! Captured connections: TLS tunnels, other bytes, and what is refused of them.

use ringfence_gateway::{Arrival, Config};
use ringfence_model::ReasonCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::stack::{Stack, accept, hear, hear_all, hello, listen, say, untouched};

const TLS: &str = "  - allow: { host: api.test, ports: [443] }";
const ANY: &str = "  - allow: { host: db.test, ports: [5432] }";
const TCP: &str = "  - allow: { host: ssh.test, ports: [22], protocol: tcp }";

const ACCESS_DENIED: u8 = 49;
const UNRECOGNIZED_NAME: u8 = 112;

/// What an alert of this kind looks like on the wire.
fn alert(description: u8) -> Vec<u8> {
    vec![0x15, 3, 3, 0, 2, 2, description]
}

#[tokio::test]
async fn a_tls_tunnel_passes_the_hello_and_all_that_follows_unchanged() {
    let (listener, address) = listen().await;
    let stack = Stack::new(TLS, &[("api.test", address)]);
    let mut agent = stack.captured("api.test:443").await;
    let hello = hello(Some("api.test"), false);
    // In two segments, the first of which does not show yet that it is TLS.
    say(&mut agent, &hello[..1]).await;
    say(&mut agent, &hello[1..]).await;
    let mut server = accept(&listener).await;
    assert_eq!(hear(&mut server, hello.len()).await, hello);
    say(&mut server, "anything").await;
    assert_eq!(hear(&mut agent, 8).await, b"anything");
    server.shutdown().await.unwrap();
    agent.shutdown().await.unwrap();
    assert_eq!(stack.story().await, ["connect api.test:443: allow, done"]);
    let closing = stack.closing("connect api.test:443").await;
    let upstream = closing.upstream.unwrap();
    assert_eq!(upstream.address, address);
    assert_eq!(upstream.sni.as_deref(), Some("api.test"));
    assert_eq!(upstream.alpn, ["http/1.1"]);
    assert_eq!((closing.sent, closing.received), (hello.len() as u64, 8));
}

#[tokio::test]
async fn tls_whose_name_cannot_be_checked_is_refused_before_anything_is_dialled() {
    for (sni, ech, description, code) in [
        (
            Some("evil.test"),
            false,
            UNRECOGNIZED_NAME,
            ReasonCode::SniMismatch,
        ),
        (
            Some("www.api.test"),
            false,
            UNRECOGNIZED_NAME,
            ReasonCode::SniMismatch,
        ),
        (None, false, UNRECOGNIZED_NAME, ReasonCode::SniMissing),
        (
            Some("api.test"),
            true,
            ACCESS_DENIED,
            ReasonCode::EncryptedClientHello,
        ),
    ] {
        let (listener, address) = listen().await;
        let stack = Stack::new(TLS, &[("api.test", address), ("evil.test", address)]);
        let mut agent = stack.captured("api.test:443").await;
        say(&mut agent, hello(sni, ech)).await;
        assert_eq!(hear(&mut agent, 7).await, alert(description), "{code}");
        drop(agent);
        let expected = format!("connect api.test:443: allow, refused {code}");
        assert_eq!(stack.story().await, [expected]);
        assert!(untouched(listener));
    }
}

#[tokio::test]
async fn a_denied_destination_is_refused_in_the_clients_own_protocol() {
    let (listener, address) = listen().await;
    let stack = Stack::new(TLS, &[("evil.test", address)]);
    let mut agent = stack.captured("evil.test:443").await;
    say(&mut agent, hello(Some("evil.test"), false)).await;
    assert_eq!(
        hear_all(&mut agent).await.as_bytes(),
        String::from_utf8_lossy(&alert(ACCESS_DENIED)).as_bytes()
    );

    let mut agent = stack.captured("evil.test:80").await;
    say(&mut agent, "GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n").await;
    let answer = hear_all(&mut agent).await;
    let event = stack.events()[1].id;
    assert!(answer.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{answer}");
    assert!(
        answer.contains(&format!("\r\nX-Ringfence-Event: {event}\r\n")),
        "{answer}"
    );
    assert!(
        answer.contains("\r\nX-Ringfence-Reason: no-rule\r\n"),
        "{answer}"
    );
    assert!(answer.contains("\r\nConnection: close\r\n"), "{answer}");
    assert!(answer.contains("connect evil.test:80"), "{answer}");
    assert!(answer.contains("ringfence allow evil.test:80"), "{answer}");
    assert!(answer.contains("ask the operator"), "{answer}");

    let mut agent = stack.captured("evil.test:22").await;
    say(&mut agent, "SSH-2.0-test\r\n").await;
    assert!(!matches!(agent.read(&mut [0; 8]).await, Ok(1..)));
    stack.story().await;
    assert!(untouched(listener));
}

#[tokio::test]
async fn bytes_of_another_protocol_than_the_granted_one_are_refused() {
    let (listener, address) = listen().await;
    let stack = Stack::new(TLS, &[("api.test", address)]);
    let mut agent = stack.captured("api.test:443").await;
    say(&mut agent, "GET / HTTP/1.1\r\nHost: api.test\r\n\r\n").await;
    let answer = hear_all(&mut agent).await;
    assert!(
        answer.contains("X-Ringfence-Reason: protocol-mismatch"),
        "{answer}"
    );

    let mut agent = stack.captured("api.test:443").await;
    say(&mut agent, "SSH-2.0-test\r\n").await;
    assert!(!matches!(agent.read(&mut [0; 8]).await, Ok(1..)));
    let refused = "connect api.test:443: allow, refused protocol-mismatch";
    assert_eq!(stack.story().await, [refused, refused]);
    assert!(untouched(listener));
}

#[tokio::test]
async fn a_silent_client_lets_the_server_speak_first() {
    let (listener, address) = listen().await;
    let stack = Stack::new(ANY, &[("db.test", address)]);
    let mut agent = stack.captured("db.test:5432").await;
    let mut server = accept(&listener).await;
    say(&mut server, "banner").await;
    assert_eq!(hear(&mut agent, 6).await, b"banner");
    say(&mut agent, "hello").await;
    assert_eq!(hear(&mut server, 5).await, b"hello");
}

#[tokio::test]
async fn a_silent_client_cannot_slip_another_name_past_the_check_later() {
    let (listener, address) = listen().await;
    let stack = Stack::new(ANY, &[("db.test", address)]);
    let mut agent = stack.captured("db.test:5432").await;
    let mut server = accept(&listener).await;
    // In two pieces, so that the check has to wait for the second one.
    let hello = hello(Some("evil.test"), false);
    say(&mut agent, &hello[..1]).await;
    say(&mut agent, &hello[1..]).await;
    assert_eq!(hear(&mut agent, 7).await, alert(UNRECOGNIZED_NAME));
    assert_eq!(hear_all(&mut server).await, "");
    drop(agent);
    let refused = "connect db.test:5432: allow, refused sni-mismatch";
    assert_eq!(stack.story().await, [refused]);
}

#[tokio::test]
async fn a_rule_for_tcp_passes_any_bytes_at_once() {
    let (listener, address) = listen().await;
    let stack = Stack::new(TCP, &[("ssh.test", address)]);
    let mut agent = stack.captured("ssh.test:22").await;
    let mut server = accept(&listener).await;
    let hello = hello(None, true);
    say(&mut agent, &hello).await;
    assert_eq!(hear(&mut server, hello.len()).await, hello);
}

#[tokio::test]
async fn tls_to_an_address_has_no_name_to_hide_behind() {
    let (listener, address) = listen().await;
    let port = address.port();
    let rules = format!("  - allow: {{ cidr: 127.0.0.0/8, ports: [{port}], protocol: tls }}");
    let stack = Stack::new(&rules, &[]);
    let mut agent = stack.captured(&address.to_string()).await;
    say(&mut agent, hello(Some("evil.test"), false)).await;
    assert_eq!(hear(&mut agent, 7).await, alert(UNRECOGNIZED_NAME));
    drop(agent);
    let mut agent = stack.captured(&address.to_string()).await;
    let hello = hello(None, false);
    say(&mut agent, &hello).await;
    let mut server = accept(&listener).await;
    assert_eq!(hear(&mut server, hello.len()).await, hello);
}

#[tokio::test]
async fn places_without_a_name_and_the_gateway_itself_are_refused_with_a_reason() {
    let stack = Stack::new(TLS, &[]);
    let arrivals = [
        Arrival::Captured("198.18.7.7:80".parse().unwrap()),
        Arrival::Captured("169.254.169.254:80".parse().unwrap()),
        Arrival::Gateway("198.18.0.1:80".parse().unwrap()),
    ];
    for arrival in arrivals {
        let mut agent = stack.arrive(arrival, false).await;
        say(&mut agent, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert!(hear_all(&mut agent).await.starts_with("HTTP/1.1 403 "));
    }
    let story = stack.story().await;
    assert_eq!(story[0], "connect 198.18.7.7:80: address-not-named");
    assert_eq!(story[1], "connect 169.254.169.254:80: address-not-named");
    assert_eq!(story[2], "connect 198.18.0.1:80: control-plane");
}

#[tokio::test]
async fn a_connection_above_the_limit_is_refused_and_recorded() {
    let (listener, address) = listen().await;
    let stack = Stack::new(TLS, &[("api.test", address)]);
    let arrival = Arrival::Captured("api.test:80".parse().unwrap());
    let mut agent = stack.arrive(arrival, true).await;
    say(&mut agent, "GET / HTTP/1.1\r\nHost: api.test\r\n\r\n").await;
    assert!(hear_all(&mut agent).await.starts_with("HTTP/1.1 429 "));
    assert_eq!(stack.story().await, ["connect api.test:80: limit-reached"]);
    assert!(untouched(listener));
}

#[tokio::test]
async fn a_client_that_never_sends_its_hello_is_closed() {
    let (_listener, address) = listen().await;
    let mut config = Config::default();
    config.limits.head_timeout = std::time::Duration::from_millis(30);
    config.dial.hosts.insert(
        "api.test".parse().unwrap(),
        ringfence_gateway::HostTarget {
            address: address.ip(),
            port: Some(address.port()),
        },
    );
    let stack = Stack::with(TLS, config);
    let mut agent = stack.captured("api.test:443").await;
    say(&mut agent, &hello(Some("api.test"), false)[..20]).await;
    assert!(!matches!(agent.read(&mut [0; 8]).await, Ok(1..)));
    assert_eq!(
        stack.story().await,
        ["connect api.test:443: allow, timedout"]
    );
}

#[tokio::test]
async fn a_tunnel_is_cut_by_a_new_policy_and_new_ones_are_refused() {
    let (listener, address) = listen().await;
    let stack = Stack::new(TLS, &[("api.test", address)]);
    let mut agent = stack.captured("api.test:443").await;
    let hello = hello(Some("api.test"), false);
    say(&mut agent, &hello).await;
    let mut server = accept(&listener).await;
    hear(&mut server, hello.len()).await;
    stack.publish(2, TCP);
    assert!(!matches!(agent.read(&mut [0; 8]).await, Ok(1..)));
    assert!(!matches!(server.read(&mut [0; 8]).await, Ok(1..)));
    let mut agent = stack.captured("api.test:443").await;
    say(&mut agent, &hello).await;
    assert_eq!(hear(&mut agent, 7).await, alert(ACCESS_DENIED));
    drop(agent);
    let story = stack.story().await;
    assert_eq!(story[0], "connect api.test:443: allow, refused revoked");
    assert_eq!(story[1], "connect api.test:443: no-rule");
}

#[tokio::test]
async fn a_client_costs_little_memory_around_its_tunnel() {
    let stack = Stack::new(TLS, &[]);
    let sizes = stack.cost_of_a_client("api.test:443").await;
    assert!(sizes.iter().sum::<usize>() < 4096, "{sizes:?}");
}
