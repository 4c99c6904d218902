//! A response on its way to the client: it passes as it comes, and is read beside that.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use ringfence_gateway::http::{BodyError, ResponseBody};
use ringfence_gateway::llm::LoopTerms;
use ringfence_gateway::{Charge, Gateway, NoteHold, Session};
use ringfence_inspect::ScrubSet;
use ringfence_llm::response::{Ended, Reader};
use ringfence_model::llm::{LlmFacts, Money, TextDigest};

use super::memory::Memory;
use super::redact::clean;
use super::spend::{Bill, Kept};
use super::throttle::Admitted;
use super::words::{Dialect, in_stream};
use ringfence_trace::limits::REPEATS;

/// What is owed when a response is over, however it ends.
pub(super) struct Owed {
    pub(super) bill: Bill,
    pub(super) kept: Kept,
    pub(super) admitted: Option<Admitted>,
    pub(super) hold: NoteHold,
    pub(super) started: Instant,
    pub(super) status: u16,
    /// What is taken out of texts before they are recorded.
    pub(super) own: ScrubSet,
    /// Whether texts are recorded.
    pub(super) capture: bool,
    pub(super) dialect: Dialect,
    pub(super) circles: Circles,
}

/// Whoever looks whether an agent goes in circles.
pub(super) struct Circles {
    pub(super) gateway: Arc<Gateway>,
    pub(super) session: Arc<Session>,
    pub(super) memory: Arc<Memory>,
    pub(super) terms: LoopTerms,
}

impl Circles {
    /// Reports what is found, and has the next request refused where the rule says so.
    fn look(&self, facts: &LlmFacts) {
        let repeats = self.terms.repeats.unwrap_or(REPEATS);
        let mut state = self.memory.lock();
        let Some(found) = state.loops.observe_by(facts, repeats) else {
            return;
        };
        if self.terms.stop && found.code == REPEATED {
            state.stopped = Some(found.detail.clone());
        }
        drop(state);
        self.gateway.report(&self.session, found.code, found.detail);
    }
}

/// The finding that a tool was called again and again.
const REPEATED: &str = "tool-repeated";

/// The response body `source`, read by `reader` as it passes.
pub(super) fn watched(source: ResponseBody, reader: Reader, owed: Owed) -> ResponseBody {
    ResponseBody::new(Watched {
        source,
        open: Some(Box::new((reader, owed))),
        first: None,
    })
}

struct Watched {
    source: ResponseBody,
    /// None when it is over.
    open: Option<Box<(Reader, Owed)>>,
    /// Microseconds until the first octets came.
    first: Option<u64>,
}

impl Watched {
    fn take(&mut self, piece: &Bytes) {
        let Some(open) = &mut self.open else {
            return;
        };
        let (reader, owed) = open.as_mut();
        if self.first.is_none() && !piece.is_empty() {
            let micros = owed.started.elapsed().as_micros();
            self.first = Some(u64::try_from(micros).unwrap_or(u64::MAX));
        }
        reader.take(piece);
    }

    fn end(&mut self, ended: Ended) {
        if let Some(open) = self.open.take() {
            let (mut reader, owed) = *open;
            reader.finish(ended);
            owed.settle(&reader, self.first);
        }
    }

    /// A stream of events that breaks off says why, and ends in good order: its reader would else
    /// take what it has for a fault of the network, and try again in vain. One that breaks off within
    /// an event is such a fault: the words would be read as a part of it.
    fn last_words(&self, error: &BodyError) -> Option<Bytes> {
        let (reader, owed) = self.open.as_deref()?;
        (reader.takes_an_event() && owed.status == 200).then(|| {
            let reason = format!("Ringfence ended this stream: {error}");
            in_stream(owed.dialect, &reason)
        })
    }
}

impl Owed {
    pub(super) fn settle(mut self, reader: &Reader, first: Option<u64>) {
        let seen = reader.seen();
        let spent = self.bill.spent(seen, self.status);
        let usage = spent.usage;
        self.kept.settle(Charge {
            tokens: usage.total(),
            cost: spent.cost.unwrap_or(Money::ZERO),
        });
        if let Some(admitted) = self.admitted.take() {
            admitted.settle(usage.total());
        }
        let (own, capture, circles) = (&self.own, self.capture, &self.circles);
        self.hold.note_llm(|facts| {
            note(facts, seen, own);
            if let Some(failure) = &mut facts.failure
                && !capture
            {
                // Some providers say again what they were asked.
                failure.message.clear();
            }
            facts.usage = (usage.total() > 0).then_some(usage);
            facts.estimated = spent.is_estimated;
            facts.cost = spent.cost.filter(|_| usage.total() > 0);
            facts.first_octets_us = first;
            circles.look(facts);
        });
    }
}

fn note(facts: &mut LlmFacts, seen: &ringfence_llm::response::Seen, own: &ScrubSet) {
    facts.model = seen.model.clone();
    facts.response_id = seen.id.clone();
    facts.finish = seen.finish.clone();
    facts.failure = seen.failure.clone();
    facts.answer = seen.answer.clone();
    facts.calls = seen.calls.clone();
    let answer = facts.answer.iter_mut();
    let calls = facts.calls.iter_mut().map(|call| &mut call.arguments);
    for text in answer.chain(calls) {
        clean_text(text, own);
    }
    if let Some(failure) = &mut facts.failure
        && let Some(cleaned) = clean(&failure.message, own)
    {
        failure.message = cleaned;
    }
}

/// Takes secrets out of a text that is recorded.
pub(super) fn clean_text(text: &mut TextDigest, own: &ScrubSet) {
    if let Some(kept) = &mut text.text
        && let Some(cleaned) = clean(kept, own)
    {
        *kept = cleaned;
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        if this.open.is_none() {
            return Poll::Ready(None);
        }
        let polled = ready!(Pin::new(&mut this.source).poll_frame(cx));
        Poll::Ready(match polled {
            Some(Ok(frame)) => {
                if let Some(piece) = frame.data_ref() {
                    this.take(piece);
                }
                if this.source.is_end_stream() {
                    this.end(Ended::Whole);
                }
                Some(Ok(frame))
            }
            Some(Err(error)) => {
                let words = this.last_words(&error);
                this.end(Ended::Cut);
                match words {
                    Some(words) => Some(Ok(Frame::data(words))),
                    None => Some(Err(error)),
                }
            }
            None => {
                this.end(Ended::Whole);
                None
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.open.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.source.size_hint()
    }
}

/// The client did not take it to its end.
impl Drop for Watched {
    fn drop(&mut self) {
        self.end(Ended::Cut);
    }
}
