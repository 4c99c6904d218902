//! One upstream connection in the hands of one request.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use tokio::sync::{Notify, OwnedSemaphorePermit};

use super::fault::in_words;
use super::payload::{Outgoing, Progress};
use super::pool::{Route, UpstreamPool};
use crate::limits::INTERIM_RESPONSES;

/// A connection, as long as one request uses it.
pub(super) struct Lease {
    pub(super) sender: Sender,
    pub(super) address: SocketAddr,
    /// Whether it was there before, so that the upstream may have closed it.
    pub(super) reused: bool,
    route: Route,
    pool: Weak<UpstreamPool>,
    /// That of the request body.
    progress: Option<Arc<Progress>>,
    _turn: Option<OwnedSemaphorePermit>,
}

/// Counts the interim responses to one request.
#[derive(Default)]
struct Interim {
    count: AtomicUsize,
    over: Notify,
}

/// The two kinds of connections.
pub(super) enum Sender {
    Http1(http1::SendRequest<Outgoing>),
    Http2(http2::SendRequest<Outgoing>),
}

/// A request that got no response. It is there again where nothing of it was sent.
pub(super) struct Unsent {
    pub(super) error: NoResponse,
    pub(super) request: Option<Request<Outgoing>>,
}

/// Why there was no response.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoResponse {
    /// The connection or the request broke.
    #[error("the upstream broke off: {}", in_words(.0))]
    Broken(hyper::Error),
    /// The upstream kept announcing one.
    #[error("the upstream sent more than {INTERIM_RESPONSES} interim responses")]
    Announced,
}

impl Lease {
    /// A connection that no pool keeps.
    pub(super) const fn alone(sender: Sender, address: SocketAddr, route: Route) -> Self {
        Self::of(Weak::new(), route, (address, false), sender)
    }

    /// A connection of this pool.
    pub(super) const fn of(
        pool: Weak<UpstreamPool>,
        route: Route,
        (address, reused): (SocketAddr, bool),
        sender: Sender,
    ) -> Self {
        Self {
            sender,
            address,
            reused,
            route,
            pool,
            progress: None,
            _turn: None,
        }
    }

    /// Sends a request and waits for the head of its response.
    pub(super) async fn send(
        &mut self,
        mut request: Request<Outgoing>,
        progress: &Arc<Progress>,
    ) -> Result<Response<Incoming>, Unsent> {
        self.progress = Some(Arc::clone(progress));
        let interim = Arc::new(Interim::default());
        let sent = match &mut self.sender {
            Sender::Http1(sender) => {
                let counted = Arc::clone(&interim);
                hyper::ext::on_informational(&mut request, move |_| counted.count());
                tokio::select! {
                    biased;
                    sent = sender.try_send_request(request) => sent,
                    () = interim.too_many() => return Err(Unsent {
                        error: NoResponse::Announced,
                        request: None,
                    }),
                }
            }
            Sender::Http2(sender) => sender.try_send_request(request).await,
        };
        sent.map_err(|mut failed| Unsent {
            request: failed.take_message(),
            error: NoResponse::Broken(failed.into_error()),
        })
    }

    /// Keeps the connection for the next request. Called when the response is over; a connection
    /// on which the request is not over as well is of no more use.
    pub(super) fn give_back(self) {
        let progress = self.progress.as_ref();
        if !progress.is_some_and(|progress| progress.is_whole()) {
            return;
        }
        let (Some(pool), Sender::Http1(sender)) = (self.pool.upgrade(), self.sender) else {
            return;
        };
        pool.keep(self.route, self.address, sender);
    }

    pub(super) const fn is_http2(&self) -> bool {
        matches!(self.sender, Sender::Http2(_))
    }

    /// A shared connection needs no turn: its requests do not wait for each other.
    pub(super) fn holding(mut self, turn: OwnedSemaphorePermit) -> Self {
        if !self.is_http2() {
            self._turn = Some(turn);
        }
        self
    }
}

impl Interim {
    fn count(&self) {
        if self.count.fetch_add(1, Ordering::Relaxed) == INTERIM_RESPONSES {
            self.over.notify_one();
        }
    }

    async fn too_many(&self) {
        self.over.notified().await;
    }
}
