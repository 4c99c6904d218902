//! Takes injected credential values out of what goes toward an agent.
//!
//! A value is found as it is, and in the forms that servers echo it in: base64 at any position in a
//! longer text and with line breaks, hexadecimal, UTF-16, and with any of its characters escaped for URLs,
//! JSON, HTML or mail, in up to two layers. Matching undoes escapes as it reads, so there is no list
//! of variants. Each match, or run of matches that overlap, becomes one [`REPLACEMENT`].
//!
//! What is looked for depends on the length of the value, so that nothing is found by chance:
//!
//! | octets | forms |
//! |---|---|
//! | 0 | none: an empty value is ignored |
//! | 1 to 4 | as it is, escaped |
//! | 5 to 7 | as it is, escaped, base64 of exactly the value |
//! | 8 and more | as it is, escaped, base64 at all three alignments, hexadecimal, UTF-16 |
//!
//! A short password is therefore to be given as `user:password` as well where that is what is sent.

mod filter;
mod find;
mod lines;
mod needle;
mod stream;
mod unit;
mod verify;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use ringfence_model::Secret;
use thiserror::Error;

use crate::limits::{VALUE_OCTETS, VALUES};
use find::Finder;
use unit::Text;

pub use stream::Scrubber;

/// What stands where a value was: valid in JSON strings, URLs and header values.
pub const REPLACEMENT: &str = "REDACTED-BY-RINGFENCE";

/// The values to take out, and every form of them, compiled. Clones share one copy.
#[derive(Clone)]
pub struct ScrubSet(Arc<Finder>);

/// Why values cannot be scrubbed. Their response must not be forwarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ScrubError {
    #[error("more than {VALUES} values to scrub")]
    TooManyValues,
    #[error("a value to scrub is longer than {VALUE_OCTETS} octets")]
    ValueTooLong,
}

impl ScrubSet {
    /// Compiles the values. Empty ones and repetitions are left out.
    pub fn new(values: &[Secret]) -> Result<Self, ScrubError> {
        let mut distinct: Vec<Secret> = Vec::new();
        for value in values {
            if value.expose().len() > VALUE_OCTETS {
                return Err(ScrubError::ValueTooLong);
            }
            if !value.expose().is_empty() && !distinct.contains(value) {
                if distinct.len() == VALUES {
                    return Err(ScrubError::TooManyValues);
                }
                distinct.push(value.clone());
            }
        }
        Ok(Self(Arc::new(Finder::new(distinct))))
    }

    /// The set that takes out what this one or the other does.
    pub fn merge(&self, other: &Self) -> Result<Self, ScrubError> {
        Self::new(&[self.0.values(), other.0.values()].concat())
    }

    /// Whether this one looks for everything that the other does.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let own = self.0.values();
        Arc::ptr_eq(&self.0, &other.0) || other.0.values().iter().all(|value| own.contains(value))
    }

    /// Whether there is nothing to look for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.values().is_empty()
    }

    /// Octets that a [`Scrubber`] holds back, whatever they are, and the longest match that it is
    /// sure to find: twelve for each octet of the longest value.
    #[must_use]
    pub fn hold_back(&self) -> usize {
        self.0.hold_back()
    }

    /// Whether a value has a line end in it, so that the end of a line may be inside of one.
    #[must_use]
    pub fn spans_lines(&self) -> bool {
        let breaks = |octet: &u8| matches!(octet, b'\r' | b'\n');
        self.0
            .values()
            .iter()
            .any(|value| value.expose().iter().any(breaks))
    }

    /// Scrubs a whole text, such as a header value; `None` when nothing was found.
    #[must_use]
    pub fn scrub(&self, text: &[u8]) -> Option<Vec<u8>> {
        if !self.finds(text) {
            return None;
        }
        let mut scrubbed = Vec::with_capacity(text.len());
        let mut scrubber = Scrubber::new(self.clone());
        scrubber.feed(text, &mut scrubbed);
        scrubber.finish(&mut scrubbed);
        Some(scrubbed)
    }

    /// Whether the whole text holds a value in any form.
    #[must_use]
    pub fn finds(&self, text: &[u8]) -> bool {
        self.0.is_in(Text { octets: text })
    }
}

impl Default for ScrubSet {
    /// The set without values.
    fn default() -> Self {
        Self(Arc::new(Finder::new(Vec::new())))
    }
}

impl fmt::Debug for ScrubSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScrubSet")
            .field("values", &self.0.values().len())
            .finish_non_exhaustive()
    }
}
