//! Listeners from the outside.

use std::sync::Arc;

use ringfence_model::Outcome;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::*;
use crate::testing::{Stack, connect, identity, pair};
use crate::wire::dns;

const TCP: &str = "  - allow: { host: api.test, ports: [22], protocol: tcp }";

/// Reports what arrives and holds it with a permit until the gateway stops.
struct Holder(mpsc::UnboundedSender<(Arrival, bool)>);

impl Handler for Holder {
    async fn handle(&self, gateway: &Arc<Gateway>, session: &Arc<Session>, incoming: Incoming) {
        let action = crate::testing::connect_to("api.test:22");
        let _permit = gateway.decide(session, action, None).unwrap();
        self.0
            .send((incoming.arrival, incoming.over_limit))
            .unwrap();
        std::future::pending::<()>().await;
    }
}

struct Served {
    stack: Stack,
    tcp: net::SocketAddr,
    udp: net::SocketAddr,
    arrivals: mpsc::UnboundedReceiver<(Arrival, bool)>,
    cancel: CancellationToken,
    serving: JoinSet<()>,
}

fn serve(config: crate::Config, capture: Capture) -> Served {
    let stack = Stack::with(TCP, config);
    let tcp = net::TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let (tcp_address, udp_address) = (tcp.local_addr().unwrap(), udp.local_addr().unwrap());
    let listeners = Listeners {
        tcp_v4: tcp,
        tcp_v6: None,
        dns: vec![udp],
        capture,
    };
    let (sender, arrivals) = mpsc::unbounded_channel();
    let cancel = CancellationToken::new();
    let mut serving = JoinSet::new();
    let (gateway, token) = (Arc::clone(&stack.gateway), cancel.clone());
    serving.spawn(async move {
        let handler = Arc::new(Holder(sender));
        gateway
            .serve(listeners, identity(), handler, token)
            .await
            .unwrap();
    });
    Served {
        stack,
        tcp: tcp_address,
        udp: udp_address,
        arrivals,
        cancel,
        serving,
    }
}

#[tokio::test]
async fn connections_above_the_limit_are_marked_and_the_others_are_not() {
    let mut config = crate::Config::default();
    config.limits.connections_per_sandbox = 1;
    let mut served = serve(config, Capture::ProxyOnly);
    let _first = connect(served.tcp).await;
    assert_eq!(served.arrivals.recv().await, Some((Arrival::Proxy, false)));
    let _second = connect(served.tcp).await;
    assert_eq!(served.arrivals.recv().await, Some((Arrival::Proxy, true)));
}

#[tokio::test]
async fn a_stopped_gateway_cuts_what_is_left_and_closes_every_event() {
    let mut served = serve(crate::Config::default(), Capture::ProxyOnly);
    let mut client = connect(served.tcp).await;
    served.arrivals.recv().await.unwrap();
    served.cancel.cancel();
    served.serving.join_next().await.unwrap().unwrap();
    let event = served.stack.audit.opened()[0].id;
    let outcome = served.stack.audit.closing_of(event).unwrap().outcome;
    assert_eq!(outcome, Outcome::Aborted);
    assert!(!matches!(client.read(&mut [0; 8]).await, Ok(1..)));
}

#[tokio::test]
async fn a_connection_straight_to_the_capture_port_is_one_to_the_gateway() {
    for capture in [Capture::AnyIp, Capture::Redirected] {
        let mut served = serve(crate::Config::default(), capture);
        let _client = connect(served.tcp).await;
        let own = served.tcp.to_string().parse().unwrap();
        let expected = (Arrival::Gateway(own), false);
        assert_eq!(served.arrivals.recv().await, Some(expected));
    }
}

/// A query for the address of `name`.
fn query(name: &str) -> Vec<u8> {
    let mut query = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        query.push(u8::try_from(label.len()).unwrap());
        query.extend(label.bytes());
    }
    query.extend([0, 0, 1, 0, 1]);
    query
}

#[tokio::test]
async fn datagrams_are_answered_with_synthetic_addresses_from_where_they_were_asked() {
    let served = serve(crate::Config::default(), Capture::ProxyOnly);
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(served.udp).await.unwrap();
    let mut answer = [0; 512];
    for junk in [&b""[..], b"\0", &[0xff; 3000]] {
        socket.send(junk).await.unwrap();
    }
    socket.send(&query("evil.test")).await.unwrap();
    let length = loop {
        let length = socket.recv(&mut answer).await.unwrap();
        if answer[..2] == [0x12, 0x34] {
            break length;
        }
    };
    let address: [u8; 4] = answer[length - 4..length].try_into().unwrap();
    assert!(dns::is_synthetic(address.into()), "{address:?}");
}

#[tokio::test]
async fn several_queries_are_answered_on_one_dns_connection() {
    let session = Session::new(identity());
    let (mut client, server) = pair().await;
    let mut framed = Vec::new();
    for name in ["a.test", "b.test"] {
        dns::write_frame(&query(name), &mut framed);
    }
    // The pieces of a message may come one by one.
    let (head, tail) = framed.split_at(17);
    let talk = async {
        client.write_all(head).await.unwrap();
        client.write_all(tail).await.unwrap();
        let first = read_answer(&mut client).await;
        let second = read_answer(&mut client).await;
        client.shutdown().await.unwrap();
        assert_ne!(first[first.len() - 4..], second[second.len() - 4..]);
    };
    tokio::join!(talk, super::dns::serve_tcp(&session, Buffered::new(server)));
    assert_eq!(session.names().len(), 2);
}

async fn read_answer(client: &mut TcpStream) -> Vec<u8> {
    let length = client.read_u16().await.unwrap();
    let mut answer = vec![0; usize::from(length)];
    client.read_exact(&mut answer).await.unwrap();
    answer
}
