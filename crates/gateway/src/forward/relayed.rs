//! The body of a response on its way to the agent. It holds the permit: the event is closed when
//! the body is over, and as aborted when the agent does not take it to its end.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use ringfence_inspect::DecodeError;
use ringfence_model::{Outcome, ReasonCode};

use super::exchange::{Answered, Chosen};
use super::fault::in_words;
use super::lease::Lease;
use super::respond::{Passed, pass_trailers};
use super::scrubbing::Scrubbing;
use super::watch::{Cut, Watch};
use crate::http::{BodyError, ResponseBody};
use crate::pipeline::Permit;

/// The stable code of the finding that an upstream sent a credential back.
pub(super) const CREDENTIAL_ECHOED: &str = "credential-echoed";

type Polled = Poll<Option<Result<Frame<Bytes>, BodyError>>>;

/// A response body that is being relayed.
struct Relayed {
    source: Incoming,
    scrubbing: Option<Scrubbing>,
    /// The most octets that may come, and how many of them are left.
    left: Option<(u64, u64)>,
    watch: Watch,
    cut: Option<Pin<Box<dyn Future<Output = Cut> + Send>>>,
    begun: bool,
    chosen: Chosen,
    /// Trailers that come after what is left of the body.
    trailers: Option<Frame<Bytes>>,
    counted: u64,
    /// There until the end.
    open: Option<Open>,
}

struct Open {
    permit: Permit,
    lease: Option<Lease>,
    status: u16,
    followed: Vec<String>,
}

/// The response as the agent gets it.
pub(super) fn relay(answered: Answered, passed: Passed, permit: Permit) -> Response<ResponseBody> {
    let meter = permit.meter();
    meter.add_received(super::head::octets(&passed.headers));
    let mut relayed = Relayed {
        source: answered.response.into_body(),
        scrubbing: passed.scrubbing,
        left: passed.limit.map(|limit| (limit, limit)),
        watch: answered.watch,
        cut: None,
        begun: false,
        chosen: answered.chosen,
        trailers: None,
        counted: 0,
        open: Some(Open {
            permit,
            lease: answered.lease,
            status: passed.status.as_u16(),
            followed: answered.followed,
        }),
    };
    relayed.count_scrubbed(passed.scrubbed);
    if relayed.source.is_end_stream() {
        relayed.scrubbing = None;
        relayed.done();
    }
    let mut response = Response::new(ResponseBody::new(relayed));
    *response.status_mut() = passed.status;
    *response.headers_mut() = passed.headers;
    response
}

impl Relayed {
    /// Looks whether the exchange was cut: from the second frame on, so that a short body costs
    /// nothing.
    fn poll_cut(&mut self, cx: &mut Context<'_>) -> Option<BodyError> {
        let watch = &self.watch;
        let cut = self
            .cut
            .get_or_insert_with(|| Box::pin(watch.clone().cut()));
        let Poll::Ready(cut) = cut.as_mut().poll(cx) else {
            return None;
        };
        Some(match (cut, self.open.take()) {
            (Cut::Revoked(decision) | Cut::Changed(decision), open) => {
                if let Some(open) = open {
                    // The head is gone: there is nothing left to say to the agent.
                    let _ = open.permit.revoke((*decision).clone());
                }
                BodyError::Revoked(decision)
            }
            (Cut::Quiet, open) => {
                if let Some(open) = open {
                    open.permit.finish(Outcome::TimedOut);
                }
                BodyError::TimedOut
            }
        })
    }

    fn poll_source(&mut self, cx: &mut Context<'_>) -> Polled {
        loop {
            if let Some(scrubbing) = &mut self.scrubbing
                && scrubbing.is_busy()
            {
                let step = scrubbing.step();
                if let Some(frame) = self.give(step) {
                    return Poll::Ready(Some(frame));
                }
                continue;
            }
            if let Some(trailers) = self.trailers.take() {
                self.done();
                return Poll::Ready(Some(Ok(trailers)));
            }
            if self.open.is_none() {
                return Poll::Ready(None);
            }
            let frame = match Pin::new(&mut self.source).poll_frame(cx) {
                Poll::Ready(frame) => frame,
                Poll::Pending => {
                    let piece = ready!(self.poll_silence(cx));
                    if let Some(frame) = self.give(Ok(piece)) {
                        return Poll::Ready(Some(frame));
                    }
                    continue;
                }
            };
            if let Some(given) = self.take(frame) {
                return Poll::Ready(given);
            }
        }
    }

    /// What goes on because the upstream is silent.
    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<Bytes> {
        match &mut self.scrubbing {
            Some(scrubbing) => scrubbing.poll_silence(cx),
            None => Poll::Pending,
        }
    }

    /// What becomes of a frame of the upstream's; nothing yet, where it is to be read first.
    fn take(
        &mut self,
        frame: Option<Result<Frame<Bytes>, hyper::Error>>,
    ) -> Option<Option<Result<Frame<Bytes>, BodyError>>> {
        match frame {
            None => {
                let rest = self.end();
                self.done();
                Some(rest)
            }
            Some(Err(error)) => Some(Some(Err(self.broken(&error)))),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => self.take_data(data).map(Some),
                Err(frame) => self.take_trailers(frame),
            },
        }
    }

    fn take_data(&mut self, data: Bytes) -> Option<Result<Frame<Bytes>, BodyError>> {
        self.watch.subject.meter().add_received(data.len() as u64);
        if let Some(scrubbing) = &mut self.scrubbing {
            scrubbing.take(data);
            return None;
        }
        let given = self.give(Ok(data));
        if self.source.is_end_stream() {
            self.done();
        }
        given
    }

    fn take_trailers(
        &mut self,
        frame: Frame<Bytes>,
    ) -> Option<Option<Result<Frame<Bytes>, BodyError>>> {
        let Ok(mut trailers) = frame.into_trailers() else {
            return None;
        };
        let scrubbed = pass_trailers(&mut trailers, &self.chosen);
        self.count_scrubbed(scrubbed);
        self.trailers = Some(Frame::trailers(trailers));
        self.end().map(Some)
    }

    /// What is left of a body that has ended.
    fn end(&mut self) -> Option<Result<Frame<Bytes>, BodyError>> {
        let rest = self.scrubbing.as_mut().map(Scrubbing::finish)?;
        self.give(rest)
    }

    /// A piece that goes on, counted and within the limit.
    fn give(
        &mut self,
        piece: Result<Bytes, DecodeError>,
    ) -> Option<Result<Frame<Bytes>, BodyError>> {
        let piece = match piece {
            Ok(piece) => piece,
            Err(error) => return Some(Err(self.refused(error.to_string()))),
        };
        let found = self.scrubbing.as_ref().map_or(0, Scrubbing::found);
        let new = found.saturating_sub(self.counted);
        self.counted = found;
        self.count_scrubbed(new);
        if let Some((limit, left)) = self.left {
            let Some(left) = left.checked_sub(piece.len() as u64) else {
                let reason = match limit {
                    0 => "the response has a body where none may be".to_owned(),
                    _ => format!("the response is longer than {limit} octets"),
                };
                self.refused(reason);
                return Some(Err(BodyError::TooLarge { limit }));
            };
            self.left = Some((limit, left));
        }
        (!piece.is_empty()).then(|| Ok(Frame::data(piece)))
    }

    fn refused(&mut self, reason: String) -> BodyError {
        self.trailers = None;
        if let Some(open) = self.open.take() {
            let _ = open.permit.refuse(ReasonCode::ResponseRefused, &reason);
        }
        BodyError::Refused(reason)
    }

    fn broken(&mut self, error: &hyper::Error) -> BodyError {
        let reason = in_words(error);
        if let Some(open) = self.open.take() {
            let detail = format!("the upstream broke off: {reason}");
            open.permit.finish_with(Outcome::UpstreamFailed, detail);
        }
        BodyError::Upstream(reason)
    }

    /// The response is over, in good order.
    fn done(&mut self) {
        let Some(open) = self.open.take() else {
            return;
        };
        self.cut = None;
        if let Some(lease) = open.lease {
            lease.give_back();
        }
        let outcome = Outcome::Status(open.status);
        if open.followed.is_empty() {
            open.permit.finish(outcome);
        } else {
            let hosts = open.followed.join(", then to ");
            let detail = format!("a redirect to {hosts} was followed");
            open.permit.finish_with(outcome, detail);
        }
    }

    /// Counts values that were taken out; the first is reported.
    fn count_scrubbed(&mut self, values: u64) {
        let meter = self.watch.subject.meter();
        if values == 0 {
            return;
        }
        let first = meter.scrubbed() == 0;
        meter.add_scrubbed(values);
        let (Some(open), Some(used)) = (&self.open, &self.chosen.credential) else {
            return;
        };
        if first {
            let detail = format!(
                "the response to {} (event {}) held the credential `{}`, which was taken out",
                open.permit.action(),
                open.permit.event(),
                used.material.name
            );
            let Watch {
                gateway, session, ..
            } = &self.watch;
            gateway.find(session, CREDENTIAL_ECHOED, detail);
        }
    }
}

impl Body for Relayed {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        let this = &mut *self;
        if this.open.is_none() && this.trailers.is_none() {
            return Poll::Ready(None);
        }
        if this.begun
            && let Some(error) = this.poll_cut(cx)
        {
            return Poll::Ready(Some(Err(error)));
        }
        let polled = this.poll_source(cx);
        let first = !std::mem::replace(&mut this.begun, true);
        if polled.is_pending()
            && first
            && let Some(error) = this.poll_cut(cx)
        {
            return Poll::Ready(Some(Err(error)));
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.open.is_none() && self.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        if self.is_end_stream() {
            return SizeHint::with_exact(0);
        }
        match &self.scrubbing {
            None => self.source.size_hint(),
            Some(_) => SizeHint::default(),
        }
    }
}
