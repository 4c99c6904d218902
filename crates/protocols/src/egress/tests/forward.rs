//! Absolute-form requests to the explicit proxy: the same rules as on captured connections.

use std::time::Duration;

use ringfence_gateway::{Config, UpstreamProxy};
use tokio::net::{TcpListener, TcpStream};

use super::stack::{Stack, accept, hear_all, hear_until, listen, say, untouched};

const RULES: &str = r#"  - allow: { host: api.test, ports: [80], methods: [GET], paths: ["/open/**"] }
  - allow: { host: other.test, ports: [8080] }"#;
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn get(url: &str, host: &str) -> String {
    format!("GET {url} HTTP/1.1\r\nHost: {host}\r\nProxy-Connection: keep-alive\r\n\r\n")
}

#[tokio::test]
async fn each_destination_of_a_proxy_client_is_a_connection_of_its_own() {
    let (api, api_address) = listen().await;
    let (other, other_address) = listen().await;
    let hosts = [("api.test", api_address), ("other.test", other_address)];
    let stack = Stack::new(RULES, &hosts);
    let mut agent = stack.proxy().await;

    say(&mut agent, get("http://api.test/open/1", "api.test")).await;
    let mut api_side = accept(&api).await;
    let head = hear_until(&mut api_side, "\r\n\r\n").await;
    assert_eq!(head, "GET /open/1 HTTP/1.1\r\nHost: api.test\r\n\r\n");
    say(&mut api_side, OK).await;
    hear_until(&mut agent, "ok").await;

    say(
        &mut agent,
        get("http://other.test:8080/x", "other.test:8080"),
    )
    .await;
    let mut other_side = accept(&other).await;
    hear_until(&mut other_side, "\r\n\r\n").await;
    say(&mut other_side, OK).await;
    hear_until(&mut agent, "ok").await;

    say(&mut agent, get("http://evil.test/", "evil.test")).await;
    let answer = hear_until(&mut agent, "ask the operator to allow it.\n").await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    drop(agent);
    assert_eq!(
        stack.story().await,
        [
            "connect api.test:80: allow, done",
            "GET http://api.test:80/open/1: allow, 200",
            "connect other.test:8080: allow, done",
            "GET http://other.test:8080/x: allow, 200",
            "connect evil.test:80: no-rule",
        ]
    );
}

/// The next connection of an upstream; a request that came on an earlier one would leave none.
async fn accept_another(listener: &TcpListener) -> TcpStream {
    let accepted = tokio::time::timeout(Duration::from_secs(5), accept(listener));
    accepted.await.unwrap()
}

#[tokio::test]
async fn two_names_of_one_address_share_no_connection() {
    let (upstream, address) = listen().await;
    let hosts = [("api.test", address), ("other.test", address)];
    let stack = Stack::new(RULES, &hosts);
    let mut agent = stack.proxy().await;
    let mut sides = Vec::new();
    for (url, host) in [
        ("http://api.test/open/1", "api.test"),
        ("http://other.test:8080/x", "other.test:8080"),
        ("http://api.test/open/2", "api.test"),
    ] {
        say(&mut agent, get(url, host)).await;
        let mut side = accept_another(&upstream).await;
        let head = hear_until(&mut side, "\r\n\r\n").await;
        assert!(head.contains(&format!("Host: {host}\r\n")), "{head}");
        say(&mut side, OK).await;
        hear_until(&mut agent, "ok").await;
        sides.push(side);
    }
}

#[tokio::test]
async fn two_names_behind_one_upstream_proxy_share_no_connection() {
    let (proxy, address) = listen().await;
    let mut config = Config::default();
    let url = format!("http://{address}");
    config.dial.upstream_proxy = Some(UpstreamProxy::try_from(url).unwrap());
    let stack = Stack::with(RULES, config);
    let mut agent = stack.proxy().await;
    let mut sides = Vec::new();
    for (url, host, through) in [
        ("http://api.test/open/1", "api.test", "api.test:80"),
        (
            "http://other.test:8080/x",
            "other.test:8080",
            "other.test:8080",
        ),
    ] {
        say(&mut agent, get(url, host)).await;
        let mut side = accept_another(&proxy).await;
        let asked = hear_until(&mut side, "\r\n\r\n").await;
        assert!(asked.starts_with(&format!("CONNECT {through} ")), "{asked}");
        say(&mut side, "HTTP/1.1 200 OK\r\n\r\n").await;
        let head = hear_until(&mut side, "\r\n\r\n").await;
        assert!(head.contains(&format!("Host: {host}\r\n")), "{head}");
        say(&mut side, OK).await;
        hear_until(&mut agent, "ok").await;
        sides.push(side);
    }
}

#[tokio::test]
async fn methods_and_paths_are_decided_on_here_too() {
    let (listener, address) = listen().await;
    let stack = Stack::new(RULES, &[("api.test", address)]);
    for (request, reason) in [
        (
            get("http://api.test/closed", "api.test"),
            "path-not-allowed",
        ),
        (
            get("http://api.test/open/1", "api.test").replace("GET", "DELETE"),
            "method-not-allowed",
        ),
        (get("http://api.test/open/1", "other.test"), "host-mismatch"),
        (get("https://api.test/open/1", "api.test"), "malformed"),
        (get("/open/1", "api.test"), "malformed"),
        (
            get("http://api.test:443/open/1", "api.test:443"),
            "port-not-allowed",
        ),
        (get("http://198.18.0.1/", "198.18.0.1"), "control-plane"),
        (
            get("http://llm.ringfence.internal/", "llm.ringfence.internal"),
            "control-plane",
        ),
    ] {
        let mut agent = stack.proxy().await;
        say(
            &mut agent,
            request
                .replace("keep-alive", "close")
                .replace("Proxy-C", "C"),
        )
        .await;
        let answer = hear_all(&mut agent).await;
        let header = format!("X-Ringfence-Reason: {reason}\r\n");
        assert!(answer.contains(&header), "{request}: {answer}");
        let recorded = answer.contains("X-Ringfence-Event: ");
        assert_eq!(
            recorded,
            !request.starts_with("GET /"),
            "{request}: {answer}"
        );
    }
    assert_eq!(stack.findings().len(), 1);
    stack.story().await;
    assert!(untouched(listener));
}

#[tokio::test]
async fn an_upstream_that_is_not_there_is_a_bad_gateway() {
    let address = listen().await.1;
    let stack = Stack::new(RULES, &[("api.test", address)]);
    let mut agent = stack.proxy().await;
    say(&mut agent, get("http://api.test/open/1", "api.test")).await;
    let answer = hear_all(&mut agent).await;
    assert!(
        answer.starts_with("HTTP/1.1 502 Bad Gateway\r\n"),
        "{answer}"
    );
    assert!(
        answer.contains("X-Ringfence-Reason: upstream-failed"),
        "{answer}"
    );
    assert!(!answer.contains("ask the operator"), "{answer}");
    let story = stack.story().await;
    assert_eq!(
        story[1],
        "GET http://api.test:80/open/1: allow, upstreamfailed"
    );
}

#[tokio::test]
async fn a_request_that_is_refused_for_its_form_is_not_held_against_the_connection_before_it() {
    let (api, address) = listen().await;
    let stack = Stack::new(RULES, &[("api.test", address)]);
    let mut agent = stack.proxy().await;
    say(&mut agent, get("http://api.test/open/1", "api.test")).await;
    let mut server = accept(&api).await;
    hear_until(&mut server, "\r\n\r\n").await;
    say(&mut server, OK).await;
    hear_until(&mut agent, "ok").await;
    say(&mut agent, get("http://other.test:8080/x", "api.test")).await;
    let answer = hear_all(&mut agent).await;
    assert!(answer.contains("X-Ringfence-Event: "), "{answer}");
    assert_eq!(
        stack.story().await,
        [
            "connect api.test:80: allow, done",
            "GET http://api.test:80/open/1: allow, 200",
            "GET http://other.test:8080/x: host-mismatch",
        ]
    );
}

#[tokio::test]
async fn an_offer_of_http2_in_clear_text_is_not_passed_on() {
    let (api, address) = listen().await;
    let stack = Stack::new(RULES, &[("api.test", address)]);
    let offer =
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQA\r\n";
    for mut agent in [stack.proxy().await, stack.captured("api.test:80").await] {
        let head = format!("GET http://api.test/open/1 HTTP/1.1\r\nHost: api.test\r\n{offer}\r\n");
        say(&mut agent, head).await;
        let mut server = accept(&api).await;
        let head = hear_until(&mut server, "\r\n\r\n").await;
        assert_eq!(head, "GET /open/1 HTTP/1.1\r\nHost: api.test\r\n\r\n");
        say(&mut server, OK).await;
        assert_eq!(hear_until(&mut agent, "ok").await, OK);
    }
}
