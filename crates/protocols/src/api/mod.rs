//! HTTP APIs: requests that the gateway reads, inside TLS that it terminates or in the plain. Each
//! is classified strictly, decided on by itself, and sent with the credential of its rule.

pub(crate) mod body;
mod classify;
pub mod graphql;
mod limits;
mod service;
mod weight;

use std::sync::Arc;

use ringfence_gateway::intercept::Opened;
use ringfence_gateway::{Gateway, Permit, Session, UpstreamPool};

/// Serves a client whose requests the gateway reads, to the end of its connection.
pub(crate) async fn serve(
    gateway: &Arc<Gateway>,
    session: &Arc<Session>,
    client: Opened,
    connection: Permit,
) {
    let (pool, upstreams) = UpstreamPool::new(&connection);
    let requests = service::Requests::new((gateway, session), &client, connection.event(), pool);
    let ending = gateway
        .attend(&connection, client, Arc::new(requests), upstreams)
        .await;
    // What there was to say to the client was said by the one who answers its requests.
    let _ = ending.settle(connection);
}
