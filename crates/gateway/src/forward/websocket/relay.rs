//! Moves the frames of a WebSocket. What the upstream says is scrubbed across the frames of each
//! message; what the agent says passes as it is, with its masks.

use std::io;

use hyper_util::rt::TokioIo;
use ringfence_model::{Outcome, ReasonCode};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::task::yield_now;
use tokio::time::timeout;

use super::Switched;
use super::frame::{FrameError, Header, Order};
use super::message::Message;
use crate::forward::exchange::Chosen;
use crate::forward::relayed::CREDENTIAL_ECHOED;
use crate::forward::watch::{Cut, Watch};
use crate::forward::withheld::Withholding;
use crate::limits::{LINGER, WEBSOCKET_BUFFER, WEBSOCKET_MESSAGE_OCTETS};
use crate::pipeline::{Meter, Permit};

/// Why frames stopped moving.
#[derive(Debug)]
pub(super) enum Stop {
    /// The side that is read broke off.
    Source(io::Error),
    /// The side that is written to broke off.
    Sink(io::Error),
    /// The client sent what may not go on.
    Client(FrameError),
    /// The upstream did.
    Upstream(FrameError),
}

/// One direction.
pub(super) struct Way<'a> {
    /// Whether it leads from the client to the upstream.
    pub(super) up: bool,
    pub(super) limit: u64,
    pub(super) meter: &'a Meter,
    /// What is taken out on the way to the client.
    pub(super) withholding: Option<Withholding>,
}

/// Moves frames until both sides are done, and closes the event.
pub(super) async fn run(switched: Switched, permit: Permit) {
    let Switched {
        client,
        upstream,
        chosen,
        watch,
        lease,
        scrubbed,
        ..
    } = switched;
    permit.meter().add_scrubbed(scrubbed);
    let wait = watch.gateway.limits().head_timeout;
    let opened = timeout(wait, async { tokio::try_join!(client, upstream) }).await;
    let Ok(Ok((client, upstream))) = opened else {
        permit.finish_with(
            Outcome::Aborted,
            "the connection did not become a WebSocket",
        );
        return;
    };
    let terms = chosen.terms.as_ref();
    let limit = |octets: Option<u64>| octets.unwrap_or(WEBSOCKET_MESSAGE_OCTETS);
    let meter = permit.meter();
    let up = Way {
        up: true,
        limit: limit(terms.and_then(|terms| terms.request_octets)),
        meter,
        withholding: None,
    };
    let down = Way {
        up: false,
        limit: limit(terms.and_then(|terms| terms.response_octets)),
        meter,
        withholding: chosen.withholding.clone(),
    };
    let (client, upstream) = (TokioIo::new(client), TokioIo::new(upstream));
    let (mut client, mut upstream) = (Box::pin(client), Box::pin(upstream));
    let ended = tokio::select! {
        biased;
        cut = watch.clone().cut() => Ended::Cut(cut),
        stopped = both_ways(&mut client, &mut upstream, (up, down)) => Ended::Stopped(stopped),
    };
    report(&watch, &permit, &chosen);
    // The event is closed before the client's connection, which ends what runs this.
    settle(ended, permit);
    drop((client, upstream, lease));
}

enum Ended {
    Cut(Cut),
    Stopped(Result<(), Stop>),
}

/// Both directions; when one is over, the other has a moment left.
async fn both_ways<C, U>(client: C, upstream: U, (up, down): (Way<'_>, Way<'_>)) -> Result<(), Stop>
where
    C: AsyncRead + AsyncWrite + Unpin,
    U: AsyncRead + AsyncWrite + Unpin,
{
    let (from_client, to_client) = tokio::io::split(client);
    let (from_upstream, to_upstream) = tokio::io::split(upstream);
    let upward = up.pass(from_client, to_upstream);
    let downward = down.pass(from_upstream, to_client);
    tokio::pin!(upward, downward);
    tokio::select! {
        done = &mut upward => {
            done?;
            timeout(LINGER, downward).await.unwrap_or(Ok(()))
        }
        done = &mut downward => {
            done?;
            timeout(LINGER, upward).await.unwrap_or(Ok(()))
        }
    }
}

impl Way<'_> {
    /// Moves frames to the end of the stream.
    pub(super) async fn pass<R, W>(&self, mut from: R, mut to: W) -> Result<(), Stop>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let mut order = Order::new(self.limit);
        let mut ahead = Vec::new();
        let mut message = Message::new(self.withholding.clone());
        while let Some(header) = self.header(&mut from, &mut ahead).await? {
            order.admit(&header).map_err(|error| self.fault(error))?;
            message.begin(&header);
            let mut left = header.length;
            loop {
                let piece = take(&mut ahead, left);
                left -= piece.len() as u64;
                let out = message.take(&header, &piece, left == 0);
                to.write_all(&out).await.map_err(Stop::Sink)?;
                if self.withholding.is_some() {
                    // To search a piece can take long, and others are to go on between two.
                    yield_now().await;
                }
                if left == 0 {
                    break;
                }
                self.more(&mut from, &mut ahead).await?;
            }
            to.flush().await.map_err(Stop::Sink)?;
            self.meter.add_scrubbed(message.counted());
        }
        to.shutdown().await.map_err(Stop::Sink)
    }

    /// The head of the next frame; none at the end of the stream.
    async fn header<R>(&self, from: &mut R, ahead: &mut Vec<u8>) -> Result<Option<Header>, Stop>
    where
        R: AsyncRead + Unpin,
    {
        loop {
            if let Some((header, used)) =
                Header::read(ahead, self.up).map_err(|error| self.fault(error))?
            {
                ahead.drain(..used);
                return Ok(Some(header));
            }
            if !ahead.is_empty() {
                self.more(from, ahead).await?;
            } else if self.fill(from, ahead).await? == 0 {
                return Ok(None);
            }
        }
    }

    /// Reads what must still come.
    async fn more<R>(&self, from: &mut R, ahead: &mut Vec<u8>) -> Result<(), Stop>
    where
        R: AsyncRead + Unpin,
    {
        match self.fill(from, ahead).await? {
            0 => Err(Stop::Source(io::ErrorKind::UnexpectedEof.into())),
            _ => Ok(()),
        }
    }

    async fn fill<R>(&self, from: &mut R, ahead: &mut Vec<u8>) -> Result<usize, Stop>
    where
        R: AsyncRead + Unpin,
    {
        ahead.reserve(WEBSOCKET_BUFFER);
        let read = from.read_buf(ahead).await.map_err(Stop::Source)?;
        let count = if self.up {
            Meter::add_sent
        } else {
            Meter::add_received
        };
        count(self.meter, read as u64);
        Ok(read)
    }

    const fn fault(&self, error: FrameError) -> Stop {
        if self.up {
            Stop::Client(error)
        } else {
            Stop::Upstream(error)
        }
    }
}

/// Takes at most `most` octets from the front.
fn take(ahead: &mut Vec<u8>, most: u64) -> Vec<u8> {
    let there = usize::try_from(most).map_or(ahead.len(), |most| most.min(ahead.len()));
    ahead.drain(..there).collect()
}

pub(super) fn report(watch: &Watch, permit: &Permit, chosen: &Chosen) {
    if permit.meter().scrubbed() == 0 {
        return;
    }
    let detail = format!(
        "the WebSocket of {} (event {}) held {}, which was taken out",
        permit.action(),
        permit.event(),
        chosen.withheld()
    );
    watch
        .gateway
        .find(&watch.session, CREDENTIAL_ECHOED, detail);
}

fn settle(ended: Ended, permit: Permit) {
    match ended {
        Ended::Cut(Cut::Revoked(decision) | Cut::Changed(decision)) => {
            drop(permit.revoke(*decision));
        }
        Ended::Cut(Cut::Quiet) => permit.finish(Outcome::TimedOut),
        Ended::Stopped(Ok(())) => permit.finish(Outcome::Status(101)),
        Ended::Stopped(Err(Stop::Client(FrameError::TooLong(limit)))) => {
            let reason = FrameError::TooLong(limit).to_string();
            drop(permit.refuse(ReasonCode::LimitReached, &reason));
        }
        Ended::Stopped(Err(Stop::Client(error))) => {
            drop(permit.refuse(ReasonCode::Malformed, &error.to_string()));
        }
        Ended::Stopped(Err(Stop::Upstream(error))) => {
            drop(permit.refuse(ReasonCode::ResponseRefused, &error.to_string()));
        }
        Ended::Stopped(Err(Stop::Source(error) | Stop::Sink(error))) => {
            permit.finish_with(Outcome::Aborted, error.to_string());
        }
    }
}
