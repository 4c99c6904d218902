//! Moves bytes between an agent and an upstream after the decision: both directions at once,
//! half-close kept, bounded in time, and cut when policy takes the permit back.
//!
//! A direction with little to say copies through a stack buffer; one with much to say moves
//! its bytes by `splice(2)`. An idle tunnel holds neither a buffer nor a pipe.

mod pipes;
mod pump;

use std::io;
use std::time::Duration;

use ringfence_model::{Decision, Outcome, ReasonCode};
use tokio::time::{Instant, sleep, sleep_until};

use crate::peek::{First, check_hello, first};
use crate::pipeline::{Gateway, Meter, Permit, Refusal};
use crate::stream::{Buffered, Reading, write_all};
use crate::wire::client_hello::{self, Progress};
pub(crate) use pipes::Pipes;
use pump::{Way, pump};

/// How a tunnel ended.
#[derive(Debug)]
pub enum Ending {
    /// Both sides closed.
    Done,
    /// A side broke off.
    Broken(io::Error),
    /// Nothing moved for the idle timeout, or the longest life was reached.
    TimedOut,
    /// Policy does not allow it any more.
    Revoked(Decision),
    /// The client's first bytes were a TLS hello that may not pass.
    Refused(ReasonCode, String),
}

/// What is known of the client's bytes when the tunnel starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// They were looked at.
    Known,
    /// The client was silent. Should it start TLS after all, the hello is checked.
    Silent,
}

impl Ending {
    /// Closes the event of the tunnel; a refusal where one ended it.
    pub fn settle(self, permit: Permit) -> Option<Refusal> {
        match self {
            Self::Done => permit.finish(Outcome::Done),
            Self::Broken(error) => permit.finish_with(Outcome::Aborted, error.to_string()),
            Self::TimedOut => permit.finish(Outcome::TimedOut),
            Self::Revoked(decision) => return Some(permit.revoke(decision)),
            Self::Refused(code, reason) => return Some(permit.refuse(code, &reason)),
        }
        None
    }
}

impl Gateway {
    /// Relays until both sides have closed. Bytes that were read ahead on either side go first.
    pub async fn relay(
        &self,
        permit: &Permit,
        client: &mut Buffered,
        upstream: &mut Buffered,
        opening: Opening,
    ) -> Ending {
        let limits = self.limits();
        tokio::select! {
            biased;
            decision = self.revoked(permit) => Ending::Revoked(decision),
            () = quiet(permit.meter(), limits.idle_timeout) => Ending::TimedOut,
            () = sleep(limits.total_timeout) => Ending::TimedOut,
            ending = both_ways(self, permit, client, upstream, opening) => ending,
        }
    }
}

enum Cut {
    Broken(io::Error),
    Refused(ReasonCode, String),
}

impl From<io::Error> for Cut {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

async fn both_ways(
    gateway: &Gateway,
    permit: &Permit,
    client: &mut Buffered,
    upstream: &mut Buffered,
    opening: Opening,
) -> Ending {
    let ahead_of_client = upstream.take_ahead();
    let (client_socket, mut from_client) = client.split();
    let (upstream_socket, _) = upstream.split();
    let meter = permit.meter();
    let up = async {
        if opening == Opening::Silent {
            admit_late_hello(permit, &mut from_client).await?;
        }
        let ahead = from_client.take();
        write_all(upstream_socket, &ahead).await?;
        meter.add_sent(ahead.len() as u64);
        drop(ahead);
        pump(
            gateway.pipes(),
            client_socket,
            upstream_socket,
            Way::Up(meter),
        )
        .await?;
        Ok(())
    };
    let down = async {
        write_all(client_socket, &ahead_of_client).await?;
        meter.add_received(ahead_of_client.len() as u64);
        drop(ahead_of_client);
        pump(
            gateway.pipes(),
            upstream_socket,
            client_socket,
            Way::Down(meter),
        )
        .await?;
        Ok(())
    };
    match tokio::try_join!(up, down) {
        Ok(((), ())) => Ending::Done,
        Err(Cut::Broken(error)) => Ending::Broken(error),
        Err(Cut::Refused(code, reason)) => Ending::Refused(code, reason),
    }
}

/// Waits for the first bytes of a client that let the server speak first.
async fn admit_late_hello(permit: &Permit, client: &mut Reading<'_>) -> Result<(), Cut> {
    while first(client.ahead()) == First::Unknown {
        if client.fill().await? == 0 {
            return Ok(());
        }
    }
    if first(client.ahead()) != First::Tls {
        return Ok(());
    }
    let malformed = |reason: &str| Cut::Refused(ReasonCode::Malformed, reason.to_owned());
    loop {
        match client_hello::read(client.ahead()) {
            Progress::Hello(hello) => {
                let sni = hello.sni.as_ref().map(ringfence_model::HostName::as_str);
                permit.note_tls(sni, &hello.alpn);
                return check_hello(&hello, &permit.destination().host, permit.grant())
                    .map_err(|(code, reason)| Cut::Refused(code, reason));
            }
            Progress::NotTls => return Ok(()),
            Progress::Invalid(reason) => return Err(malformed(reason)),
            Progress::Incomplete => {}
        }
        if client.fill().await? == 0 {
            return Err(malformed("the TLS hello is cut short"));
        }
    }
}

/// Returns when nothing moved for `idle`. It looks twice per period instead of moving a timer
/// with every byte, so it may be late by half a period.
pub(crate) async fn quiet(meter: &Meter, idle: Duration) {
    let mut moved = total(meter);
    let mut since = Instant::now();
    loop {
        sleep_until(Instant::now() + idle / 2).await;
        let now = total(meter);
        if now != moved {
            (moved, since) = (now, Instant::now());
        } else if since.elapsed() >= idle {
            return;
        }
    }
}

fn total(meter: &Meter) -> u64 {
    meter.sent().wrapping_add(meter.received())
}

#[cfg(test)]
mod tests;
