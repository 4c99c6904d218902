//! Carries an allowed connection: looks at the client's first bytes, checks that they are what
//! was granted, dials, and relays or serves HTTP.

use std::io;

use ringfence_gateway::intercept;
use ringfence_gateway::limits::SNIFF_WAIT;
use ringfence_gateway::peek::{First, check_hello, first};
use ringfence_gateway::relay::{Ending, Opening};
use ringfence_gateway::wire::client_hello::{self, ClientHello, Progress};
use ringfence_gateway::{Buffered, Dialled, Permit, Stopped, Transport};
use ringfence_model::{HostName, Outcome, ReasonCode};
use tokio::time::timeout;

use super::refuse::{self, Native};
use super::{Flow, requests};
use crate::api;

/// Serves the connection that `permit` allows, to its end. `dialled` is its upstream, where
/// the entry needed to know first whether there is one.
pub(super) async fn carry(
    flow: Flow<'_>,
    mut client: Buffered,
    permit: Permit,
    dialled: Option<Dialled>,
) {
    match Box::pin(look(flow, &mut client, &permit)).await {
        Look::Tls(hello) => {
            let native = Native::Tls;
            let sni = hello.sni.as_ref().map(HostName::as_str);
            permit.note_tls(sni, &hello.alpn);
            let host = &permit.destination().host;
            match check_hello(&hello, host, permit.grant()) {
                Ok(()) if permit.grant().tls => {
                    let tunnel = Tunnel::new(Transport::Tls, native, Opening::Known);
                    Box::pin(tunnel.run(flow, client, permit, dialled)).await;
                }
                Ok(()) => Box::pin(intercepted(flow, client, permit)).await,
                Err((code, reason)) => refuse(flow, client, permit, (code, &reason), native).await,
            }
        }
        Look::Http => Box::pin(requests::serve_fixed(flow, client, permit)).await,
        Look::Opaque(opening) => {
            let tunnel = Tunnel::new(Transport::Opaque, Native::Unknown, opening);
            Box::pin(tunnel.run(flow, client, permit, dialled)).await;
        }
        Look::Refused(code, reason, native) => {
            refuse(flow, client, permit, (code, reason), native).await;
        }
        Look::Ended(outcome) => permit.finish(outcome),
    }
}

/// What the first bytes were.
enum Look {
    Tls(ClientHello),
    Http,
    Opaque(Opening),
    Refused(ReasonCode, &'static str, Native),
    Ended(Outcome),
}

pub(super) const MISMATCH: &str =
    "the bytes are not of a protocol that the rule allows on this port";

async fn look(flow: Flow<'_>, client: &mut Buffered, permit: &Permit) -> Look {
    let grant = permit.grant();
    if grant.opaque && !grant.tls && !grant.https && !grant.http {
        return Look::Opaque(Opening::Known);
    }
    let limit = flow.gateway.limits().head_timeout;
    let wait = if grant.opaque { SNIFF_WAIT } else { limit };
    let found = match timeout(wait, first_bytes(client)).await {
        // The server may speak first, or the client's protocol starts like another one.
        Err(_) if grant.opaque => return Look::Opaque(Opening::Silent),
        Err(_) => return Look::Ended(Outcome::TimedOut),
        Ok(Err(_)) => return Look::Ended(Outcome::Aborted),
        Ok(Ok(found)) => found,
    };
    match found {
        First::Tls if grant.tls || grant.https => match timeout(limit, read_hello(client)).await {
            Ok(Ok(Some(look))) => look,
            Ok(Ok(None)) => other(permit, Native::Unknown),
            Ok(Err(_)) => Look::Ended(Outcome::Aborted),
            Err(_) => Look::Ended(Outcome::TimedOut),
        },
        First::Tls => other(permit, Native::Tls),
        First::Http if grant.http => Look::Http,
        First::Http => other(permit, Native::Http),
        First::Unknown if client.ahead().is_empty() => Look::Ended(Outcome::Done),
        First::Unknown | First::Other => other(permit, Native::Unknown),
    }
}

/// What is neither of the protocols that are granted by name. Plain HTTP alone gets the strict
/// reader's explanation of what is wrong.
fn other(permit: &Permit, native: Native) -> Look {
    let grant = permit.grant();
    if grant.opaque {
        Look::Opaque(Opening::Known)
    } else if grant.http && native == Native::Unknown {
        Look::Http
    } else {
        Look::Refused(ReasonCode::ProtocolMismatch, MISMATCH, native)
    }
}

/// Reads until the bytes can be told apart, or to the end.
async fn first_bytes(client: &mut Buffered) -> io::Result<First> {
    loop {
        let found = first(client.ahead());
        if found != First::Unknown || client.fill().await? == 0 {
            return Ok(found);
        }
    }
}

/// `None` where it turns out not to be a TLS hello.
async fn read_hello(client: &mut Buffered) -> io::Result<Option<Look>> {
    loop {
        match client_hello::read(client.ahead()) {
            Progress::Hello(hello) => return Ok(Some(Look::Tls(hello))),
            Progress::NotTls => return Ok(None),
            Progress::Invalid(reason) => {
                let refused = Look::Refused(ReasonCode::Malformed, reason, Native::Tls);
                return Ok(Some(refused));
            }
            Progress::Incomplete => {}
        }
        if client.fill().await? == 0 {
            return Ok(Some(Look::Ended(Outcome::Aborted)));
        }
    }
}

/// Terminates the client's TLS and serves the requests in it.
async fn intercepted(flow: Flow<'_>, client: Buffered, permit: Permit) {
    let authority = match flow.session.authority() {
        Some(authority) if permit.carry(Transport::Https) => authority,
        _ => {
            let why = (ReasonCode::NeedsInterception, NO_AUTHORITY);
            return refuse(flow, client, permit, why, Native::Tls).await;
        }
    };
    let destination = permit.destination();
    let limit = flow.gateway.limits().head_timeout;
    let accepted = intercept::accept(authority, client, &destination.host, destination, limit);
    match accepted.await {
        Ok(opened) => api::serve(flow.gateway, flow.session, opened, permit).await,
        Err(fault) => fault.settle(permit),
    }
}

const NO_AUTHORITY: &str =
    "the rule looks inside HTTPS, and clients here have no authority to trust for that";

async fn refuse(
    flow: Flow<'_>,
    client: Buffered,
    permit: Permit,
    (code, reason): (ReasonCode, &str),
    native: Native,
) {
    let port = permit.destination().port;
    let stopped = Stopped::Refused(permit.refuse(code, reason));
    Box::pin(refuse::known(flow, client, &stopped, (native, port))).await;
}

/// A connection whose bytes are passed on as they are.
struct Tunnel {
    transport: Transport,
    native: Native,
    opening: Opening,
}

impl Tunnel {
    const fn new(transport: Transport, native: Native, opening: Opening) -> Self {
        Self {
            transport,
            native,
            opening,
        }
    }

    async fn run(
        self,
        flow: Flow<'_>,
        mut client: Buffered,
        permit: Permit,
        dialled: Option<Dialled>,
    ) {
        if !permit.carry(self.transport) {
            return refuse(
                flow,
                client,
                permit,
                (ReasonCode::ProtocolMismatch, MISMATCH),
                self.native,
            )
            .await;
        }
        let dialled = match dialled {
            Some(dialled) => Ok(dialled),
            None => Box::pin(flow.gateway.dial(&permit)).await,
        };
        let mut upstream = match dialled {
            Ok(dialled) => dialled.stream,
            Err(error) => {
                let told = (self.native, permit.destination().port);
                let stopped = error.settle(permit);
                return Box::pin(refuse::known(flow, client, &stopped, told)).await;
            }
        };
        let relay = flow
            .gateway
            .relay(&permit, &mut client, &mut upstream, self.opening);
        let ending = relay.await;
        settle(flow, ending, permit, client).await;
    }
}

/// A hello that was refused late is answered like any other. A stream that is cut in its middle
/// gets nothing: bytes of ours must not look like the upstream's.
async fn settle(flow: Flow<'_>, ending: Ending, permit: Permit, client: Buffered) {
    let late_hello = matches!(ending, Ending::Refused(..));
    let told = (Native::Tls, permit.destination().port);
    let Some(refusal) = ending.settle(permit) else {
        return;
    };
    if late_hello {
        let stopped = Stopped::Refused(refusal);
        Box::pin(refuse::known(flow, client, &stopped, told)).await;
    }
}
