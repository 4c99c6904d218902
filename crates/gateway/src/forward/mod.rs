//! Forwards a request that a permit allows, and gives back its response: puts the credential in,
//! dials, sends, and takes out of what comes back what must not reach the agent.
//!
//! It decides nothing: the permit is the decision, and its terms say what to do. Both bodies
//! stream, but for a response that is encoded though it was asked not to be. What a response is held
//! back for is bounded, and ends with the exchange.

mod ask;
mod authorise;
mod charset;
mod draft;
mod exchange;
mod fault;
mod head;
mod held;
mod hosted;
mod inject;
mod lease;
mod leash;
mod lfs;
mod of_git;
mod open;
mod over_ssh;
mod payload;
mod placeholder;
mod places;
mod pool;
mod precondition;
mod presented;
mod redirect;
mod relayed;
mod respond;
mod scrubbing;
mod send;
mod sigv4;
mod upstreams;
mod watch;
mod websocket;
mod withheld;

use std::sync::Arc;

use http::{Request, Response, StatusCode};
use ringfence_model::ReasonCode;

use crate::http::{RequestBody, ResponseBody};
use crate::pipeline::{Gateway, Permit, Session, Stopped};
pub use ask::{GitQuestion, Unanswered};
use draft::Draft;
use exchange::Exchange;
use fault::Fault;
pub(crate) use leash::Leash;
pub use lfs::{LfsHref, Unusable};
use payload::Payload;
pub use pool::{UpstreamPool, UpstreamTasks};
use send::unless;
pub use sigv4::sign_own;
pub(crate) use upstreams::Upstreams;
pub use websocket::{Conversation, Heard, Over, Socket, Text};

impl Gateway {
    /// Sends the request that `permit` allows. The event is closed when the body of the response
    /// is over.
    ///
    /// # Errors
    /// Why there is no response; the event is closed then.
    pub async fn forward(
        self: &Arc<Self>,
        session: &Arc<Session>,
        pool: &Arc<UpstreamPool>,
        permit: Permit,
        request: Request<RequestBody>,
    ) -> Result<Response<ResponseBody>, Stopped> {
        let exchange = Exchange {
            gateway: self,
            session,
            pool,
            permit: &permit,
        };
        match run(&exchange, request, false).await {
            Ok(Done::Response(answered, passed)) => Ok(relayed::relay(*answered, *passed, permit)),
            Ok(Done::WebSocket(switched)) => Ok(switched.start(pool, permit)),
            Err(fault) => Err(fault.settle(permit)),
        }
    }
}

impl Gateway {
    /// As [`Gateway::forward`], for a request that makes its connection a WebSocket, each message of
    /// which `conversation` decides on.
    ///
    /// # Errors
    /// Why there is no response; the event is closed then.
    pub async fn converse(
        self: &Arc<Self>,
        (session, pool): (&Arc<Session>, &Arc<UpstreamPool>),
        permit: Permit,
        request: Request<RequestBody>,
        conversation: Box<dyn Conversation>,
    ) -> Result<Response<ResponseBody>, Stopped> {
        let exchange = Exchange {
            gateway: self,
            session,
            pool,
            permit: &permit,
        };
        match run(&exchange, request, true).await {
            Ok(Done::Response(answered, passed)) => Ok(relayed::relay(*answered, *passed, permit)),
            Ok(Done::WebSocket(switched)) => Ok(switched.converse(pool, permit, conversation)),
            Err(fault) => Err(fault.settle(permit)),
        }
    }
}

impl Gateway {
    /// Makes the credentials ready that the request of `permit` may be sent with, so that what the
    /// agent wrote can be searched for them before it is sent. Where one cannot be had, sending it
    /// says so.
    pub async fn ready_credentials(
        self: &Arc<Self>,
        session: &Arc<Session>,
        pool: &Arc<UpstreamPool>,
        permit: &Permit,
    ) {
        let exchange = Exchange {
            gateway: self,
            session,
            pool,
            permit,
        };
        for terms in &permit.grant().terms {
            let _ = exchange.credential(terms).await;
        }
    }
}

/// What an exchange came to.
enum Done {
    /// A response that may go on.
    Response(Box<exchange::Answered>, Box<respond::Passed>),
    /// The connection is a WebSocket now.
    WebSocket(Box<websocket::Switched>),
}

async fn run(
    exchange: &Exchange<'_>,
    mut request: Request<RequestBody>,
    is_guarded: bool,
) -> Result<Done, Fault> {
    let upgrade = websocket::Upgrade::of(&mut request);
    let (head, body) = request.into_parts();
    let draft = Draft::new(exchange.request()?, head)?;
    let mut payload = Payload::new(body);
    let choosing = exchange.choose(&draft, &mut payload);
    let chosen = unless(exchange.watch(), choosing).await?;
    if let Some(upgrade) = upgrade {
        return websocket::open(exchange, draft, (chosen, upgrade, is_guarded)).await;
    }
    let method = draft.method.clone();
    let passed_on = redirect::passed_on(&draft.headers);
    let answered = exchange.send(draft, payload, chosen).await?;
    let mut answered = redirect::follow(exchange, answered, (&method, passed_on)).await?;
    if answered.response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let reason = "the upstream switched to another protocol, which it was not asked to";
        return Err(Fault::refused(ReasonCode::ResponseRefused, reason));
    }
    let passed = held::pass(exchange, &mut answered, &method).await?;
    Ok(Done::Response(Box::new(answered), Box::new(passed)))
}

#[cfg(test)]
pub(crate) use tests::upstream as testing;

#[cfg(test)]
mod tests;
