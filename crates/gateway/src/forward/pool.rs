//! The upstream connections of one client connection, kept from one request to the next. They are
//! never shared between clients: who shares a connection shares its fate and its secrets.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use hyper::client::conn::{http1, http2};
use ringfence_model::mcp::McpServer;
use ringfence_model::{Destination, Scheme};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::fault::Fault;
use super::hosted;
use super::lease::{Lease, Sender};
use super::open::{Target, open};
use super::over_ssh::{self, Over};
use super::payload::Outgoing;
use crate::limits::{UPSTREAM_CONNECTIONS, UPSTREAM_READY_WAIT};
use crate::local::{Inbox, Tasks};
use crate::pipeline::{Gateway, Permit, Subject};

/// Holds the upstream connections of one client connection.
pub struct UpstreamPool {
    /// Takes what moves octets on them.
    pub(super) tasks: Inbox,
    /// The client connection, where it is recorded.
    connection: Option<Arc<Subject>>,
    kept: Mutex<Kept>,
    opening: Semaphore,
    turns: Arc<Semaphore>,
}

#[derive(Default)]
struct Kept {
    /// Several requests at once, so it is not taken out while it is used.
    shared: Vec<Shared>,
    /// One request at a time.
    idle: Vec<Idle>,
    /// Whether the last connection that was opened carries one request at a time, so that there
    /// is no use in waiting for it.
    one_at_a_time: bool,
}

struct Shared {
    route: Route,
    address: SocketAddr,
    sender: http2::SendRequest<Outgoing>,
}

struct Idle {
    route: Route,
    address: SocketAddr,
    sender: http1::SendRequest<Outgoing>,
}

/// Connections of one route are as good as each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) destination: Destination,
    pub(super) scheme: Scheme,
    /// The client certificate that it was opened with.
    pub(super) identity: Option<[u8; 32]>,
}

/// Moves the octets on the connections of a pool, and ends them when it is dropped.
pub struct UpstreamTasks(Tasks);

impl UpstreamTasks {
    /// Does so for ever.
    pub(crate) async fn run(mut self) {
        poll_fn(|cx| {
            self.0.poll(cx);
            Poll::<()>::Pending
        })
        .await;
    }
}

impl UpstreamPool {
    /// For the client connection that `connection` allows; see [`Gateway::attend`] for the rest.
    #[must_use]
    pub fn new(connection: &Permit) -> (Arc<Self>, UpstreamTasks) {
        Self::of(Some(Arc::clone(connection.subject())))
    }

    pub(super) fn of(connection: Option<Arc<Subject>>) -> (Arc<Self>, UpstreamTasks) {
        let tasks = Tasks::default();
        let pool = Self {
            tasks: tasks.inbox(),
            connection,
            kept: Mutex::default(),
            opening: Semaphore::new(1),
            turns: Arc::new(Semaphore::new(UPSTREAM_CONNECTIONS)),
        };
        (Arc::new(pool), UpstreamTasks(tasks))
    }

    /// A connection to where `permit` leads: one that is there, else a new one.
    pub(super) async fn lease(
        self: &Arc<Self>,
        gateway: &Gateway,
        permit: &Permit,
        target: &Target<'_>,
        fresh: bool,
    ) -> Result<Lease, Fault> {
        let usable = |address: SocketAddr| {
            let addresses = &permit.grant().addresses;
            let dialer = gateway.dialer();
            dialer.still_permits(permit.destination(), address, addresses)
        };
        if !fresh && let Some(lease) = self.shared(target, usable) {
            permit.note_address(lease.address);
            return Ok(lease);
        }
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.map_err(|_| Fault::Upstream("the connection is closed".to_owned()))?;
        // Of several requests at once, the first finds out whether they can share a connection.
        let opening = self.opening.acquire().await;
        if !fresh {
            let found = match self.shared(target, usable) {
                Some(lease) => Some(lease),
                None => self.idle(target, usable).await,
            };
            if let Some(lease) = found {
                permit.note_address(lease.address);
                return Ok(lease.holding(turn));
            }
        }
        let waiting = (!self.kept().one_at_a_time).then_some(opening);
        // In a box, since most requests need no new one.
        let opened = Box::pin(open(gateway, permit, target, &self.tasks)).await?;
        if let Some(connection) = &self.connection {
            connection.note_reached(opened.1);
        }
        let lease = self.take_in(target, opened);
        drop(waiting);
        Ok(lease.holding(turn))
    }

    /// A connection over SSH, which serves one request and is not kept.
    pub(super) async fn lease_ssh(
        self: &Arc<Self>,
        gateway: &Gateway,
        permit: &Permit,
        over: Over<'_>,
    ) -> Result<Lease, Fault> {
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.map_err(|_| Fault::Upstream("the connection is closed".to_owned()))?;
        let route = Route {
            destination: permit.destination().clone(),
            scheme: Scheme::Https,
            identity: None,
        };
        let opening = over_ssh::open(gateway, permit, over, &self.tasks);
        let (sender, address) = Box::pin(opening).await?;
        Ok(Lease::alone(sender, address, route).holding(turn))
    }

    /// What leads to a server that is started as a program. It serves one request and is not kept.
    pub(super) async fn lease_hosted(
        self: &Arc<Self>,
        gateway: &Gateway,
        server: Arc<McpServer>,
    ) -> Result<Lease, Fault> {
        let route = Route {
            destination: server.destination.clone(),
            scheme: server.scheme,
            identity: None,
        };
        // It takes no turn: who listens to the server must not keep others from asking it.
        let (sender, address) = Box::pin(hosted::open(gateway, server, &self.tasks)).await?;
        Ok(Lease::alone(sender, address, route))
    }

    fn shared(
        self: &Arc<Self>,
        target: &Target<'_>,
        usable: impl Fn(SocketAddr) -> bool,
    ) -> Option<Lease> {
        if !target.may_share {
            return None;
        }
        let mut kept = self.kept();
        kept.shared.retain(|shared| !shared.sender.is_closed());
        let found = kept
            .shared
            .iter()
            .find(|shared| shared.route == target.route && usable(shared.address))?;
        Some(self.lend(
            target,
            (found.address, true),
            Sender::Http2(found.sender.clone()),
        ))
    }

    async fn idle(
        self: &Arc<Self>,
        target: &Target<'_>,
        usable: impl Fn(SocketAddr) -> bool,
    ) -> Option<Lease> {
        while let Some(idle) = self.take_idle(&target.route) {
            let Idle {
                mut sender,
                address,
                ..
            } = idle;
            if !usable(address) || sender.is_closed() {
                continue;
            }
            let ready = sender.is_ready()
                || matches!(
                    timeout(UPSTREAM_READY_WAIT, sender.ready()).await,
                    Ok(Ok(()))
                );
            if ready {
                return Some(self.lend(target, (address, true), Sender::Http1(sender)));
            }
        }
        None
    }

    fn take_idle(&self, route: &Route) -> Option<Idle> {
        let mut kept = self.kept();
        let at = kept.idle.iter().rposition(|idle| idle.route == *route)?;
        Some(kept.idle.swap_remove(at))
    }

    fn take_in(self: &Arc<Self>, target: &Target<'_>, opened: (Sender, SocketAddr)) -> Lease {
        let (sender, address) = opened;
        let mut kept = self.kept();
        kept.one_at_a_time = matches!(sender, Sender::Http1(_));
        if let Sender::Http2(sender) = &sender {
            kept.shared.push(Shared {
                route: target.route.clone(),
                address,
                sender: sender.clone(),
            });
        }
        drop(kept);
        self.lend(target, (address, false), sender)
    }

    fn lend(
        self: &Arc<Self>,
        target: &Target<'_>,
        (address, reused): (SocketAddr, bool),
        sender: Sender,
    ) -> Lease {
        Lease::of(
            Arc::downgrade(self),
            target.route.clone(),
            (address, reused),
            sender,
        )
    }

    /// Keeps a connection for the next request.
    pub(super) fn keep(
        &self,
        route: Route,
        address: SocketAddr,
        sender: http1::SendRequest<Outgoing>,
    ) {
        let mut kept = self.kept();
        kept.idle.retain(|idle| !idle.sender.is_closed());
        if !sender.is_closed() && kept.idle.len() < UPSTREAM_CONNECTIONS {
            kept.idle.push(Idle {
                route,
                address,
                sender,
            });
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
