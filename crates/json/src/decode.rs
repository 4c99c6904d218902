//! Texts with escapes.

use std::borrow::Cow;

use super::{Kind, Node};

/// What is between the quotes of a text or key, without escapes.
pub(crate) fn inner<'a>(octets: &'a [u8], node: &Node) -> Cow<'a, [u8]> {
    let raw = raw_inner(octets, node);
    if !node.escaped {
        return Cow::Borrowed(raw);
    }
    let mut decoded = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (plain, escaped) = rest.split_at(at);
        decoded.extend_from_slice(plain);
        let Some((character, length)) = escape(escaped) else {
            break;
        };
        decoded.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        rest = escaped.get(length..).unwrap_or_default();
    }
    decoded.extend_from_slice(rest);
    Cow::Owned(decoded)
}

/// What is between the quotes of a text or key, as it is written.
pub(crate) fn raw_inner<'a>(octets: &'a [u8], node: &Node) -> &'a [u8] {
    if !matches!(node.kind, Kind::Text | Kind::Key) {
        return b"";
    }
    let inside = node.start as usize + 1..(node.end as usize).saturating_sub(1);
    octets.get(inside).unwrap_or_default()
}

/// The character that `octets` begin with an escape of, and the length of the escape.
pub(crate) fn escape(octets: &[u8]) -> Option<(char, usize)> {
    let character = match octets.get(1)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unicode(octets),
        _ => return None,
    };
    Some((character, 2))
}

fn unicode(octets: &[u8]) -> Option<(char, usize)> {
    let first = unit(octets)?;
    if let Some(character) = char::from_u32(first) {
        return Some((character, 6));
    }
    // The first of two units; the second alone is no character either.
    let second = unit(octets.get(6..)?)?;
    let high = first.checked_sub(0xd800).filter(|high| *high < 0x400)?;
    let low = second.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
    Some((char::from_u32(0x1_0000 + (high << 10) + low)?, 12))
}

fn unit(octets: &[u8]) -> Option<u32> {
    let digits = octets.strip_prefix(b"\\u")?.get(..4)?;
    digits.iter().try_fold(0, |value, digit| {
        Some(value << 4 | char::from(*digit).to_digit(16)?)
    })
}
