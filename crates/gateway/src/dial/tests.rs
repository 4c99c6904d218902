//! What is dialled for a permit, and what is not.

use std::net::UdpSocket;

use ringfence_model::{HttpRequest, Outcome, ReasonCode, Scheme, Secret};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::{JoinSet, spawn_blocking};

use super::*;
use crate::pipeline::Stopped;
use crate::testing::{Stack, connect, hosts, listener};

const ANY: &str = "  - allow: { host: api.test, ports: [443], protocol: tcp }";

async fn accepted(listener: &TcpListener) -> TcpStream {
    listener.accept().await.unwrap().0
}

/// Answers every query with one address until it is dropped with the test.
fn name_server(answer: [u8; 4]) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    spawn_blocking(move || {
        let mut query = [0; 512];
        // Two questions: IPv6 and IPv4.
        for _ in 0..2 {
            let Ok((length, asker)) = socket.recv_from(&mut query) else {
                return;
            };
            let question_end =
                length.min(12 + query[12..length].iter().position(|o| *o == 0).unwrap() + 5);
            let is_v4 = query[question_end - 3] == 1;
            let mut reply = query[..question_end].to_vec();
            reply[2..12].copy_from_slice(&[0x85, 0x80, 0, 1, 0, u8::from(is_v4), 0, 0, 0, 0]);
            if is_v4 {
                reply.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
                reply.extend(answer);
            }
            socket.send_to(&reply, asker).unwrap();
        }
    });
    address
}

#[tokio::test]
async fn a_host_map_entry_leads_to_its_address_and_names_it() {
    let (listener, address) = listener().await;
    let stack = Stack::with(ANY, hosts(&[("api.test", address)]));
    let permit = stack.permit("api.test:443");
    let dialled = stack.gateway.dial(&permit).await.unwrap();
    accepted(&listener).await;
    assert_eq!(dialled.address, address);
    let event = permit.event();
    permit.finish(Outcome::Done);
    let closing = stack.audit.closing_of(event).unwrap();
    assert_eq!(closing.upstream.unwrap().address, address);
}

#[tokio::test]
async fn a_name_that_resolves_to_a_private_address_is_refused() {
    let mut config = Config::default();
    config.dial.dns_servers = vec![name_server([10, 1, 2, 3])];
    let stack = Stack::with(ANY, config);
    let permit = stack.permit("api.test:443");
    let event = permit.event();
    let error = stack.gateway.dial(&permit).await.unwrap_err();
    assert!(
        matches!(error, DialError::AddressNotPermitted { .. }),
        "{error}"
    );
    let Stopped::Refused(refusal) = error.settle(permit) else {
        panic!("not a refusal");
    };
    assert_eq!(refusal.code(), ReasonCode::AddressNotPublic);
    assert!(refusal.decision.reason.contains("10.1.2.3"));
    let next_step = refusal.decision.next_step.as_deref().unwrap();
    assert!(
        next_step.contains("`addresses: [\"10.1.2.3/32\"]`") && next_step.contains("[dial] hosts"),
        "{next_step}"
    );
    let closing = stack.audit.closing_of(event).unwrap();
    assert_eq!(
        closing.outcome,
        Outcome::Refused(ReasonCode::AddressNotPublic)
    );
    assert_eq!(closing.next_step.as_deref(), Some(next_step));
}

/// Dials what `rules` allow, and gives the rule that forbade it after all.
async fn forbidden_by(stack: &Stack, destination: &str) -> (ReasonCode, String) {
    let permit = stack.permit(destination);
    let event = permit.event();
    let error = stack.gateway.dial(&permit).await.unwrap_err();
    let Stopped::Refused(refusal) = error.settle(permit) else {
        panic!("not a refusal");
    };
    let closing = stack.audit.closing_of(event).unwrap();
    assert_eq!(closing.outcome, Outcome::Refused(refusal.code()));
    assert!(closing.next_step.is_some());
    (refusal.code(), refusal.decision.rule.unwrap().0)
}

#[tokio::test]
async fn a_forbidden_network_wins_over_the_host_map() {
    let (_listener, address) = listener().await;
    let port = address.port();
    for (ports, bars) in [
        (String::new(), true),
        (", ports: [443]".to_owned(), true),
        // The port that the map leads to, rather than the one that the agent sees.
        (format!(", ports: [{port}]"), true),
        (", ports: [1]".to_owned(), false),
    ] {
        let rules = format!("{ANY}\n  - forbid: {{ id: own, cidr: 127.0.0.0/8{ports} }}");
        let stack = Stack::with(&rules, hosts(&[("api.test", address)]));
        if bars {
            let found = forbidden_by(&stack, "api.test:443").await;
            let expected = (ReasonCode::Forbidden, "test/network/own".to_owned());
            assert_eq!(found, expected, "{ports}");
        } else {
            let permit = stack.permit("api.test:443");
            stack.gateway.dial(&permit).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_forbidden_network_wins_over_the_name_of_the_host() {
    let (_listener, address) = listener().await;
    let port = address.port();
    let rules = format!(
        "  - allow: {{ host: host.ringfence.internal, ports: [{port}] }}
  - forbid: {{ id: own, cidr: 127.0.0.1/32 }}"
    );
    let stack = Stack::new(&rules);
    let found = forbidden_by(&stack, &format!("host.ringfence.internal:{port}")).await;
    assert_eq!(found.0, ReasonCode::Forbidden);
}

#[tokio::test]
async fn a_resolved_address_that_a_rule_forbids_is_forbidden_by_that_rule() {
    let mut config = Config::default();
    config.dial.dns_servers = vec![name_server([192, 0, 2, 1])];
    let rules = format!("{ANY}\n  - forbid: {{ id: own, cidr: 192.0.2.0/24 }}");
    let stack = Stack::with(&rules, config);
    let found = forbidden_by(&stack, "api.test:443").await;
    assert_eq!(
        found,
        (ReasonCode::Forbidden, "test/network/own".to_owned())
    );
}

#[tokio::test]
async fn an_open_connection_is_cut_when_its_mapped_address_is_forbidden() {
    let (_listener, address) = listener().await;
    let stack = Stack::with(ANY, hosts(&[("api.test", address)]));
    let permit = stack.permit("api.test:443");
    let _dialled = stack.gateway.dial(&permit).await.unwrap();
    stack.publish(2, &format!("{ANY}\n  - forbid: {{ cidr: 127.0.0.0/8 }}"));
    let decision = stack.gateway.revoked(&permit).await;
    assert_eq!(decision.code, ReasonCode::Revoked);
}

#[tokio::test]
async fn a_rule_that_names_the_network_lets_the_name_resolve_into_it() {
    let (listener, address) = listener().await;
    let mut config = Config::default();
    config.dial.dns_servers = vec![name_server([127, 0, 0, 1])];
    let port = address.port();
    let rules = format!(
        "  - allow: {{ host: api.test, ports: [{port}], protocol: tcp, addresses: [127.0.0.0/8] }}"
    );
    let stack = Stack::with(&rules, config);
    let permit = stack.permit(&format!("api.test:{port}"));
    let dialled = stack.gateway.dial(&permit).await.unwrap();
    accepted(&listener).await;
    assert_eq!(dialled.address, address);
}

#[tokio::test]
async fn the_host_of_the_sandbox_is_its_loopback() {
    let (listener, address) = listener().await;
    let port = address.port();
    let rules = format!("  - allow: {{ host: host.ringfence.internal, ports: [{port}] }}");
    let stack = Stack::new(&rules);
    let permit = stack.permit(&format!("host.ringfence.internal:{port}"));
    let dialled = stack.gateway.dial(&permit).await.unwrap();
    accepted(&listener).await;
    assert_eq!(dialled.address, address);
}

#[tokio::test]
async fn the_gateways_own_listeners_are_never_dialled() {
    let (listener, address) = listener().await;
    for own in [address, SocketAddr::from(([0, 0, 0, 0], address.port()))] {
        let mut config = hosts(&[("api.test", address)]);
        config.forbidden = vec![own];
        let stack = Stack::with(ANY, config);
        let permit = stack.permit("api.test:443");
        let error = stack.gateway.dial(&permit).await.unwrap_err();
        assert!(matches!(error, DialError::ControlPlane), "{error}");
    }
    assert!(untouched(listener));
}

#[tokio::test]
async fn an_address_is_dialled_when_a_rule_names_its_network() {
    let (listener, address) = listener().await;
    let port = address.port();
    let rules = format!("  - allow: {{ cidr: 127.0.0.0/8, ports: [{port}], protocol: tcp }}");
    let stack = Stack::new(&rules);
    let permit = stack.permit(&address.to_string());
    let dialled = stack.gateway.dial(&permit).await.unwrap();
    accepted(&listener).await;
    assert_eq!(dialled.address, address);
}

#[tokio::test]
async fn an_upstream_that_is_not_there_is_a_failure_and_no_refusal() {
    let address = listener().await.1;
    let stack = Stack::with(ANY, hosts(&[("api.test", address)]));
    let permit = stack.permit("api.test:443");
    let event = permit.event();
    let error = stack.gateway.dial(&permit).await.unwrap_err();
    assert!(matches!(error.settle(permit), Stopped::Failed(_)));
    let outcome = stack.audit.closing_of(event).unwrap().outcome;
    assert_eq!(outcome, Outcome::UpstreamFailed);
}

/// Answers one `CONNECT` and returns its head.
async fn corporate_proxy(listener: TcpListener, answer: &'static str) -> String {
    let mut client = accepted(&listener).await;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.unwrap());
    }
    client.write_all(answer.as_bytes()).await.unwrap();
    String::from_utf8(head).unwrap()
}

fn through(proxy: SocketAddr) -> Config {
    let mut config = Config::default();
    config.dial.upstream_proxy = Some(UpstreamProxy {
        destination: proxy.to_string().parse().unwrap(),
        credentials: Some(Secret::new("user:pass")),
    });
    config
}

#[tokio::test]
async fn the_upstream_proxy_gets_the_name_and_our_credentials() {
    let (listener, address) = listener().await;
    let mut tasks = JoinSet::new();
    tasks.spawn(corporate_proxy(
        listener,
        "HTTP/1.1 200 OK\r\n\r\nSSH-2.0-x",
    ));
    let stack = Stack::with(ANY, through(address));
    let permit = stack.permit("api.test:443");
    let dialled = stack.gateway.dial(&permit).await.unwrap();
    let head = tasks.join_next().await.unwrap().unwrap();
    assert!(head.starts_with("CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\n"));
    assert!(head.contains("Proxy-Authorization: Basic dXNlcjpwYXNz\r\n"));
    // What the upstream said right behind the proxy's answer is not lost.
    let mut stream = dialled.stream;
    while stream.ahead().len() < 9 {
        stream.fill().await.unwrap();
    }
    assert_eq!(stream.ahead(), b"SSH-2.0-x");
}

#[tokio::test]
async fn an_upstream_proxy_that_refuses_is_named_in_the_failure() {
    let (listener, address) = listener().await;
    let mut tasks = JoinSet::new();
    tasks.spawn(corporate_proxy(
        listener,
        "HTTP/1.1 407 Authenticate\r\nContent-Length: 0\r\n\r\n",
    ));
    let stack = Stack::with(ANY, through(address));
    let permit = stack.permit("api.test:443");
    let error = stack.gateway.dial(&permit).await.unwrap_err();
    assert!(error.to_string().contains("407"), "{error}");
}

#[tokio::test]
async fn an_open_connection_is_cut_when_its_resolved_address_is_not_permitted_any_more() {
    let (_listener, address) = listener().await;
    let mut config = Config::default();
    config.dial.dns_servers = vec![name_server([127, 0, 0, 1])];
    let rules = |addresses: &str| {
        let port = address.port();
        format!("  - allow: {{ host: api.test, ports: [{port}], protocol: tcp{addresses} }}")
    };
    let stack = Stack::with(&rules(", addresses: [127.0.0.0/8]"), config);
    let permit = stack.permit(&format!("api.test:{}", address.port()));
    let _dialled = stack.gateway.dial(&permit).await.unwrap();
    stack.publish(2, &rules(""));
    let decision = stack.gateway.revoked(&permit).await;
    assert_eq!(decision.code, ReasonCode::Revoked);
}

#[tokio::test]
async fn a_connection_to_another_address_than_the_mapped_one_is_not_permitted() {
    let (_listener, address) = listener().await;
    let stack = Stack::with(ANY, hosts(&[("api.test", address)]));
    let permit = stack.permit("api.test:443");
    let still = |address| {
        let (destination, granted) = (permit.destination(), &permit.grant().addresses);
        stack
            .gateway
            .dialer()
            .still_permits(destination, address, granted)
    };
    assert!(still(address));
    assert!(!still(SocketAddr::from(([127, 0, 0, 2], address.port()))));
}

/// The policy says so before; the dialler does not take its word for it.
#[tokio::test]
async fn an_address_that_the_grant_does_not_cover_is_not_dialled() {
    let (listener, address) = listener().await;
    let stack = Stack::new(ANY);
    let permit = stack.permit("api.test:443");
    let destination = address.to_string().parse().unwrap();
    let dialling = stack
        .gateway
        .dialer()
        .dial(&destination, &permit.grant().addresses);
    let error = dialling.await.unwrap_err();
    assert!(
        matches!(error, DialError::AddressNotPermitted { .. }),
        "{error}"
    );
    assert!(untouched(listener));
}

/// What no list of addresses tells: an address of this host that is not loopback.
#[tokio::test]
async fn a_connection_that_leads_back_is_seen_by_its_two_ends() {
    let (_listener, address) = listener().await;
    let socket = connect(address).await;
    for (own, expected) in [
        (SocketAddr::from(([0, 0, 0, 0], address.port())), true),
        (address, true),
        (SocketAddr::from(([127, 0, 0, 2], address.port())), false),
        (SocketAddr::from(([0, 0, 0, 0], 1)), false),
    ] {
        let config = Config {
            forbidden: vec![own],
            ..Config::default()
        };
        let stack = Stack::with(ANY, config);
        let found = stack.gateway.dialer().is_loop(&socket, address);
        assert_eq!(found, expected, "{own}");
    }
}

/// Whether nobody has connected.
fn untouched(listener: TcpListener) -> bool {
    let accepted = listener.into_std().unwrap().accept();
    accepted.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}

#[tokio::test]
async fn a_redirect_through_the_upstream_proxy_leads_only_to_what_a_rule_allows() {
    let (listener, address) = listener().await;
    let mut tasks = JoinSet::new();
    tasks.spawn(corporate_proxy(listener, "HTTP/1.1 200 OK\r\n\r\n"));
    let rules = "  - allow: { host: api.test }\n  - allow: { host: files.test }";
    let stack = Stack::with(rules, through(address));
    let permit = stack.permit("api.test:443");
    let to = |destination: &str| {
        Action::Http(HttpRequest {
            destination: destination.parse().unwrap(),
            scheme: Scheme::Https,
            method: "GET".to_owned(),
            path: "/".to_owned(),
            query: None,
            headers: Vec::new(),
            content: None,
        })
    };
    let error = stack
        .gateway
        .dial_redirect(&permit, &to("intranet.test:443"))
        .await;
    assert!(matches!(error, Err(DialError::NotCovered(_))), "{error:?}");
    stack
        .gateway
        .dial_redirect(&permit, &to("files.test:443"))
        .await
        .unwrap();
    let head = tasks.join_next().await.unwrap().unwrap();
    assert!(head.starts_with("CONNECT files.test:443 "), "{head}");
}
