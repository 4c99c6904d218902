//! Capabilities and arguments: words with values, read against lists of what is known.

use ringfence_model::git::{ObjectFormat, Oid};

use super::WireError;
use crate::limits::AGENT_OCTETS;

/// The name and the value of `name=value`; a word alone has no value.
pub(super) fn split(word: &str) -> (&str, Option<&str>) {
    word.split_once('=')
        .map_or((word, None), |(name, value)| (name, Some(value)))
}

/// The value of `object-format=`.
pub(super) fn object_format(value: &str) -> Result<ObjectFormat, WireError> {
    [ObjectFormat::Sha1, ObjectFormat::Sha256]
        .into_iter()
        .find(|format| format.as_str() == value)
        .ok_or(WireError::Malformed("an unknown object format"))
}

/// An object of the format that this exchange has.
pub(super) fn oid(text: &str, format: ObjectFormat) -> Result<Oid, WireError> {
    let oid: Oid = text
        .parse()
        .map_err(|_| WireError::Malformed("the name of an object"))?;
    if oid.format() != format {
        return Err(WireError::Malformed(
            "the name of an object of another format",
        ));
    }
    Ok(oid)
}

/// Whether a text is what git lets an agent call itself: visible ASCII.
pub(super) fn is_agent(text: &str) -> bool {
    (1..=AGENT_OCTETS).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_graphic())
}

/// A count without sign, leading zero or blank, at least 1.
pub(super) fn count(text: &str) -> Result<u64, WireError> {
    let is_canonical = text.bytes().all(|c| c.is_ascii_digit()) && !text.starts_with('0');
    text.parse()
        .ok()
        .filter(|_| is_canonical)
        .ok_or(WireError::Malformed("a number"))
}

/// Adds to a list that the wire fills.
pub(super) fn push<T>(list: &mut Vec<T>, item: T, most: usize) -> Result<(), WireError> {
    if list.len() >= most {
        return Err(WireError::TooLarge("the number of lines"));
    }
    list.push(item);
    Ok(())
}

/// What this program calls itself in the protocol.
pub(super) const AGENT: &str = concat!("agent=ringfence/", env!("CARGO_PKG_VERSION"));
