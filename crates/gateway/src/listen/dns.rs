//! The DNS responder's sockets. Every answer is made up here from the sandbox's map of names;
//! nothing is ever forwarded.

use std::io;
use std::sync::Arc;

use tokio::net::UdpSocket;
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};

use super::Serving;
use crate::limits::{ACCEPT_PAUSE, DNS_BURST, DNS_TCP_IDLE, DNS_TCP_QUERIES};
use crate::pipeline::Session;
use crate::stream::Buffered;
use crate::wire::dns::{read_frame, respond, write_frame};
use crate::wire::limits::DNS_QUERY_OCTETS;

/// Answers datagrams until it is dropped. The socket is bound to the address that it is asked
/// on, so answers come from there.
pub(super) async fn run<H>(serving: Arc<Serving<H>>, socket: UdpSocket) {
    let mut answered = 0;
    loop {
        if socket.readable().await.is_err() {
            sleep(ACCEPT_PAUSE).await;
            continue;
        }
        match answer_one(&serving.session, &socket) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => answered = 0,
            Ok(()) | Err(_) => answered += 1,
        }
        if answered >= DNS_BURST {
            answered = 0;
            yield_now().await;
        }
    }
}

/// A query that fills the buffer was too long and is answered as the malformed one it is now.
/// An answer that the socket does not take at once is lost, as datagrams may be.
fn answer_one(session: &Session, socket: &UdpSocket) -> io::Result<()> {
    let mut buffer = [0; DNS_QUERY_OCTETS];
    let (length, asker) = socket.try_recv_from(&mut buffer)?;
    let query = buffer.get(..length).unwrap_or_default();
    let answer = respond(query, &mut session.names());
    if let Some(answer) = answer {
        let _ = socket.try_send_to(&answer, asker);
    }
    Ok(())
}

/// Answers the queries of one DNS connection, a bounded number of them.
pub(super) async fn serve_tcp(session: &Session, mut client: Buffered) {
    for _ in 0..DNS_TCP_QUERIES {
        match timeout(DNS_TCP_IDLE, serve_query(session, &mut client)).await {
            Ok(Ok(true)) => {}
            _ => return,
        }
    }
}

/// False at the end of the connection, and for what is no query.
async fn serve_query(session: &Session, client: &mut Buffered) -> io::Result<bool> {
    loop {
        let frame = read_frame(client.ahead()).map_err(io::Error::other)?;
        let Some((query, used)) = frame else {
            if client.fill().await? == 0 {
                return Ok(false);
            }
            continue;
        };
        let answer = respond(query, &mut session.names());
        client.consume(used);
        let Some(answer) = answer else {
            return Ok(false);
        };
        let mut out = Vec::with_capacity(answer.len() + 2);
        write_frame(&answer, &mut out);
        client.write_all(&out).await?;
        return Ok(true);
    }
}
