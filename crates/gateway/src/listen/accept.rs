//! The accept loop of one listener.

use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use super::capacity::Slot;
use super::origin::{Own, Target, target};
use super::{Handler, Incoming, Serving, dns};
use crate::limits::{ACCEPT_PAUSE, LINGER_IDLE};
use crate::stream::{Buffered, write_all};

/// The answer that tells the sandbox's self-test that a connection was captured. It is not a
/// secret: whoever reads it only learns where it is.
const CAPTURED: &[u8] = b"ringfence-captured\n";

/// Accepts until it is dropped. While there is no place to serve or to refuse a connection from,
/// the next ones wait in the kernel's backlog.
pub(super) async fn run<H: Handler>(serving: Arc<Serving<H>>, listener: TcpListener, own: Own) {
    loop {
        match listener.accept().await {
            Ok((socket, _)) => {
                let slot = serving.slots.take(serving.gateway.capacity()).await;
                admit(&serving, socket, own, slot);
            }
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
}

fn admit<H: Handler>(serving: &Arc<Serving<H>>, socket: TcpStream, own: Own, slot: Slot) {
    // A connection whose destination is not known is not served; closing it resets it.
    let Ok(target) = target(&socket, serving.capture, own) else {
        return;
    };
    if socket.set_nodelay(true).is_err() {
        return;
    }
    let serving = Arc::clone(serving);
    let tracker = serving.connections.clone();
    tracker.spawn(async move {
        tokio::select! {
            biased;
            () = serving.stop.cancelled() => {}
            () = serve(&serving, socket, target, slot.is_overflow()) => {}
        }
        drop(slot);
    });
}

async fn serve<H: Handler>(
    serving: &Serving<H>,
    socket: TcpStream,
    target: Target,
    over_limit: bool,
) {
    match target {
        Target::Handler(arrival) => {
            let incoming = Incoming {
                client: Buffered::new(socket),
                arrival,
                over_limit,
            };
            let (gateway, session) = (&serving.gateway, &serving.session);
            serving.handler.handle(gateway, session, incoming).await;
        }
        Target::Dns if over_limit => {}
        Target::Dns => dns::serve_tcp(&serving.session, Buffered::new(socket)).await,
        Target::SelfTest => {
            let _ = timeout(LINGER_IDLE, write_all(&socket, CAPTURED)).await;
        }
    }
}
