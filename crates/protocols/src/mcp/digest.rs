//! What is recorded of texts.

use std::fmt::Write as _;

use ringfence_inspect::ScrubSet;
use ringfence_model::TraceParent;
use ringfence_model::llm::{ClientTrace, TextDigest};
use sha2::{Digest as _, Sha256};

use super::limits::TEXT_OCTETS;
use crate::llm::redact::clean;

/// Octets of a digest.
const DIGEST: usize = 16;

/// A text as it is recorded: length and digest, and the text itself, without what looks like a
/// secret, where `capture` says what else is taken out of it.
pub(super) fn digested(text: &str, capture: Option<&ScrubSet>) -> TextDigest {
    let mut digest = String::with_capacity(2 * DIGEST);
    for octet in Sha256::digest(text).iter().take(DIGEST) {
        let _ = write!(digest, "{octet:02x}");
    }
    let kept = capture.map(|own| {
        let cleaned = clean(text, own);
        let whole = cleaned.as_deref().unwrap_or(text);
        let end = whole.floor_char_boundary(TEXT_OCTETS);
        whole.get(..end).unwrap_or_default().to_owned()
    });
    TextDigest {
        octets: text.len() as u64,
        digest,
        text: kept,
    }
}

/// The span that a client says.
pub(super) fn traced(traceparent: &str) -> Option<ClientTrace> {
    let parent: TraceParent = traceparent.parse().ok()?;
    Some(ClientTrace {
        trace: parent.trace.to_string(),
        span: parent.span.to_string(),
    })
}
