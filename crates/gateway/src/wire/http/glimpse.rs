//! What a head that was refused says about where it was to go: for the record of the refusal, and
//! for nothing else.

use ringfence_model::Destination;

use super::Target;
use super::request::read_method;
use super::target::split_absolute;
use crate::wire::limits::HTTP_START_LINE_OCTETS;

/// What the first line of a refused head asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Glimpse {
    /// A sound method and target; what follows them need not be.
    Request(String, Target),
    /// A target in absolute form of which only the authority is sound.
    Place(Destination),
}

/// Looks at the first line of `buffer`; `None` where it names nothing.
#[must_use]
pub fn glimpse(buffer: &[u8]) -> Option<Glimpse> {
    let shown = buffer.get(..HTTP_START_LINE_OCTETS).unwrap_or(buffer);
    let end = shown
        .iter()
        .position(|octet| matches!(octet, b'\r' | b'\n'));
    let line = shown.get(..end.unwrap_or(shown.len()))?;
    let mut words = line.split(|octet| *octet == b' ');
    let method = read_method(std::str::from_utf8(words.next()?).ok()?).ok()?;
    let word = words.next()?;
    let target = String::from_utf8_lossy(word);
    let is_whole = end.is_some() && word.iter().all(u8::is_ascii_graphic);
    match Target::read(method, &target) {
        Ok(target) if is_whole => Some(Glimpse::Request(method.to_owned(), target)),
        _ => place(&target, end.is_some()).map(Glimpse::Place),
    }
}

/// An authority that goes on to the end of what there is could go on behind it.
fn place(target: &str, is_whole: bool) -> Option<Destination> {
    let (_, destination, rest) = split_absolute(target)?;
    (is_whole || !rest.is_empty()).then_some(destination)
}
