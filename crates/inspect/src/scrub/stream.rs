//! Scrubbing a stream, in whatever pieces it comes.

use super::find::Found;
use super::unit::Text;
use super::{REPLACEMENT, ScrubSet};

/// A stream being scrubbed. What cannot become part of a match any more is given at once; what may
/// is held back, at most [`ScrubSet::hold_back`] octets.
#[derive(Debug)]
pub struct Scrubber {
    set: ScrubSet,
    /// What is not decided yet.
    pub(super) held: Vec<u8>,
    /// Octets at the beginning of `held` that an earlier match covers: they are never shown.
    covered: usize,
    found: u64,
}

impl Scrubber {
    #[must_use]
    pub fn new(set: ScrubSet) -> Self {
        Self {
            set,
            held: Vec::new(),
            covered: 0,
            found: 0,
        }
    }

    /// Takes the next piece of the stream, and appends what is scrubbed to `out`.
    pub fn feed(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        if self.held.is_empty() {
            let done = self.scrub(
                Text {
                    octets: chunk,
                    last: false,
                },
                out,
            );
            self.held
                .extend_from_slice(chunk.get(done..).unwrap_or_default());
            return;
        }
        let mut held = std::mem::take(&mut self.held);
        held.extend_from_slice(chunk);
        let done = self.scrub(
            Text {
                octets: &held,
                last: false,
            },
            out,
        );
        held.drain(..done);
        self.held = held;
    }

    /// The stream has ended: appends what is left of it to `out`.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        let held = std::mem::take(&mut self.held);
        self.scrub(Text::whole(&held), out);
        self.covered = 0;
    }

    /// How many replacements were made so far.
    #[must_use]
    pub fn found(&self) -> u64 {
        self.found
    }

    /// Scrubs as much as is decided, and says how much that is.
    fn scrub(&mut self, text: Text<'_>, out: &mut Vec<u8>) -> usize {
        let mut from = 0;
        // What is before this was written or covered.
        let mut shown = self.covered;
        loop {
            let found = self.set.0.find(text, from);
            let (Found::Match { start: until, .. } | Found::Open(until)) = found else {
                out.extend_from_slice(text.octets.get(shown..).unwrap_or_default());
                self.covered = 0;
                return text.octets.len();
            };
            out.extend_from_slice(text.octets.get(shown..until).unwrap_or_default());
            let Found::Match { start, end } = found else {
                self.covered = shown.saturating_sub(until);
                return until;
            };
            // A match that overlaps the one before goes under the same replacement.
            if start >= shown {
                out.extend_from_slice(REPLACEMENT.as_bytes());
                self.found += 1;
            }
            shown = shown.max(end);
            from = start + 1;
        }
    }
}
