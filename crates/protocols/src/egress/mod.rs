//! Raw network egress: captured TCP connections and the explicit proxy. Every entry forms the
//! same [`Action::Connect`] through [`Flow::connect`] and ends in the same [`carry::carry`], so
//! that no entry can allow what another one refuses.

pub(crate) mod answer;
mod carry;
mod formless;
mod inside;
mod proxy;
mod refuse;
mod requests;
mod socks;

use std::sync::Arc;

use ringfence_gateway::{
    Arrival, Buffered, Gateway, Handler, Incoming, Permit, Place, Refusal, Session,
};
use ringfence_model::{Action, Connect, Destination, Entry, ReasonCode};

/// The handler of everything that leaves a sandbox by TCP.
#[derive(Debug, Default, Clone, Copy)]
pub struct Egress;

impl Handler for Egress {
    async fn handle(&self, gateway: &Arc<Gateway>, session: &Arc<Session>, incoming: Incoming) {
        let flow = Flow {
            gateway,
            session,
            over_limit: incoming.over_limit,
        };
        // On the heap, so that a connection costs what its kind needs and not what the largest does.
        match incoming.arrival {
            Arrival::Proxy => Box::pin(proxy::serve(flow, incoming.client)).await,
            Arrival::Captured(destination) => {
                Box::pin(captured(flow, incoming.client, destination)).await;
            }
            Arrival::Gateway(destination) => {
                let port = destination.port;
                let refusal = flow.deny_gateway(destination, Entry::Transparent);
                Box::pin(refuse::unread(flow, incoming.client, &refusal, port)).await;
            }
        }
    }
}

async fn captured(flow: Flow<'_>, client: Buffered, destination: Destination) {
    let port = destination.port;
    match flow.connect(destination, Entry::Transparent) {
        Ok(permit) => carry::carry(flow, client, permit, None).await,
        Err(refusal) => refuse::unread(flow, client, &refusal, port).await,
    }
}

/// What one client connection is served with.
#[derive(Clone, Copy)]
struct Flow<'a> {
    gateway: &'a Arc<Gateway>,
    session: &'a Arc<Session>,
    over_limit: bool,
}

impl Flow<'_> {
    /// Decides on a connection to where an agent wants to go, however it said so.
    fn connect(&self, destination: Destination, entry: Entry) -> Result<Permit, Refusal> {
        let destination = match self.session.place(destination) {
            Place::Upstream(destination) => destination,
            Place::ControlPlane(destination) => return Err(self.deny_gateway(destination, entry)),
            Place::Unmapped(destination) => {
                let reason = "no name was looked up for this address, so it leads nowhere";
                return Err(self.deny(destination, entry, ReasonCode::AddressNotNamed, reason));
            }
        };
        if self.over_limit {
            let reason = "too many connections are open at once";
            return Err(self.deny(destination, entry, ReasonCode::LimitReached, reason));
        }
        let action = Action::Connect(Connect { destination, entry });
        self.gateway.decide(self.session, action, None)
    }

    fn deny_gateway(&self, destination: Destination, entry: Entry) -> Refusal {
        let reason = "this is the gateway itself, which offers nothing here";
        self.deny(destination, entry, ReasonCode::ControlPlane, reason)
    }

    fn deny(
        &self,
        destination: Destination,
        entry: Entry,
        code: ReasonCode,
        reason: &str,
    ) -> Refusal {
        let action = Action::Connect(Connect { destination, entry });
        self.gateway.deny(self.session, action, code, reason)
    }
}

#[cfg(test)]
pub(crate) mod tests;
