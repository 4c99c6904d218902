//! One request and its response, both bodies streamed at the same time.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use ringfence_model::{Decision, Outcome, ReasonCode};
use tokio::net::TcpStream;

use super::body::{BodyError, Sink, transfer};
use super::upstream::{Taken, UpstreamSlot};
use crate::dial::DialError;
use crate::limits::INTERIM_RESPONSES;
use crate::pipeline::{Failure, Gateway, Permit, Stopped};
use crate::relay::quiet;
use crate::stream::{Buffered, Reading, write_all};
use crate::wire::http::{
    BodyKind, HttpError, RequestHead, ResponseReader, TargetForm, Version, write_request,
    write_response,
};

/// A response that was relayed whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange {
    /// Its status code.
    pub status: u16,
    /// Whether the client's connection can carry another request.
    pub keep_alive: bool,
}

/// Why there was no whole response.
#[derive(Debug)]
pub struct Fault {
    kind: FaultKind,
    /// Whether the client got a part of the response, so that nothing else can be said to it.
    pub begun: bool,
}

#[derive(Debug)]
enum FaultKind {
    Dial(DialError),
    Upstream(String),
    Client(io::Error),
    Malformed(HttpError),
    SwitchingProtocols,
    TimedOut,
    Revoked(Decision),
}

impl Fault {
    /// Closes the event of the request, and says what the client may be told.
    #[must_use]
    pub fn settle(self, permit: Permit) -> Stopped {
        let reason = match self.kind {
            FaultKind::Dial(error) => return error.settle(permit),
            FaultKind::Revoked(decision) => return Stopped::Refused(permit.revoke(decision)),
            FaultKind::Malformed(error) => {
                let refusal = permit.refuse(ReasonCode::Malformed, &error.to_string());
                return Stopped::Refused(refusal);
            }
            FaultKind::SwitchingProtocols => {
                let reason = HttpError::SwitchingProtocols.to_string();
                return Stopped::Refused(permit.refuse(ReasonCode::UpgradeRefused, &reason));
            }
            FaultKind::TimedOut => {
                let reason = "nothing moved for too long".to_owned();
                return Failure::close(permit, Outcome::TimedOut, reason);
            }
            FaultKind::Client(error) => {
                let reason = format!("the client broke off: {error}");
                return Failure::close(permit, Outcome::Aborted, reason);
            }
            FaultKind::Upstream(reason) => reason,
        };
        Failure::close(permit, Outcome::UpstreamFailed, reason)
    }
}

impl Gateway {
    /// Sends the request that `permit` allows and relays the response.
    ///
    /// # Errors
    /// See [`Fault`]; give it the permit with [`Fault::settle`].
    pub async fn exchange(
        &self,
        permit: &Permit,
        client: &mut Buffered,
        slot: &mut UpstreamSlot,
        request: &RequestHead,
    ) -> Result<Exchange, Fault> {
        let begun = AtomicBool::new(false);
        let done = tokio::select! {
            biased;
            decision = self.revoked(permit) => Err(FaultKind::Revoked(decision)),
            () = quiet(permit.meter(), self.limits().idle_timeout) => Err(FaultKind::TimedOut),
            done = self.attempts(permit, client, slot, (request, &begun)) => done,
        };
        done.map_err(|kind| Fault {
            kind,
            begun: begun.load(Ordering::Relaxed),
        })
    }

    async fn attempts(
        &self,
        permit: &Permit,
        client: &mut Buffered,
        slot: &mut UpstreamSlot,
        (request, begun): (&RequestHead, &AtomicBool),
    ) -> Result<Exchange, FaultKind> {
        let turn = Turn {
            permit,
            request,
            begun,
        };
        let taken = slot.take(self, permit).await.map_err(FaultKind::Dial)?;
        let reused = taken.reused;
        match turn.run_and_keep(client, slot, taken).await {
            Err(kind) if reused && turn.is_stale(&kind) => {
                let taken = slot.take(self, permit).await.map_err(FaultKind::Dial)?;
                turn.run_and_keep(client, slot, taken).await
            }
            done => done,
        }
    }
}

/// One attempt.
struct Turn<'a> {
    permit: &'a Permit,
    request: &'a RequestHead,
    begun: &'a AtomicBool,
}

struct Done {
    exchange: Exchange,
    upstream_keep_alive: bool,
}

impl Turn<'_> {
    async fn run_and_keep(
        &self,
        client: &mut Buffered,
        slot: &mut UpstreamSlot,
        mut taken: Taken,
    ) -> Result<Exchange, FaultKind> {
        let done = self.run(client, &mut taken.dialled.stream).await?;
        if done.upstream_keep_alive {
            slot.keep(self.permit, taken.dialled);
        }
        Ok(done.exchange)
    }

    /// Whether a kept connection was closed before it was used: a fresh one may do better.
    fn is_stale(&self, kind: &FaultKind) -> bool {
        let repeatable = matches!(self.request.method.as_str(), "GET" | "HEAD" | "OPTIONS")
            && matches!(self.request.body, BodyKind::None | BodyKind::Length(0));
        let begun = self.begun.load(Ordering::Relaxed);
        repeatable && !begun && matches!(kind, FaultKind::Upstream(_))
    }

    async fn run(&self, client: &mut Buffered, upstream: &mut Buffered) -> Result<Done, FaultKind> {
        let mut head = Vec::with_capacity(1024);
        write_request(self.request, TargetForm::Origin, &mut head);
        upstream.write_all(&head).await.map_err(upstream_broke)?;
        self.permit.meter().add_sent(head.len() as u64);
        drop(head);

        let (client_socket, mut from_client) = client.split();
        let (upstream_socket, mut from_upstream) = upstream.split();
        let sent = AtomicBool::new(self.request.body == BodyKind::None);
        let upload = async {
            let sink = Sink::framed(self.request.body, upstream_socket);
            let count = |octets: usize| self.permit.meter().add_sent(octets as u64);
            transfer(&mut from_client, self.request.body, sink, count).await?;
            sent.store(true, Ordering::Relaxed);
            Ok(())
        };
        let download = self.respond(&mut from_upstream, client_socket, &sent);
        tokio::pin!(upload, download);
        let mut uploading = true;
        loop {
            tokio::select! {
                biased;
                result = &mut upload, if uploading => {
                    uploading = false;
                    check_upload(result)?;
                }
                result = &mut download => return result,
            }
        }
    }

    /// Relays interim responses and the final one.
    async fn respond(
        &self,
        from: &mut Reading<'_>,
        client: &TcpStream,
        sent: &AtomicBool,
    ) -> Result<Done, FaultKind> {
        for _ in 0..INTERIM_RESPONSES {
            let mut head = read_head(from, &self.request.method).await?;
            let interim = head.is_interim();
            if interim && self.request.version == Version::Http10 {
                continue;
            }
            let body = head.body;
            let whole_request = sent.load(Ordering::Relaxed);
            let upstream_keep_alive = head.keep_alive && whole_request;
            if !interim {
                head.adapt(
                    self.request.version,
                    self.request.keep_alive && whole_request,
                );
            }
            let mut out = Vec::with_capacity(1024);
            write_response(&head, &mut out);
            self.begun.store(true, Ordering::Relaxed);
            write_all(client, &out).await.map_err(FaultKind::Client)?;
            self.permit.meter().add_received(out.len() as u64);
            if interim {
                self.begun.store(false, Ordering::Relaxed);
                continue;
            }
            drop(out);
            let count = |octets: usize| self.permit.meter().add_received(octets as u64);
            transfer(from, body, Sink::framed(head.body, client), count)
                .await
                .map_err(response_broke)?;
            let delimited = head.body != BodyKind::UntilClose;
            return Ok(Done {
                exchange: Exchange {
                    status: head.status,
                    keep_alive: head.keep_alive && delimited,
                },
                upstream_keep_alive,
            });
        }
        let reason = "it sent too many interim responses";
        Err(FaultKind::Upstream(reason.to_owned()))
    }
}

async fn read_head(
    from: &mut Reading<'_>,
    method: &str,
) -> Result<crate::wire::http::ResponseHead, FaultKind> {
    let mut reader = ResponseReader::new(method);
    loop {
        match reader.read(from.ahead()) {
            Ok(Some((head, used))) => {
                from.consume(used);
                return Ok(head);
            }
            Ok(None) => {}
            Err(HttpError::SwitchingProtocols) => return Err(FaultKind::SwitchingProtocols),
            Err(error) => {
                let reason = format!("its response is not valid: {error}");
                return Err(FaultKind::Upstream(reason));
            }
        }
        if from.fill().await.map_err(upstream_broke)? == 0 {
            return Err(upstream_broke(io::ErrorKind::UnexpectedEof.into()));
        }
    }
}

/// An upstream that takes no more of the body may still answer, so that is no fault yet.
fn check_upload(result: Result<(), BodyError>) -> Result<(), FaultKind> {
    match result {
        Ok(()) | Err(BodyError::Sink(_)) => Ok(()),
        Err(BodyError::Source(error)) => Err(FaultKind::Client(error)),
        Err(BodyError::Malformed(error)) => Err(FaultKind::Malformed(error)),
    }
}

fn response_broke(error: BodyError) -> FaultKind {
    match error {
        BodyError::Source(error) => upstream_broke(error),
        BodyError::Sink(error) => FaultKind::Client(error),
        BodyError::Malformed(error) => {
            FaultKind::Upstream(format!("its response is not valid: {error}"))
        }
    }
}

fn upstream_broke(error: io::Error) -> FaultKind {
    FaultKind::Upstream(format!("the upstream broke off: {error}"))
}
