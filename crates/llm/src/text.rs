//! Texts as they are recorded: length and digest, and the text itself where a rule asks for it.

use std::fmt::Write as _;

use ringfence_model::llm::TextDigest;
use sha2::{Digest as _, Sha256};

use crate::limits::TEXT_OCTETS;

/// What is kept of texts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Capture {
    /// Their length and digest.
    #[default]
    Digests,
    /// The texts too, shortened.
    Texts,
}

impl From<bool> for Capture {
    fn from(texts: bool) -> Self {
        if texts { Self::Texts } else { Self::Digests }
    }
}

/// A text that comes in pieces.
#[derive(Debug, Clone)]
pub(crate) struct Digester {
    hash: Sha256,
    octets: u64,
    kept: Option<String>,
}

impl Digester {
    pub(crate) fn new(capture: Capture) -> Self {
        Self {
            hash: Sha256::new(),
            octets: 0,
            kept: (capture == Capture::Texts).then(String::new),
        }
    }

    pub(crate) fn add(&mut self, piece: &str) {
        self.hash.update(piece.as_bytes());
        self.octets = self.octets.saturating_add(piece.len() as u64);
        if let Some(kept) = &mut self.kept {
            let room = TEXT_OCTETS.saturating_sub(kept.len());
            kept.push_str(shortened(piece, room));
        }
    }

    pub(crate) const fn octets(&self) -> u64 {
        self.octets
    }

    pub(crate) fn finish(self) -> TextDigest {
        let mut digest = String::with_capacity(2 * DIGEST_OCTETS);
        for octet in self.hash.finalize().iter().take(DIGEST_OCTETS) {
            let _ = write!(digest, "{octet:02x}");
        }
        TextDigest {
            octets: self.octets,
            digest,
            text: self.kept,
        }
    }
}

const DIGEST_OCTETS: usize = 16;

/// The beginning of a text, at most so many octets of it, whole characters.
pub(crate) fn shortened(text: &str, octets: usize) -> &str {
    let end = text.floor_char_boundary(octets);
    text.get(..end).unwrap_or_default()
}
