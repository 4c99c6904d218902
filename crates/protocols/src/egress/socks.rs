//! SOCKS5 to the explicit proxy (RFC 1928).

use std::io;

use ringfence_gateway::wire::socks5::{
    METHOD_NONE, Reply, SocksError, read_greeting, read_request, reply,
};
use ringfence_gateway::{Buffered, Stopped};
use ringfence_model::{Destination, Entry};
use tokio::time::timeout;

use super::Flow;
use super::proxy::{self, Step};

/// Negotiates with a client whose first octet was SOCKS version 5.
pub(super) async fn negotiate(flow: Flow<'_>, mut client: Buffered) -> Step {
    let limit = flow.gateway.limits().head_timeout;
    let destination = match timeout(limit, read(&mut client)).await {
        Ok(Ok(destination)) => destination,
        Ok(Err(Unusable::Refused(error))) => {
            let _ = flow.refuse_socks(error, client.ahead());
            return Step::Say(client, error.answer());
        }
        Ok(Err(Unusable::Broken)) | Err(_) => return Step::Gone,
    };
    match proxy::open(flow, destination, Entry::Socks5).await {
        Ok(opened) => match client.write_all(&reply(Reply::Succeeded)).await {
            Ok(()) => Step::Tunnel(client, opened),
            Err(_) => Step::Gone,
        },
        Err(stopped) => Step::Say(client, reply(outcome(&stopped)).to_vec()),
    }
}

enum Unusable {
    Refused(SocksError),
    Broken,
}

impl From<SocksError> for Unusable {
    fn from(error: SocksError) -> Self {
        Self::Refused(error)
    }
}

impl From<io::Error> for Unusable {
    fn from(_: io::Error) -> Self {
        Self::Broken
    }
}

async fn read(client: &mut Buffered) -> Result<Destination, Unusable> {
    let used = loop {
        match read_greeting(client.ahead())? {
            Some(used) => break used,
            None => more(client).await?,
        }
    };
    client.consume(used);
    client.write_all(&METHOD_NONE).await?;
    loop {
        match read_request(client.ahead())? {
            Some((destination, used)) => {
                client.consume(used);
                return Ok(destination);
            }
            None => more(client).await?,
        }
    }
}

async fn more(client: &mut Buffered) -> Result<(), Unusable> {
    match client.fill().await? {
        0 => Err(Unusable::Broken),
        _ => Ok(()),
    }
}

/// SOCKS has one octet for the reason.
const fn outcome(stopped: &Stopped) -> Reply {
    match stopped {
        Stopped::Refused(_) => Reply::NotAllowed,
        Stopped::Failed(failure) if failure.timed_out => Reply::TimedOut,
        Stopped::Failed(_) => Reply::HostUnreachable,
    }
}
