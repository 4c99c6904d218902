//! Private keys in text: PEM (RFC 7468), OpenSSH, OpenPGP, whatever stands between the lines.

use super::around::{Around, holds};
use super::likeness::is_made_up;

/// Octets of what stands between `BEGIN` and the dashes.
const LABEL_OCTETS: usize = 40;
/// Octets after the label in which the key has to begin.
const BODY_OCTETS: usize = 1024;
/// Characters of base64 that a key has at least; the shortest real ones have 64.
const KEY_OCTETS: usize = 60;

/// The anchor is `-----BEGIN `.
pub(super) fn fits(around: &Around<'_>) -> bool {
    let window = LABEL_OCTETS.min(around.after.len());
    let label = around.after.get(..window).unwrap_or_default();
    let Some(end) = label.iter().position(|octet| *octet == b'-') else {
        return false;
    };
    let label = label.get(..end).unwrap_or_default();
    if !holds(label, b"PRIVATE KEY") {
        return false;
    }
    let body = around.after.get(end..).unwrap_or_default();
    let body = body.strip_prefix(b"-----").unwrap_or_default();
    has_key(body.get(..BODY_OCTETS.min(body.len())).unwrap_or_default())
}

/// Whether enough base64 follows. Line ends, also escaped ones, indentation, quotes and signs of
/// comments or concatenation may stand between; lines with a colon are headers (RFC 1421).
fn has_key(body: &[u8]) -> bool {
    let mut key = Vec::with_capacity(KEY_OCTETS);
    for line in lines(body) {
        if line.starts_with(b"-----") {
            break;
        }
        if line.contains(&b':') {
            continue;
        }
        let base64 = |octet: &&u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/');
        let run = line.iter().take_while(base64).count();
        key.extend_from_slice(line.get(..run).unwrap_or_default());
        if key.len() >= KEY_OCTETS {
            return !is_made_up(&key) || has_structure(&key);
        }
        if run == 0 && !line.is_empty() {
            return false;
        }
    }
    false
}

/// Whether the key begins like a real one, which has zeros and repetitions of its own.
fn has_structure(key: &[u8]) -> bool {
    [b"MI".as_slice(), b"b3BlbnNzaC1rZXkt", b"MC4C", b"lQ", b"lF"]
        .iter()
        .any(|start| key.starts_with(start))
        && !key.windows(8).any(|run| {
            run.iter()
                .all(|octet| Some(octet) == run.first() && *octet != b'A')
        })
}

/// The lines of a text, without what may stand around them in source code.
fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(body);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = text
            .iter()
            .position(|octet| matches!(octet, b'\n' | b'\\'))
            .unwrap_or(text.len());
        let (line, after) = text.split_at(end);
        rest = match after {
            [b'\\', b'n' | b'r' | b't', after @ ..] | [_, after @ ..] => Some(after),
            [] => None,
        };
        let decoration = |octet: &u8| {
            matches!(
                octet,
                b' ' | b'\t' | b'\r' | b'"' | b'\'' | b'`' | b'#' | b'*' | b'|' | b'>' | b','
            )
        };
        let start = line.iter().take_while(|octet| decoration(octet)).count();
        let line = line.get(start..).unwrap_or_default();
        // `+` is of the alphabet, but a line of base64 is longer than the sign and its quote.
        Some(match line {
            [b'+'] | [b'+', b' '] => &[],
            [b'+', b' ' | b'"' | b'\'', rest @ ..] => rest,
            _ => line,
        })
    })
}

/// Whether the key is a member of the file that Google Cloud gives out for a service account.
pub(super) fn is_service_account(around: &Around<'_>) -> bool {
    let near = around.before.len().saturating_sub(NAME_OCTETS);
    let name = around.before.get(near..).unwrap_or_default();
    holds(name, b"private_key")
        && (around.mentions(b"service_account") || around.mentions(b"gserviceaccount.com"))
}

/// Octets between the name of the member and the key.
const NAME_OCTETS: usize = 24;
