//! The explicit proxy: HTTP `CONNECT`, absolute-form HTTP and SOCKS5 on one port, told apart by
//! the first byte.

use ringfence_gateway::http::{Interrupted, next_request};
use ringfence_gateway::wire::http::{RequestHead, Target};
use ringfence_gateway::wire::socks5;
use ringfence_gateway::{Buffered, Dialled, Permit, Refusal, Stopped};
use ringfence_model::{Destination, Entry};
use tokio::time::timeout;

use super::answer::Answer;
use super::refuse::{malformed, say_and_close};
use super::{Flow, carry, inside, refuse, requests, socks};

/// Serves one client of the proxy. What negotiating took is freed before the tunnel begins.
pub(super) async fn serve(flow: Flow<'_>, client: Buffered) {
    match Box::pin(negotiate(flow, client)).await {
        Step::Tunnel(client, opened) => {
            let Opened { permit, dialled } = *opened;
            Box::pin(carry::carry(flow, client, permit, dialled)).await;
        }
        Step::Forward(client, head) => {
            Box::pin(requests::serve_forward(flow, client, *head)).await;
        }
        Step::Refused(client, refusal, port) => {
            Box::pin(refuse::unread(flow, client, &refusal, port)).await;
        }
        Step::Say(client, words) => Box::pin(say_and_close(client, &words)).await,
        Step::Gone => {}
    }
}

/// What a client of the proxy asked for.
pub(super) enum Step {
    /// A tunnel, which is open as far as the client knows.
    Tunnel(Buffered, Box<Opened>),
    /// Plain HTTP, from this request on.
    Forward(Buffered, Box<RequestHead>),
    /// A tunnel that is refused inside, where the client can read why.
    Refused(Buffered, Refusal, u16),
    /// Something that is answered with these octets.
    Say(Buffered, Vec<u8>),
    /// Nothing any more.
    Gone,
}

/// An allowed tunnel, and its upstream where that had to be known to be there.
pub(super) struct Opened {
    permit: Permit,
    dialled: Option<Dialled>,
}

async fn negotiate(flow: Flow<'_>, mut client: Buffered) -> Step {
    let limit = flow.gateway.limits().head_timeout;
    let Ok(Ok(1..)) = timeout(limit, client.fill()).await else {
        return Step::Gone;
    };
    if client.ahead().first() == Some(&socks5::VERSION) {
        return socks::negotiate(flow, client).await;
    }
    match next_request(&mut client, limit, limit).await {
        Ok(head) => match &head.target {
            Target::Authority(destination) => {
                let destination = destination.clone();
                connect(flow, client, destination, &head).await
            }
            _ => Step::Forward(client, Box::new(head)),
        },
        Err(Interrupted::Malformed(error)) => {
            let words = malformed(flow, None, client.ahead(), error);
            Step::Say(client, words)
        }
        Err(Interrupted::Closed | Interrupted::Broken(_) | Interrupted::TimedOut(_)) => Step::Gone,
    }
}

async fn connect(
    flow: Flow<'_>,
    client: Buffered,
    destination: Destination,
    head: &RequestHead,
) -> Step {
    let port = destination.port;
    match open(flow, destination, Entry::HttpConnect).await {
        Ok(opened) => match client.write_all(CONNECTED).await {
            Ok(()) => Step::Tunnel(client, opened),
            Err(_) => Step::Gone,
        },
        Err(Stopped::Refused(refusal)) if inside::is_better_than_outside(flow, port, &refusal) => {
            match client.write_all(CONNECTED).await {
                Ok(()) => Step::Refused(client, refusal, port),
                Err(_) => Step::Gone,
            }
        }
        Err(stopped) => {
            let answer = Answer::of(&stopped).close().write(Some(head));
            Step::Say(client, answer)
        }
    }
}

const CONNECTED: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";

/// Decides on the destination of a tunnel and dials it while the client can still be told why
/// not. Where requests are read, nothing is dialled before one of them is allowed.
pub(super) async fn open(
    flow: Flow<'_>,
    destination: Destination,
    entry: Entry,
) -> Result<Box<Opened>, Stopped> {
    let permit = flow.connect(destination, entry).map_err(Stopped::Refused)?;
    let grant = permit.grant();
    let is_read = grant.http || (grant.https && !grant.tls);
    let dialled = if is_read {
        None
    } else {
        match flow.gateway.dial(&permit).await {
            Ok(dialled) => Some(dialled),
            Err(error) => return Err(error.settle(permit)),
        }
    };
    Ok(Box::new(Opened { permit, dialled }))
}
