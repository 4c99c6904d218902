//! Tunnels between real sockets.

use std::sync::Arc;

use ringfence_model::EventId;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::*;
use crate::Config;
use crate::testing::{Stack, pair};

const TCP: &str = "  - allow: { host: api.test, ports: [22], protocol: tcp }";

/// A running tunnel: what the agent holds, what the upstream holds, and its end.
struct Running {
    stack: Arc<Stack>,
    agent: TcpStream,
    server: TcpStream,
    event: EventId,
    ending: JoinSet<Option<Refusal>>,
}

async fn tunnel(stack: Stack, opening: Opening) -> Running {
    let stack = Arc::new(stack);
    let (agent, client) = pair().await;
    let (upstream, server) = pair().await;
    let permit = stack.permit("api.test:22");
    let event = permit.event();
    let mut ending = JoinSet::new();
    let gateway = Arc::clone(&stack.gateway);
    ending.spawn(async move {
        let (mut client, mut upstream) = (Buffered::new(client), Buffered::new(upstream));
        let ending = gateway
            .relay(&permit, &mut client, &mut upstream, opening)
            .await;
        ending.settle(permit)
    });
    Running {
        stack,
        agent,
        server,
        event,
        ending,
    }
}

impl Running {
    async fn outcome(&mut self) -> Outcome {
        self.ending.join_next().await.unwrap().unwrap();
        self.stack.audit.closing_of(self.event).unwrap().outcome
    }
}

/// Bytes whose order and number show.
fn pattern(octets: usize) -> Vec<u8> {
    (0..=250_u8).cycle().take(octets).collect()
}

#[tokio::test]
async fn each_side_may_close_first_and_still_listen() {
    for agent_first in [true, false] {
        let mut tunnel = tunnel(Stack::new(TCP), Opening::Known).await;
        let (first, second) = if agent_first {
            (&mut tunnel.agent, &mut tunnel.server)
        } else {
            (&mut tunnel.server, &mut tunnel.agent)
        };
        first.write_all(b"question").await.unwrap();
        first.shutdown().await.unwrap();
        let mut heard = Vec::new();
        second.read_to_end(&mut heard).await.unwrap();
        assert_eq!(heard, b"question");
        second.write_all(b"a longer answer").await.unwrap();
        second.shutdown().await.unwrap();
        let mut heard = Vec::new();
        first.read_to_end(&mut heard).await.unwrap();
        assert_eq!(heard, b"a longer answer");
        assert_eq!(tunnel.outcome().await, Outcome::Done);
    }
}

#[tokio::test]
async fn much_data_passes_whole_in_both_directions_at_once() {
    let tunnel = tunnel(Stack::new(TCP), Opening::Known).await;
    let sent = pattern(24 * 1024 * 1024);
    let mut sides = JoinSet::new();
    for side in [tunnel.agent, tunnel.server] {
        let sent = sent.clone();
        sides.spawn(async move {
            let (mut reading, mut writing) = side.into_split();
            let mut heard = Vec::new();
            let write = async {
                writing.write_all(&sent).await.unwrap();
                writing.shutdown().await.unwrap();
            };
            let read = reading.read_to_end(&mut heard);
            let (_, read) = tokio::join!(write, read);
            read.unwrap();
            assert!(heard == sent, "the bytes differ");
        });
    }
    while let Some(side) = sides.join_next().await {
        side.unwrap();
    }
    let mut ending = tunnel.ending;
    ending.join_next().await.unwrap().unwrap();
    let closing = tunnel.stack.audit.closing_of(tunnel.event).unwrap();
    assert_eq!(
        (closing.sent, closing.received),
        (sent.len() as u64, sent.len() as u64)
    );
    // The tunnel spliced: it needed pipes, and none of them is in use any more.
    let (in_use, kept) = tunnel.stack.gateway.pipes().counts();
    assert_eq!(in_use, 0);
    assert!(kept > 0);
}

#[tokio::test]
async fn a_tunnel_that_paused_after_bulk_holds_no_pipe_and_still_works() {
    let mut tunnel = tunnel(Stack::new(TCP), Opening::Known).await;
    let sent = pattern(4 * 1024 * 1024);
    let mut heard = vec![0; sent.len()];
    let (write, read) = tokio::join!(
        tunnel.agent.write_all(&sent),
        tunnel.server.read_exact(&mut heard)
    );
    write.unwrap();
    read.unwrap();
    tunnel.server.write_all(b"x").await.unwrap();
    assert_eq!(tunnel.agent.read_u8().await.unwrap(), b'x');
    assert_eq!(tunnel.stack.gateway.pipes().counts().0, 0);
    tunnel.agent.write_all(b"y").await.unwrap();
    assert_eq!(tunnel.server.read_u8().await.unwrap(), b'y');
}

#[tokio::test]
async fn a_tunnel_is_cut_when_the_policy_takes_it_back() {
    let mut tunnel = tunnel(Stack::new(TCP), Opening::Known).await;
    tunnel.agent.write_all(b"x").await.unwrap();
    assert_eq!(tunnel.server.read_u8().await.unwrap(), b'x');
    tunnel.stack.publish(2, "  - allow: { host: other.test }");
    // Neither side does anything: both connections end all the same.
    assert!(!matches!(tunnel.agent.read(&mut [0; 8]).await, Ok(1..)));
    assert!(!matches!(tunnel.server.read(&mut [0; 8]).await, Ok(1..)));
    let revoked = Outcome::Refused(ReasonCode::Revoked);
    assert_eq!(tunnel.outcome().await, revoked);
}

#[tokio::test]
async fn a_tunnel_is_cut_even_if_nobody_reads() {
    let mut tunnel = tunnel(Stack::new(TCP), Opening::Known).await;
    let flood = vec![b'.'; 1024 * 1024];
    for side in [&mut tunnel.server, &mut tunnel.agent] {
        // Until neither the tunnel nor the kernel takes any more.
        let writing = async { while side.write_all(&flood).await.is_ok() {} };
        let stuck = tokio::time::timeout(Duration::from_millis(500), writing);
        assert!(stuck.await.is_err());
    }
    tunnel.stack.publish(2, "  - allow: { host: other.test }");
    let ended = tokio::time::timeout(Duration::from_secs(2), tunnel.outcome());
    let revoked = Outcome::Refused(ReasonCode::Revoked);
    assert_eq!(ended.await.unwrap(), revoked);
}

#[tokio::test]
async fn no_byte_passes_when_the_policy_changed_before_the_tunnel_began() {
    let stack = Stack::new(TCP);
    let permit = stack.permit("api.test:22");
    stack.publish(2, "  - allow: { host: other.test }");
    let (mut agent, client) = pair().await;
    let (upstream, mut server) = pair().await;
    agent.write_all(b"x").await.unwrap();
    let mut client = Buffered::new(client);
    client.fill().await.unwrap();
    let mut upstream = Buffered::new(upstream);
    let relay = stack
        .gateway
        .relay(&permit, &mut client, &mut upstream, Opening::Known);
    assert!(matches!(relay.await, Ending::Revoked(_)));
    drop(upstream);
    assert_eq!(server.read(&mut [0; 8]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_tunnel_in_which_nothing_moves_times_out() {
    let mut config = Config::default();
    config.limits.idle_timeout = Duration::from_millis(50);
    let mut tunnel = tunnel(Stack::with(TCP, config), Opening::Known).await;
    assert_eq!(tunnel.outcome().await, Outcome::TimedOut);
}

#[tokio::test]
async fn the_longest_life_holds_for_a_busy_tunnel_too() {
    let mut config = Config::default();
    config.limits.total_timeout = Duration::from_millis(50);
    let mut tunnel = tunnel(Stack::with(TCP, config), Opening::Known).await;
    let mut heard = [0; 1024];
    while tunnel.agent.write_all(&[0; 1024]).await.is_ok() {
        let Ok(1..) = tunnel.server.read(&mut heard).await else {
            break;
        };
    }
    assert_eq!(tunnel.outcome().await, Outcome::TimedOut);
}

#[tokio::test]
async fn a_side_that_breaks_off_ends_the_other_one() {
    let mut tunnel = tunnel(Stack::new(TCP), Opening::Known).await;
    tunnel.server.set_zero_linger().unwrap();
    let Running {
        server, mut agent, ..
    } = tunnel;
    drop(server);
    assert!(!matches!(agent.read(&mut [0; 8]).await, Ok(1..)));
    tunnel.ending.join_next().await.unwrap().unwrap();
    let outcome = tunnel.stack.audit.closing_of(tunnel.event).unwrap().outcome;
    assert_eq!(outcome, Outcome::Aborted);
}

#[tokio::test]
async fn a_connection_of_a_tunnel_keeps_its_memory_small() {
    let stack = Stack::new(TCP);
    let permit = stack.permit("api.test:22");
    let (_agent, client) = pair().await;
    let (upstream, _server) = pair().await;
    let (mut client, mut upstream) = (Buffered::new(client), Buffered::new(upstream));
    let relay = stack
        .gateway
        .relay(&permit, &mut client, &mut upstream, Opening::Known);
    let octets = size_of_val(&relay) + size_of::<Permit>();
    assert!(octets < 4096, "{octets}");
}
