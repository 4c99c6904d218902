//! Refusals inside TLS: a client that trusts the sandbox's authority gets to read why.

use std::io;
use std::sync::Arc;

use ringfence_gateway::http::{RequestBody, ResponseBody};
use ringfence_gateway::intercept::{self, Authority, Service};
use ringfence_gateway::limits::REFUSAL_SERVED;
use ringfence_gateway::wire::client_hello::{self, ClientHello, Progress};
use ringfence_gateway::wire::http::HttpError;
use ringfence_gateway::{Buffered, Refusal, Stopped};
use ringfence_model::{Destination, Host, ReasonCode};
use tokio::time::timeout;

use super::Flow;
use super::answer::{Answer, Asked};

/// Whether a tunnel that is refused should be opened, to be refused inside. Where it is most likely
/// not TLS that the client wants to speak, the refusal of the tunnel says more.
pub(super) fn is_better_than_outside(flow: Flow<'_>, port: u16, refusal: &Refusal) -> bool {
    port == HTTPS && authority_for(flow, refusal).is_some()
}

const HTTPS: u16 = 443;

/// Whether a refusal is one to read inside TLS. Not one of a hello that is not in order, whose
/// alert says what is wrong with it, and not one that should cost little.
const fn is_readable(refusal: &Refusal) -> bool {
    !matches!(
        refusal.code(),
        ReasonCode::SniMissing
            | ReasonCode::SniMismatch
            | ReasonCode::EncryptedClientHello
            | ReasonCode::Malformed
            | ReasonCode::LimitReached
    )
}

fn authority_for<'a>(flow: Flow<'a>, refusal: &Refusal) -> Option<&'a Authority> {
    let authority = flow.session.authority()?;
    (authority.is_installed() && is_readable(refusal)).then_some(authority)
}

/// Answers every request with the refusal for a short time. Gives the client back where that
/// cannot be, for an alert.
pub(super) async fn refuse(
    flow: Flow<'_>,
    mut client: Buffered,
    refusal: &Refusal,
    port: u16,
) -> Result<(), Buffered> {
    let Some(authority) = authority_for(flow, refusal) else {
        return Err(client);
    };
    let served = timeout(REFUSAL_SERVED, async {
        let Ok(Some(hello)) = read_hello(&mut client).await else {
            return Err(client);
        };
        let host = hello.sni.map(Host::Name);
        let Some(destination) = host.and_then(|host| Destination::new(host, port).ok()) else {
            return Err(client);
        };
        say(flow, authority, client, destination, refusal).await;
        Ok(())
    });
    served.await.unwrap_or(Ok(()))
}

/// The name is the client's own; it leads nowhere.
async fn say(
    flow: Flow<'_>,
    authority: &Authority,
    client: Buffered,
    destination: Destination,
    refusal: &Refusal,
) {
    let host = &destination.host;
    let accepted = intercept::accept(authority, client, host, &destination, REFUSAL_SERVED);
    if let Ok(opened) = accepted.await {
        let refuser = Refuser(Stopped::Refused(refusal.clone()));
        let _ = opened.serve(flow.gateway.limits(), Arc::new(refuser)).await;
    }
}

async fn read_hello(client: &mut Buffered) -> io::Result<Option<ClientHello>> {
    loop {
        match client_hello::read(client.ahead()) {
            Progress::Hello(hello) => return Ok(Some(hello)),
            Progress::NotTls | Progress::Invalid(_) => return Ok(None),
            Progress::Incomplete => {}
        }
        if client.fill().await? == 0 {
            return Ok(None);
        }
    }
}

/// Says the same to every request.
struct Refuser(Stopped);

impl Service for Refuser {
    async fn call(&self, request: http::Request<RequestBody>) -> http::Response<ResponseBody> {
        let asked = Asked::of(&request);
        Answer::of(&self.0).respond(&asked)
    }

    fn refuse(&self, _: HttpError) -> http::Response<ResponseBody> {
        Answer::of(&self.0).respond(&Asked::default())
    }
}
