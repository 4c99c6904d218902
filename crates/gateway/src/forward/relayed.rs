//! The body of a response on its way to the agent. It holds the permit, by its leash: the event is
//! closed when the body is over, and as aborted when the agent does not take it to its end.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use ringfence_model::{EventId, Outcome, ReasonCode};

use super::exchange::{Answered, Chosen};
use super::fault::in_words;
use super::held::Source;
use super::leash::{Leash, Open};
use super::respond::{Passed, pass_trailers};
use super::scrubbing::{Scrubbing, Unreadable};
use super::watch::Watch;
use crate::http::{BodyError, ResponseBody};
use crate::limits::{READ_AT_A_TIME, READ_BEFORE_YIELD};
use crate::pipeline::{Permit, Subject};

/// The stable code of the finding that an upstream sent a credential back.
pub(super) const CREDENTIAL_ECHOED: &str = "credential-echoed";

type Polled = Poll<Option<Result<Frame<Bytes>, BodyError>>>;

/// A response body that is being relayed.
struct Relayed {
    source: Source,
    scrubbing: Option<Scrubbing>,
    /// Octets that were read since others could go on, at most.
    read: usize,
    /// Whether the upstream has nothing more.
    ended: bool,
    /// The most octets that may come, and how many of them are left.
    left: Option<(u64, u64)>,
    leash: Leash,
    begun: bool,
    /// Whether nothing comes any more but the trailers that are there.
    over: bool,
    chosen: Chosen,
    event: EventId,
    /// Trailers that come after what is left of the body.
    trailers: Option<Frame<Bytes>>,
    counted: u64,
}

/// The response as the agent gets it, with the leash as an extension for whoever serves the agent.
pub(super) fn relay(answered: Answered, passed: Passed, permit: Permit) -> Response<ResponseBody> {
    let meter = permit.meter();
    meter.add_received(super::head::octets(&passed.headers));
    let event = permit.event();
    let open = Open {
        permit,
        lease: answered.lease,
        status: passed.status.as_u16(),
        followed: answered.followed,
    };
    let mut relayed = Relayed {
        source: match passed.held {
            Some(held) => Source::Held(held),
            None => Source::Incoming(answered.response.into_body()),
        },
        scrubbing: passed.scrubbing,
        read: 0,
        ended: false,
        left: passed.limit.map(|limit| (limit, limit)),
        leash: Leash::new(answered.watch, open),
        begun: false,
        over: false,
        chosen: answered.chosen,
        event,
        trailers: None,
        counted: 0,
    };
    relayed.count_scrubbed(passed.scrubbed);
    if relayed.source.is_end_stream() {
        relayed.scrubbing = None;
        relayed.done();
    }
    let leash = (!relayed.over).then(|| relayed.leash.clone());
    let mut response = Response::new(ResponseBody::new(relayed));
    *response.status_mut() = passed.status;
    *response.headers_mut() = passed.headers;
    if let Some(leash) = leash {
        response.extensions_mut().insert(leash);
    }
    response
}

impl Relayed {
    /// Looks whether the exchange was cut: by itself from the second frame on, so that a short
    /// body costs nothing.
    fn poll_cut(&self, cx: &mut Context<'_>) -> Option<BodyError> {
        if !self.begun {
            return self.leash.cut();
        }
        match self.leash.poll_cut(cx) {
            Poll::Ready(error) => Some(error),
            Poll::Pending => None,
        }
    }

    fn poll_source(&mut self, cx: &mut Context<'_>) -> Polled {
        loop {
            if let Some(scrubbing) = &mut self.scrubbing
                && scrubbing.is_busy()
            {
                if self.read >= READ_BEFORE_YIELD {
                    self.read = 0;
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                self.read += READ_AT_A_TIME;
                let step = scrubbing.step();
                let last = self.ended && !scrubbing.is_busy() && self.trailers.is_none();
                let frame = self.give(step);
                if last {
                    self.done();
                }
                if let Some(frame) = frame {
                    return Poll::Ready(Some(frame));
                }
                continue;
            }
            if let Some(trailers) = self.trailers.take() {
                self.done();
                return Poll::Ready(Some(Ok(trailers)));
            }
            if self.ended {
                self.done();
            }
            if self.over {
                return Poll::Ready(None);
            }
            let frame = match Pin::new(&mut self.source).poll_frame(cx) {
                Poll::Ready(frame) => frame,
                Poll::Pending => {
                    ready!(self.poll_silence(cx));
                    continue;
                }
            };
            if let Some(given) = self.take(frame) {
                return Poll::Ready(Some(given));
            }
        }
    }

    /// What goes on because the upstream is silent.
    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.scrubbing {
            Some(scrubbing) => scrubbing.poll_silence(cx),
            None => Poll::Pending,
        }
    }

    /// What becomes of a frame of the upstream's; nothing yet, where it is to be read first.
    fn take(
        &mut self,
        frame: Option<Result<Frame<Bytes>, hyper::Error>>,
    ) -> Option<Result<Frame<Bytes>, BodyError>> {
        match frame {
            None => self.end(),
            Some(Err(error)) => Some(Err(self.broken(&error))),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => self.take_data(data),
                Err(frame) => self.take_trailers(frame),
            },
        }
    }

    fn take_data(&mut self, data: Bytes) -> Option<Result<Frame<Bytes>, BodyError>> {
        if !self.source.is_counted() {
            self.subject().meter().add_received(data.len() as u64);
        }
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

    fn take_trailers(&mut self, frame: Frame<Bytes>) -> Option<Result<Frame<Bytes>, BodyError>> {
        let Ok(mut trailers) = frame.into_trailers() else {
            return None;
        };
        let scrubbed = pass_trailers(&mut trailers, &mut self.chosen);
        self.count_scrubbed(scrubbed);
        self.trailers = Some(Frame::trailers(trailers));
        self.end()
    }

    /// The body has ended. What is left of it is read by the next steps.
    fn end(&mut self) -> Option<Result<Frame<Bytes>, BodyError>> {
        self.ended = true;
        match self.scrubbing.as_mut().map(Scrubbing::finish)? {
            Ok(()) => None,
            Err(error) => Some(Err(self.refused(error.to_string()))),
        }
    }

    /// A piece that goes on, counted and within the limit.
    fn give(
        &mut self,
        piece: Result<Bytes, Unreadable>,
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
        if let Some(open) = self.release() {
            let _ = open.permit.refuse(ReasonCode::ResponseRefused, &reason);
        }
        BodyError::Refused(reason)
    }

    fn broken(&mut self, error: &hyper::Error) -> BodyError {
        let reason = in_words(error);
        if let Some(open) = self.release() {
            let detail = format!("the upstream broke off: {reason}");
            open.permit.finish_with(Outcome::UpstreamFailed, detail);
        }
        BodyError::Upstream(reason)
    }

    /// The response is over, in good order.
    fn done(&mut self) {
        let Some(open) = self.release() else {
            return;
        };
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

    /// What there is to close, and from here on no more of the body.
    fn release(&mut self) -> Option<Box<Open>> {
        self.over = true;
        self.leash.release()
    }

    fn watch(&self) -> &Watch {
        self.leash.watch()
    }

    fn subject(&self) -> &Subject {
        &self.watch().subject
    }

    /// Counts values that were taken out; the first is reported.
    fn count_scrubbed(&self, values: u64) {
        let meter = self.subject().meter();
        if values == 0 {
            return;
        }
        let first = meter.scrubbed() == 0;
        meter.add_scrubbed(values);
        if first {
            let detail = format!(
                "the response to {} (event {}) held {}, which was taken out",
                self.subject().action(),
                self.event,
                self.chosen.withheld()
            );
            let Watch {
                gateway, session, ..
            } = self.watch();
            gateway.find(session, CREDENTIAL_ECHOED, detail);
        }
    }
}

impl Body for Relayed {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        let this = &mut *self;
        if this.is_end_stream() {
            return Poll::Ready(None);
        }
        if let Some(error) = this.poll_cut(cx) {
            this.trailers = None;
            this.over = true;
            return Poll::Ready(Some(Err(error)));
        }
        let polled = this.poll_source(cx);
        let first = !std::mem::replace(&mut this.begun, true);
        if polled.is_pending()
            && first
            && let Some(error) = this.poll_cut(cx)
        {
            this.over = true;
            return Poll::Ready(Some(Err(error)));
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.over && self.trailers.is_none()
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

/// The agent did not take it to its end, so the permit is dropped unfinished.
impl Drop for Relayed {
    fn drop(&mut self) {
        drop(self.leash.release());
    }
}
