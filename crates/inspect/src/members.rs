//! Takes named members out of a JSON text (RFC 8259) as it comes: what an upstream gives out that
//! is a secret of its own, as tokens and signed URLs.
//!
//! A member is found by its name at any depth, however its name is escaped and however often it is
//! there. Its value becomes `null`, or, where parameters of a URL are named, the text without them.
//! All else goes on as it came, and at once: only the text of a URL is held, up to
//! [`crate::limits::URL_TEXT_OCTETS`].
//!
//! What is not JSON by the letter is an error: a reader that takes it all the same could find
//! members where this one sees none.

mod removals;
mod syntax;
mod text;

#[cfg(test)]
mod tests;

use thiserror::Error;

use crate::limits::{DEPTH, URL_TEXT_OCTETS};
use removals::Action;
pub use removals::Removals;
use syntax::{Kind, Step, Syntax};

/// What stands where a value was.
const NOTHING: &[u8] = b"null";

/// Why members cannot be taken out of a text. It must not be forwarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MembersError {
    #[error("the body is not valid JSON")]
    Syntax,
    #[error("the JSON of the body ends too early")]
    Truncated,
    #[error("the JSON of the body is nested deeper than {DEPTH} levels")]
    Depth,
    #[error("a URL in the body is longer than {URL_TEXT_OCTETS} octets")]
    TooLong,
}

/// A JSON text that is being read.
#[derive(Debug)]
pub struct Members {
    removals: Removals,
    syntax: Syntax,
    /// Whether a text that is no JSON goes on from where it is none.
    lenient: bool,
    /// Around a value that is taken out: how many brackets are open.
    removing: Option<usize>,
    /// A text with its quotes that parameters may be taken out of.
    held: Option<(Action, Vec<u8>)>,
    /// It was found to be no JSON, and goes on unread.
    unread: bool,
    failed: Option<MembersError>,
    removed: u64,
}

impl Members {
    /// Reads a body that must be JSON, or have no octet at all.
    #[must_use]
    pub fn new(removals: Removals) -> Self {
        Self {
            syntax: Syntax::new(removals.longest()),
            removals,
            lenient: false,
            removing: None,
            held: None,
            unread: false,
            failed: None,
            removed: 0,
        }
    }

    /// Reads a body that need not be JSON: it is read as JSON as far as it is, and goes on as it is
    /// from there.
    #[must_use]
    pub fn lenient(removals: Removals) -> Self {
        Self {
            lenient: true,
            ..Self::new(removals)
        }
    }

    /// Takes the next piece, and appends what goes on.
    pub fn feed(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), MembersError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let mut rest = piece;
        while let Some((octet, tail)) = rest.split_first() {
            if self.unread {
                out.extend_from_slice(rest);
                return Ok(());
            }
            let (run, after) = rest.split_at(self.plain(rest));
            if !run.is_empty() {
                self.give(run, out);
                rest = after;
                continue;
            }
            match self.octet(*octet, out) {
                Ok(()) => rest = tail,
                Err(error) => self.give_up(error, out)?,
            }
        }
        Ok(())
    }

    /// The body has ended: what of it was held back.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), MembersError> {
        match self.failed {
            Some(error) => Err(error),
            None if self.unread || self.syntax.is_complete() => Ok(()),
            None => self.give_up(MembersError::Truncated, out),
        }
    }

    /// Values that were taken out so far.
    #[must_use]
    pub const fn removed(&self) -> u64 {
        self.removed
    }

    /// Octets at the beginning that are inside of a text and nothing but themselves.
    fn plain(&self, rest: &[u8]) -> usize {
        if self.held.is_some() || !self.syntax.is_in_plain_text() {
            return 0;
        }
        let special = |octet: &u8| !matches!(octet, b' '..=b'~') || matches!(octet, b'"' | b'\\');
        rest.iter().position(special).unwrap_or(rest.len())
    }

    fn octet(&mut self, octet: u8, out: &mut Vec<u8>) -> Result<(), MembersError> {
        if self.syntax.ends_number(octet)? && self.removing == Some(self.syntax.depth()) {
            self.removing = None;
        }
        match self.syntax.step(octet)? {
            Step::Begins(kind, action) if self.removing.is_none() => {
                self.begin(octet, (kind, action), out);
            }
            Step::KeyEnds if self.removing.is_none() => {
                let action = self.removals.find(self.syntax.key());
                self.syntax.set_action(action);
                out.push(octet);
            }
            Step::Ends => self.end(octet, out)?,
            Step::Begins(..) | Step::KeyEnds | Step::Other => match &mut self.held {
                Some((_, held)) if held.len() == URL_TEXT_OCTETS => {
                    return Err(MembersError::TooLong);
                }
                Some((_, held)) => held.push(octet),
                None => self.give(&[octet], out),
            },
        }
        Ok(())
    }

    fn begin(&mut self, octet: u8, (kind, action): (Kind, Action), out: &mut Vec<u8>) {
        match (action, kind) {
            (Action::Remove, _) => {
                let around = usize::from(kind == Kind::Brackets);
                self.removing = Some(self.syntax.depth().saturating_sub(around));
                self.removed += 1;
                out.extend_from_slice(NOTHING);
            }
            (Action::Clean(_), Kind::Text) => self.held = Some((action, vec![octet])),
            _ => out.push(octet),
        }
    }

    fn end(&mut self, octet: u8, out: &mut Vec<u8>) -> Result<(), MembersError> {
        if let Some((action, mut held)) = self.held.take() {
            held.push(octet);
            match self.removals.clean(action, &held)? {
                None => out.extend_from_slice(&held),
                Some(cleaned) => {
                    self.removed += 1;
                    out.extend_from_slice(&cleaned);
                }
            }
        } else if self.removing == Some(self.syntax.depth()) {
            self.removing = None;
        } else {
            self.give(&[octet], out);
        }
        Ok(())
    }

    fn give(&self, octets: &[u8], out: &mut Vec<u8>) {
        if self.removing.is_none() {
            out.extend_from_slice(octets);
        }
    }

    /// A text that need not be JSON goes on where it is none, unless a part of it is gone.
    fn give_up(&mut self, error: MembersError, out: &mut Vec<u8>) -> Result<(), MembersError> {
        let is_none = matches!(error, MembersError::Syntax | MembersError::Truncated);
        if !self.lenient || !is_none || self.removing.is_some() {
            self.failed = Some(error);
            return Err(error);
        }
        self.unread = true;
        if let Some((_, held)) = self.held.take() {
            out.extend_from_slice(&held);
        }
        Ok(())
    }
}
