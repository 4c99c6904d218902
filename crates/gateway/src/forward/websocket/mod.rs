//! WebSockets (RFC 6455) between an agent and an upstream. The handshake is one request like any
//! other; then every frame is parsed in both directions and written anew. Extensions are not
//! passed on, as a compressed message could not be read.

mod frame;
mod message;
mod relay;
mod side;
mod socket;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use http::header::{
    CONNECTION, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_EXTENSIONS,
    SEC_WEBSOCKET_PROTOCOL, UPGRADE,
};
use http::{Method, Request, Response, StatusCode};
use hyper::upgrade::OnUpgrade;
use ringfence_model::ReasonCode;
use ringfence_policy::RequestTerms;

use super::Done;
use super::draft::Draft;
use super::exchange::{Answered, Chosen, Exchange};
use super::fault::Fault;
use super::held;
use super::lease::Lease;
use super::payload::Payload;
use super::pool::UpstreamPool;
use super::respond::{Passed, pass};
use super::watch::Watch;
use crate::http::{RequestBody, ResponseBody, empty};
use crate::pipeline::{Permit, tokens_in};
pub use socket::{Conversation, Heard, Over, Socket, Text};

/// A client's wish to make its connection a WebSocket.
pub(super) struct Upgrade(OnUpgrade);

/// A connection that is a WebSocket now.
pub(super) struct Switched {
    client: OnUpgrade,
    upstream: OnUpgrade,
    headers: HeaderMap,
    scrubbed: u64,
    chosen: Chosen,
    watch: Watch,
    lease: Option<Lease>,
}

impl Upgrade {
    /// The wish of this request, where it has it. Only HTTP/1.1 knows it.
    pub(super) fn of(request: &mut Request<RequestBody>) -> Option<Self> {
        let names = |header: HeaderName, name: &str| {
            request.headers().get_all(header).iter().any(|value| {
                let mut parts = value.to_str().unwrap_or_default().split(',');
                parts.any(|part| part.trim().eq_ignore_ascii_case(name))
            })
        };
        let wished = *request.method() == Method::GET
            && request.version() == http::Version::HTTP_11
            && names(CONNECTION, "upgrade")
            && names(UPGRADE, "websocket");
        wished.then(|| Self(hyper::upgrade::on(request)))
    }
}

/// Asks the upstream. Where it does not switch, its answer is a response like any other. A socket
/// to a language model is opened for someone alone who decides on each of its messages.
pub(super) async fn open(
    exchange: &Exchange<'_>,
    mut draft: Draft,
    (chosen, upgrade, is_guarded): (Chosen, Upgrade, bool),
) -> Result<Done, Fault> {
    let may = |terms: &RequestTerms| match &terms.llm {
        Some(_) => is_guarded,
        None => terms.websocket && !is_guarded,
    };
    if let Some(terms) = chosen.terms.as_ref().filter(|terms| !may(terms)) {
        let reason = "the rule does not let the connection become a WebSocket";
        return Err(Fault::refused(ReasonCode::UpgradeRefused, reason).by(&terms.rule));
    }
    let wished = ask(&mut draft);
    let method = draft.method.clone();
    let payload = Payload::new(empty());
    let mut answered = exchange.send(draft, payload, chosen).await?;
    if answered.response.status() != StatusCode::SWITCHING_PROTOCOLS {
        let passed = held::pass(exchange, &mut answered, &method).await?;
        return Ok(Done::Response(Box::new(answered), Box::new(passed)));
    }
    check(answered.response.headers(), &wished)?;
    let upstream = hyper::upgrade::on(&mut answered.response);
    let Passed {
        mut headers,
        scrubbed,
        ..
    } = pass(&mut answered, &Method::HEAD)?;
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    let Answered {
        lease,
        watch,
        chosen,
        ..
    } = answered;
    Ok(Done::WebSocket(Box::new(Switched {
        client: upgrade.0,
        upstream,
        headers,
        scrubbed,
        chosen,
        watch,
        lease,
    })))
}

impl Switched {
    /// The answer to the client, and what moves the frames after it. The task is the pool's, so
    /// that it ends with the client's connection.
    pub(super) fn start(self, pool: &Arc<UpstreamPool>, permit: Permit) -> Response<ResponseBody> {
        let response = self.accepted();
        pool.tasks.spawn(relay::run(self, permit));
        response
    }

    fn accepted(&self) -> Response<ResponseBody> {
        let mut response = Response::new(empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        response.headers_mut().clone_from(&self.headers);
        response
    }
}

/// Makes the request one for a WebSocket without extensions, and says which protocols it names.
/// Some clients put a credential among those.
fn ask(draft: &mut Draft) -> Vec<String> {
    draft.takes_over = true;
    draft.headers.remove(SEC_WEBSOCKET_EXTENSIONS);
    let named: Vec<String> = draft
        .headers
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty() && !is_credential(name))
        .collect();
    draft.headers.remove(SEC_WEBSOCKET_PROTOCOL);
    if let Ok(value) = HeaderValue::try_from(named.join(", "))
        && !named.is_empty()
    {
        draft.headers.insert(SEC_WEBSOCKET_PROTOCOL, value);
    }
    named
}

fn is_credential(protocol: &str) -> bool {
    let known = [
        "openai-insecure-api-key.",
        "base64url.bearer.authorization.",
    ];
    let lower = protocol.to_ascii_lowercase();
    known.iter().any(|begin| lower.starts_with(begin)) || !tokens_in(protocol.as_bytes()).is_empty()
}

/// Whether the upstream agreed to what it was asked for and to nothing else.
fn check(headers: &HeaderMap, wished: &[String]) -> Result<(), Fault> {
    let refused = |why: &str| {
        let reason = format!("the upstream switched to another protocol: {why}");
        Err(Fault::refused(ReasonCode::ResponseRefused, reason))
    };
    let upgrade = headers.get(UPGRADE).and_then(|value| value.to_str().ok());
    if !upgrade.is_some_and(|value| value.eq_ignore_ascii_case("websocket")) {
        return refused("it is no WebSocket");
    }
    if headers.contains_key(SEC_WEBSOCKET_EXTENSIONS) {
        return refused("it uses an extension that was not offered");
    }
    let mut protocols = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    let agreed = |value: &HeaderValue| wished.iter().any(|name| name.as_bytes() == value);
    if !protocols.all(agreed) {
        return refused("it uses a protocol that was not offered");
    }
    Ok(())
}
