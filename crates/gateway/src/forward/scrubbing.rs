//! Takes the values of a credential out of a body as it streams, after its encoding was undone.
//! What goes on, and when, must not depend on how far a text agrees with a value.

mod boundary;
#[cfg(test)]
mod tests;

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use ringfence_inspect::{DecodeError, Decoder, ScrubSet, Scrubber};
use tokio::time::{Instant, Sleep, sleep};

use crate::limits::{SILENCE_GIVES_ALL, SILENCE_GIVES_LINES};
use boundary::Boundary;

/// Octets that are decoded at a time: a small piece can become a large one.
const DECODED_AT_A_TIME: usize = 4 * 1024;

/// A body that is being read.
pub(super) struct Scrubbing {
    decoder: Option<Decoder>,
    scrubber: Scrubber,
    waiting: Bytes,
    boundary: Option<Boundary>,
    silence: Option<Silence>,
}

/// The upstream has nothing more for now.
struct Silence {
    over: Pin<Box<Sleep>>,
    /// Whether the whole lines went on.
    gave_lines: bool,
}

impl Scrubbing {
    /// Reads a body of a media type.
    pub(super) fn new(decoder: Option<Decoder>, set: ScrubSet, media: &str) -> Self {
        Self {
            decoder,
            // Where a value spans lines, no end of a line is known to be outside of it.
            boundary: Boundary::of(media).filter(|_| !set.spans_lines()),
            scrubber: Scrubber::new(set),
            waiting: Bytes::new(),
            silence: None,
        }
    }

    /// Takes the next piece of the body; the one before must have been used up by
    /// [`Scrubbing::step`].
    pub(super) fn take(&mut self, piece: Bytes) {
        self.waiting = piece;
        self.silence = None;
    }

    /// Whether there is more to do before the next piece.
    pub(super) fn is_busy(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Reads a part of the piece. What comes out may be empty.
    pub(super) fn step(&mut self) -> Result<Bytes, DecodeError> {
        let Some(decoder) = &mut self.decoder else {
            let piece = std::mem::take(&mut self.waiting);
            return Ok(self.scrub(&piece));
        };
        let length = self.waiting.len().min(DECODED_AT_A_TIME);
        let piece = self.waiting.split_to(length);
        let mut plain = Vec::with_capacity(4 * length);
        decoder.feed(&piece, &mut plain)?;
        Ok(self.scrub(&plain))
    }

    /// What goes on because the upstream is silent. Asked only when it was found to be, so that
    /// the time begins after all that came was read, however slow the agent is.
    pub(super) fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<Bytes> {
        if self.scrubber.held() == 0 {
            return Poll::Pending;
        }
        let silence = self.silence.get_or_insert_with(|| Silence {
            over: Box::pin(sleep(SILENCE_GIVES_LINES)),
            gave_lines: false,
        });
        let mut out = Vec::new();
        while out.is_empty() {
            ready!(silence.over.as_mut().poll(cx));
            if silence.gave_lines {
                self.scrubber.flush(0, &mut out);
                self.silence = None;
                break;
            }
            self.scrubber.flush_lines(&mut out);
            silence.gave_lines = true;
            let rest = SILENCE_GIVES_ALL.saturating_sub(SILENCE_GIVES_LINES);
            silence.over.as_mut().reset(Instant::now() + rest);
        }
        Poll::Ready(out.into())
    }

    /// What is left when the body has ended.
    pub(super) fn finish(&mut self) -> Result<Bytes, DecodeError> {
        if let Some(decoder) = &self.decoder {
            decoder.finish()?;
        }
        let mut rest = Vec::new();
        self.scrubber.finish(&mut rest);
        Ok(rest.into())
    }

    /// Values that were taken out so far.
    pub(super) fn found(&self) -> u64 {
        self.scrubber.found()
    }

    fn scrub(&mut self, plain: &[u8]) -> Bytes {
        let mut scrubbed = Vec::with_capacity(plain.len() + self.scrubber.held());
        self.scrubber.feed(plain, &mut scrubbed);
        if let Some(boundary) = &mut self.boundary {
            boundary.pass(plain);
            self.scrubber.flush(boundary.since(), &mut scrubbed);
        }
        scrubbed.into()
    }
}
