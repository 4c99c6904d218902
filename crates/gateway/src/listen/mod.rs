//! Accepts what a sandbox sends: captured TCP connections, explicit proxy connections and DNS.
//! The listeners live in the sandbox's network namespace and are held here, outside, so the
//! listener that a connection arrived on is the identity of the agent.

mod accept;
mod capacity;
mod dns;
mod origin;

use std::io;
use std::net;
use std::sync::Arc;

use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::limits::DRAIN;
use crate::pipeline::{Admission, Gateway, Session};
use crate::stream::Buffered;
pub(crate) use capacity::Capacity;
pub use origin::Arrival;

/// The sockets of one sandbox, made inside its network namespace.
#[derive(Debug)]
pub struct Listeners {
    /// Where IPv4 connections arrive.
    pub tcp_v4: net::TcpListener,
    /// Where IPv6 connections arrive.
    pub tcp_v6: Option<net::TcpListener>,
    /// Where DNS queries arrive.
    pub dns: Vec<net::UdpSocket>,
    /// How connections come to the listeners.
    pub capture: Capture,
}

/// How connections come to the listeners, and so where their destination is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capture {
    /// Redirected by netfilter: connection tracking knows the original destination.
    Redirected,
    /// Every address is local: the accepted socket's own address is the destination.
    AnyIp,
    /// Not captured: every connection is one to the explicit proxy.
    ProxyOnly,
}

/// A connection that was accepted.
#[derive(Debug)]
pub struct Incoming {
    /// The connection, of which nothing was read.
    pub client: Buffered,
    /// Where it was going.
    pub arrival: Arrival,
    /// Whether it is above the limits: it may only be refused, with
    /// [`ringfence_model::ReasonCode::LimitReached`].
    pub over_limit: bool,
}

/// What speaks the agents' protocols; the crate above implements it.
pub trait Handler: Send + Sync + 'static {
    /// Serves one connection to its end. Dropped when the gateway stops.
    fn handle(
        &self,
        gateway: &Arc<Gateway>,
        session: &Arc<Session>,
        incoming: Incoming,
    ) -> impl Future<Output = ()> + Send;
}

/// The sockets of a sandbox cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the listeners of the sandbox cannot be used")]
pub struct ServeError(#[from] io::Error);

impl Gateway {
    /// Serves one sandbox until `cancel`, then lets its connections end for a moment, cuts the
    /// rest and returns when every event is closed.
    ///
    /// # Errors
    /// Where the sockets cannot be used; nothing was accepted then.
    pub async fn serve<H: Handler>(
        self: &Arc<Self>,
        listeners: Listeners,
        admission: impl Into<Admission>,
        handler: Arc<H>,
        cancel: CancellationToken,
    ) -> Result<(), ServeError> {
        let serving = Arc::new(Serving {
            gateway: Arc::clone(self),
            session: Arc::new(Session::new(admission)),
            handler,
            capture: listeners.capture,
            slots: capacity::Slots::new(self.limits().connections_per_sandbox),
            connections: TaskTracker::new(),
            stop: CancellationToken::new(),
        });
        let mut loops = JoinSet::new();
        let tcp = [Some(listeners.tcp_v4), listeners.tcp_v6];
        for listener in tcp.into_iter().flatten() {
            listener.set_nonblocking(true)?;
            let listener = TcpListener::from_std(listener)?;
            let own = origin::Own::of(&listener)?;
            loops.spawn(accept::run(Arc::clone(&serving), listener, own));
        }
        for socket in listeners.dns {
            socket.set_nonblocking(true)?;
            loops.spawn(dns::run(Arc::clone(&serving), UdpSocket::from_std(socket)?));
        }
        cancel.cancelled().await;
        loops.shutdown().await;
        serving.drain().await;
        self.settle_findings(&serving.session);
        self.settle_told(&serving.session);
        Ok(())
    }
}

/// What the loops of one sandbox share.
struct Serving<H> {
    gateway: Arc<Gateway>,
    session: Arc<Session>,
    handler: Arc<H>,
    capture: Capture,
    slots: capacity::Slots,
    connections: TaskTracker,
    stop: CancellationToken,
}

impl<H> Serving<H> {
    async fn drain(&self) {
        self.connections.close();
        if timeout(DRAIN, self.connections.wait()).await.is_err() {
            self.stop.cancel();
            self.connections.wait().await;
        }
    }
}

#[cfg(test)]
mod tests;
