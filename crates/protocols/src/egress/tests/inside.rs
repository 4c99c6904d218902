//! What is refused, or read, inside TLS: here as far as the handshake, which shows that it is not
//! an alert that the client gets. What it reads then is in the end-to-end tests.

use ringfence_gateway::Arrival;
use ringfence_model::{Outcome, ReasonCode};

use super::stack::{Stack, hear, hear_all, hello, listen, say, untouched, whole_hello};

const READ: &str = "  - allow: { host: api.test, ports: [443], methods: [GET] }";
const HANDSHAKE: u8 = 0x16;
const ALERT: u8 = 0x15;

#[tokio::test]
async fn a_denied_destination_is_refused_inside_tls_where_clients_trust_the_authority() {
    let (listener, address) = listen().await;
    let stack = Stack::new(READ, &[("evil.test", address)]).with_authority();
    let mut agent = stack.captured("evil.test:443").await;
    say(&mut agent, whole_hello("evil.test")).await;
    assert_eq!(hear(&mut agent, 1).await, [HANDSHAKE]);
    drop(agent);
    assert_eq!(stack.story().await, ["connect evil.test:443: no-rule"]);
    assert!(untouched(listener));
}

#[tokio::test]
async fn a_denied_tunnel_of_the_proxy_is_refused_inside_tls_on_the_port_of_https_only() {
    let stack = Stack::new(READ, &[]).with_authority();
    let mut agent = stack.proxy().await;
    say(
        &mut agent,
        "CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n\r\n",
    )
    .await;
    let open = "HTTP/1.1 200 Connection established\r\n\r\n";
    assert_eq!(hear(&mut agent, open.len()).await, open.as_bytes());
    say(&mut agent, whole_hello("evil.test")).await;
    assert_eq!(hear(&mut agent, 1).await, [HANDSHAKE]);
    drop(agent);
    let mut agent = stack.proxy().await;
    say(
        &mut agent,
        "CONNECT evil.test:22 HTTP/1.1\r\nHost: evil.test:22\r\n\r\n",
    )
    .await;
    assert!(hear_all(&mut agent).await.starts_with("HTTP/1.1 403 "));
    let refused = [
        "connect evil.test:443: no-rule",
        "connect evil.test:22: no-rule",
    ];
    assert_eq!(stack.story().await, refused);
}

#[tokio::test]
async fn a_hello_that_cannot_be_checked_still_gets_an_alert() {
    let (listener, address) = listen().await;
    for (sni, ech, code) in [
        (Some("evil.test"), false, ReasonCode::SniMismatch),
        (None, false, ReasonCode::SniMissing),
        (Some("api.test"), true, ReasonCode::EncryptedClientHello),
    ] {
        let stack = Stack::new(READ, &[("api.test", address)]).with_authority();
        let mut agent = stack.captured("api.test:443").await;
        say(&mut agent, hello(sni, ech)).await;
        assert_eq!(hear(&mut agent, 1).await, [ALERT], "{code}");
        drop(agent);
        let expected = format!("connect api.test:443: allow, refused {code}");
        assert_eq!(stack.story().await, [expected]);
    }
    assert!(untouched(listener));
}

#[tokio::test]
async fn a_rule_that_looks_inside_https_has_the_gateway_speak_tls_and_dials_nothing_yet() {
    let (listener, address) = listen().await;
    let stack = Stack::new(READ, &[("api.test", address)]).with_authority();
    for entry in [
        "",
        "CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\n\r\n",
    ] {
        let mut agent = if entry.is_empty() {
            stack.captured("api.test:443").await
        } else {
            stack.proxy().await
        };
        say(&mut agent, entry).await;
        if !entry.is_empty() {
            hear(&mut agent, 39).await;
        }
        say(&mut agent, whole_hello("api.test")).await;
        assert_eq!(hear(&mut agent, 1).await, [HANDSHAKE]);
        drop(agent);
    }
    let closing = stack.closing("connect api.test:443").await;
    assert_eq!(closing.outcome, Outcome::Aborted);
    let detail = closing.detail.unwrap();
    assert!(
        detail.contains("may not trust the sandbox's authority"),
        "{detail}"
    );
    stack.story().await;
    assert!(untouched(listener));
}

#[tokio::test]
async fn without_an_authority_https_is_not_read() {
    let (listener, address) = listen().await;
    let stack = Stack::new(READ, &[("api.test", address)]);
    let mut agent = stack.captured("api.test:443").await;
    say(&mut agent, hello(Some("api.test"), false)).await;
    assert_eq!(hear(&mut agent, 1).await, [ALERT]);
    drop(agent);
    let refused = "connect api.test:443: allow, refused needs-interception";
    assert_eq!(stack.story().await, [refused]);
    assert!(untouched(listener));
}

#[tokio::test]
async fn a_connection_above_the_limit_costs_no_handshake() {
    let stack = Stack::new(READ, &[]).with_authority();
    let arrival = Arrival::Captured("api.test:443".parse().unwrap());
    let mut agent = stack.arrive(arrival, true).await;
    say(&mut agent, hello(Some("api.test"), false)).await;
    assert_eq!(hear(&mut agent, 1).await, [ALERT]);
}
