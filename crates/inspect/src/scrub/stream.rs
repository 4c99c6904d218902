//! Scrubbing a stream, in whatever pieces it comes.

use super::lines::whole_lines;
use super::unit::Text;
use super::{REPLACEMENT, ScrubSet};

/// A stream being scrubbed.
///
/// Exactly the last [`ScrubSet::hold_back`] octets are held back, whatever they are: if how much
/// comes out depended on how far a text agrees with a value, the value could be guessed octet by
/// octet. Only a whole match changes what comes out.
///
/// A match of up to that length is found wherever the stream is cut into pieces. A longer one (each
/// character in two layers of long escapes) is found when the piece that it begins in has all of
/// it, and may be missed when it goes on in the next. A match that was not whole when its beginning
/// was flushed is not found.
#[derive(Debug)]
pub struct Scrubber {
    set: ScrubSet,
    /// The end of the stream so far.
    held: Vec<u8>,
    /// Octets at the beginning of `held` that were given out.
    given: usize,
    /// Octets after those that an earlier match covers: they are never shown.
    covered: usize,
    found: u64,
    /// Whether what stands where a value was is as long as the value.
    is_masking: bool,
}

/// What stands for each octet of a value where the length of a text must not change.
const MASK: u8 = b'*';

impl Scrubber {
    #[must_use]
    pub fn new(set: ScrubSet) -> Self {
        Self {
            set,
            held: Vec::new(),
            given: 0,
            covered: 0,
            found: 0,
            is_masking: false,
        }
    }

    /// From now on, puts as many octets where a value was as it had: for formats that count octets,
    /// which would be cut elsewhere.
    #[must_use]
    pub fn masking(self) -> Self {
        Self {
            is_masking: true,
            ..self
        }
    }

    /// Searches what is still held, and all that comes, for the values of another set. What begins
    /// in octets that were given out already is not found.
    pub fn go_over_to(&mut self, set: ScrubSet) {
        self.set = set;
    }

    /// Takes the next piece of the stream, and appends all but the end, scrubbed, to `out`.
    pub fn feed(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        let keep = self.set.hold_back();
        if piece.len() <= 2 * keep {
            self.held.extend_from_slice(piece);
            self.give(keep, out);
            return;
        }
        let until = piece.len() - keep;
        // A long piece is scrubbed where it lies, after what needs its beginning only.
        if self.held() > 0 {
            self.held
                .extend_from_slice(piece.get(..keep).unwrap_or_default());
            self.give(keep, out);
        }
        self.scrub(piece, until, out);
        self.held.clear();
        self.held
            .extend_from_slice(piece.get(until..).unwrap_or_default());
        self.given = 0;
    }

    /// Appends what is held to `out`, all but the last `keep` octets, as at the end of a text.
    pub fn flush(&mut self, keep: usize, out: &mut Vec<u8>) {
        self.give(keep, out);
    }

    /// Appends the whole lines of what is held to `out`, up to the last line end after which no
    /// value can go on that began before it.
    pub fn flush_lines(&mut self, out: &mut Vec<u8>) {
        if self.set.spans_lines() {
            return;
        }
        let held = self.held.get(self.given..).unwrap_or_default();
        let keep = held.len().saturating_sub(whole_lines(held));
        self.give(keep, out);
    }

    /// The stream has ended: appends what is left of it to `out`.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.give(0, out);
    }

    /// Octets that are held back.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held.len() - self.given
    }

    /// How many replacements were made so far.
    #[must_use]
    pub fn found(&self) -> u64 {
        self.found
    }

    /// Gives out what is held but for the last octets.
    fn give(&mut self, keep: usize, out: &mut Vec<u8>) {
        let held = std::mem::take(&mut self.held);
        let rest = held.get(self.given..).unwrap_or_default();
        let until = rest.len().saturating_sub(keep);
        self.scrub(rest, until, out);
        self.held = held;
        self.given += until;
        // Moved only when there is as much to drop as to keep.
        if self.given >= self.held() {
            self.held.drain(..self.given);
            self.given = 0;
        }
    }

    /// Scrubs what begins before `until`.
    fn scrub(&mut self, octets: &[u8], until: usize, out: &mut Vec<u8>) {
        let text = Text { octets };
        let mut from = 0;
        // What is before this was written or covered.
        let mut shown = self.covered;
        while let Some(found) = self.set.0.find(text, from, until) {
            out.extend_from_slice(octets.get(shown..found.start).unwrap_or_default());
            // A match that overlaps the one before goes under the same replacement.
            if found.start >= shown {
                self.found += 1;
            }
            if self.is_masking {
                let masked = found.end.saturating_sub(shown.max(found.start));
                out.extend(std::iter::repeat_n(MASK, masked));
            } else if found.start >= shown {
                out.extend_from_slice(REPLACEMENT.as_bytes());
            }
            shown = shown.max(found.end);
            from = found.start + 1;
        }
        out.extend_from_slice(octets.get(shown..until).unwrap_or_default());
        self.covered = shown.saturating_sub(until);
    }
}
