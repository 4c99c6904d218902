//! One line of a ledger's file, version 1: what changed, chained to the line before, so that a
//! line that was changed, removed, inserted or moved is found.
//!
//! ```json
//! {"v":1,"hash":"<hex>","change":{"at":"…","rows":[…]}}
//! ```

use std::io::Write;

use super::book::Change;
use crate::digest::Digest;

/// What the first line continues.
pub(super) fn genesis() -> Digest {
    Digest::of(&[b"ringfence-ledger-v1\0"])
}

/// The line of a change after `before`, with its line feed, and what the next one continues.
pub(super) fn write(
    before: Digest,
    change: &Change,
) -> Result<(Vec<u8>, Digest), serde_json::Error> {
    let change = serde_json::to_vec(change)?;
    let hash = Digest::of(&[before.as_bytes(), &change]);
    let mut line = Vec::with_capacity(change.len() + FRAME);
    line.extend_from_slice(START);
    let _infallible = write!(line, "{hash}");
    line.extend_from_slice(CHANGE);
    line.extend_from_slice(&change);
    line.extend_from_slice(END);
    Ok((line, hash))
}

/// Reads a line, with its line feed, that continues `before`. None where it does not.
pub(super) fn read(before: Digest, line: &[u8]) -> Option<(Change, Digest)> {
    let rest = line.strip_prefix(START)?;
    let (written, rest) = rest.split_at_checked(HASH_DIGITS)?;
    let change = rest.strip_prefix(CHANGE)?.strip_suffix(END)?;
    let hash = Digest::of(&[before.as_bytes(), change]);
    let written: Digest = std::str::from_utf8(written).ok()?.parse().ok()?;
    if written != hash {
        return None;
    }
    Some((serde_json::from_slice(change).ok()?, hash))
}

const START: &[u8] = b"{\"v\":1,\"hash\":\"";
const HASH_DIGITS: usize = 64;
const CHANGE: &[u8] = b"\",\"change\":";
const END: &[u8] = b"}\n";
const FRAME: usize = START.len() + HASH_DIGITS + CHANGE.len() + END.len();
