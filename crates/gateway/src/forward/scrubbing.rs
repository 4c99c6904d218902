//! Takes the values of a credential out of a body as it streams, after its encoding was undone and
//! the members that a rule removes are gone.
//! What goes on, and when, must not depend on how far a text agrees with a value.

mod boundary;
#[cfg(test)]
mod tests;

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use ringfence_inspect::{DecodeError, Decoder, Members, MembersError, ScrubSet, Scrubber};
use thiserror::Error;
use tokio::time::{Sleep, sleep};

use super::withheld::Withholding;
use crate::limits::{FRAME_OCTETS, READ_AT_A_TIME, SILENCE_GIVES_LINES};
use boundary::Boundary;

/// Octets that are decoded at a time: a small piece can become a large one.
const DECODED_AT_A_TIME: usize = 4 * 1024;

/// What is known of a body before it comes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form<'a> {
    /// Its media type, in lower case, without parameters.
    pub(super) media: &'a str,
    /// Whether it says how long it is. What is left of it comes by itself then, and nobody waits
    /// for an answer to a part of it.
    pub(super) measured: bool,
    pub(super) http2: bool,
}

/// A body that is being read.
pub(super) struct Scrubbing {
    decoder: Option<Decoder>,
    /// What takes members out, where a rule removes some.
    members: Option<Members>,
    scrubber: Scrubber,
    /// What came.
    waiting: Bytes,
    /// What that was decoded to.
    plain: Bytes,
    /// What goes on of it.
    ready: Bytes,
    boundary: Option<Boundary>,
    silence: Silence,
    /// What is searched for from now on, where that can become more.
    withholding: Option<Withholding>,
}

/// Why a body cannot be read, and must not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum Unreadable {
    #[error(transparent)]
    Encoding(#[from] DecodeError),
    #[error("what the rule removes cannot be found: {0}")]
    Members(#[from] MembersError),
}

/// Whether the upstream has nothing more for now.
enum Silence {
    /// It does not matter.
    Ignored,
    None,
    Since(Pin<Box<Sleep>>),
    /// The whole lines went on. The rest waits: what is cut in the middle of a line may be a value.
    Over,
}

impl Scrubbing {
    /// Reads a body.
    pub(super) fn new(decoder: Option<Decoder>, set: ScrubSet, form: Form<'_>) -> Self {
        Self {
            decoder,
            members: None,
            // Where a value spans lines, no end of a line is known to be outside of it.
            boundary: Boundary::of(form.media, form.http2).filter(|_| !set.spans_lines()),
            scrubber: Scrubber::new(set),
            waiting: Bytes::new(),
            plain: Bytes::new(),
            ready: Bytes::new(),
            silence: match form.measured {
                true => Silence::Ignored,
                false => Silence::None,
            },
            withholding: None,
        }
    }

    /// Reads a body, searched for all that is withheld when it comes.
    pub(super) fn following(
        decoder: Option<Decoder>,
        mut withholding: Withholding,
        form: Form<'_>,
    ) -> Self {
        let set = withholding.hidden().set.clone();
        Self {
            withholding: Some(withholding),
            ..Self::new(decoder, set, form)
        }
    }

    /// Leaves every octet where it was.
    pub(super) fn in_place(self) -> Self {
        Self {
            scrubber: self.scrubber.masking(),
            ..self
        }
    }

    /// Whether the body is one of events or records, which come one by one and perhaps without end.
    pub(super) const fn is_stream(&self) -> bool {
        self.boundary.is_some()
    }

    /// Takes members out as well.
    pub(super) fn removing(self, members: Option<Members>) -> Self {
        Self { members, ..self }
    }

    /// Takes the next piece of the body; the one before must have been used up by
    /// [`Scrubbing::step`].
    pub(super) fn take(&mut self, piece: Bytes) {
        self.waiting = piece;
        if !matches!(self.silence, Silence::Ignored) {
            self.silence = Silence::None;
        }
    }

    /// Whether there is more to do before the next piece.
    pub(super) fn is_busy(&self) -> bool {
        !(self.ready.is_empty() && self.plain.is_empty() && self.waiting.is_empty())
    }

    /// Reads a part of the piece, so small that others need not wait for it. What comes out may be
    /// empty, and is no longer than [`FRAME_OCTETS`].
    pub(super) fn step(&mut self) -> Result<Bytes, Unreadable> {
        if self.ready.is_empty() {
            if self.plain.is_empty() {
                self.plain = self.decode()?;
            }
            let length = self.plain.len().min(READ_AT_A_TIME);
            let piece = self.plain.split_to(length);
            self.ready = self.clean(&piece)?;
        }
        let length = self.ready.len().min(FRAME_OCTETS);
        Ok(self.ready.split_to(length))
    }

    fn decode(&mut self) -> Result<Bytes, DecodeError> {
        let Some(decoder) = &mut self.decoder else {
            return Ok(std::mem::take(&mut self.waiting));
        };
        let length = self.waiting.len().min(DECODED_AT_A_TIME);
        let piece = self.waiting.split_to(length);
        let mut plain = Vec::with_capacity(4 * length);
        decoder.feed(&piece, &mut plain)?;
        Ok(plain.into())
    }

    /// Has whole lines go on because the upstream is silent. Asked only when it was found to be, so
    /// that the time begins after all that came was read, however slow the agent is.
    pub(super) fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if matches!(self.silence, Silence::None) && self.scrubber.held() > 0 {
            self.silence = Silence::Since(Box::pin(sleep(SILENCE_GIVES_LINES)));
        }
        let Silence::Since(over) = &mut self.silence else {
            return Poll::Pending;
        };
        ready!(over.as_mut().poll(cx));
        self.silence = Silence::Over;
        let mut out = Vec::new();
        self.scrubber.flush_lines(&mut out);
        self.ready = out.into();
        if self.ready.is_empty() {
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    /// The body has ended: what is left of it goes on by the next steps.
    pub(super) fn finish(&mut self) -> Result<(), Unreadable> {
        if let Some(decoder) = &self.decoder {
            decoder.finish()?;
        }
        let mut held = Vec::new();
        if let Some(members) = &mut self.members {
            members.finish(&mut held)?;
        }
        let mut rest = self.scrub(&held).to_vec();
        self.scrubber.finish(&mut rest);
        self.ready = rest.into();
        Ok(())
    }

    /// Values that were taken out so far.
    pub(super) fn found(&self) -> u64 {
        self.scrubber.found()
    }

    fn clean(&mut self, plain: &[u8]) -> Result<Bytes, Unreadable> {
        let Some(members) = &mut self.members else {
            return Ok(self.scrub(plain));
        };
        let mut left = Vec::with_capacity(plain.len());
        members.feed(plain, &mut left)?;
        Ok(self.scrub(&left))
    }

    fn scrub(&mut self, plain: &[u8]) -> Bytes {
        if let Some(set) = self.withholding.as_mut().and_then(Withholding::newer) {
            self.boundary.take_if(|_| set.spans_lines());
            self.scrubber.go_over_to(set.clone());
        }
        let mut scrubbed = Vec::with_capacity(plain.len() + self.scrubber.held());
        self.scrubber.feed(plain, &mut scrubbed);
        if let Some(boundary) = &mut self.boundary {
            boundary.pass(plain);
            self.scrubber.flush(boundary.since(), &mut scrubbed);
        }
        scrubbed.into()
    }
}
