//! What is taken out: members by name, parameters of the URLs in them.

use std::sync::Arc;

use super::{MembersError, text};

/// The members that are taken out. Clones share one copy.
#[derive(Debug, Clone, Default)]
pub struct Removals(Arc<[Named]>);

#[derive(Debug)]
struct Named {
    member: String,
    /// The parameters that are taken out of its URL; none where its whole value is.
    parameters: Option<Vec<String>>,
}

/// What is to be done with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Keep,
    Remove,
    /// Take out the parameters of this entry.
    Clean(usize),
}

/// Stands for every parameter.
const EVERY: &str = "*";

/// Where a part of a URL begins that has parameters, and what is between them.
const SEPARATORS: [char; 4] = ['?', '#', '&', ';'];

impl Removals {
    /// Each entry is the name of a member, and a parameter of the URL that is its value: `*` for
    /// all of them, none for the whole value.
    #[must_use]
    pub fn new<'e>(entries: impl IntoIterator<Item = (&'e str, Option<&'e str>)>) -> Self {
        let mut all: Vec<Named> = Vec::new();
        for (member, parameter) in entries {
            let parameters = parameter.map(|name| vec![name.to_owned()]);
            match all.iter_mut().find(|known| known.member == member) {
                None => all.push(Named {
                    member: member.to_owned(),
                    parameters,
                }),
                Some(known) => match (&mut known.parameters, parameters) {
                    (Some(known), Some(more)) => known.extend(more),
                    (known, _) => *known = None,
                },
            }
        }
        Self(all.into())
    }

    /// Octets of the longest name.
    pub(super) fn longest(&self) -> usize {
        let lengths = self.0.iter().map(|named| named.member.len());
        lengths.max().unwrap_or_default()
    }

    /// What is to be done with the member of this name.
    pub(super) fn find(&self, key: &[u8]) -> Action {
        let is_named = |named: &Named| named.member.as_bytes() == key;
        match self.0.iter().position(is_named) {
            None => Action::Keep,
            Some(index) => match self.0.get(index) {
                Some(Named {
                    parameters: Some(_),
                    ..
                }) => Action::Clean(index),
                _ => Action::Remove,
            },
        }
    }

    /// A text with its quotes, without the parameters; none where there are none in it.
    pub(super) fn clean(
        &self,
        action: Action,
        quoted: &[u8],
    ) -> Result<Option<Vec<u8>>, MembersError> {
        let Action::Clean(index) = action else {
            return Ok(None);
        };
        let named = self.0.get(index);
        let Some(names) = named.and_then(|named| named.parameters.as_deref()) else {
            return Ok(None);
        };
        let plain = text::read(quoted)?;
        Ok(without(&plain, names).map(|cleaned| text::write(&cleaned)))
    }
}

/// A URL without some of its parameters; none where it has none of them. Parameters are looked for
/// in its fragment as well, and wherever one could begin.
fn without(url: &str, names: &[String]) -> Option<String> {
    let (before, mut rest) = url.split_at(url.find(['?', '#'])?);
    let mut kept = before.to_owned();
    // What the next parameter is introduced by, where those before it are gone.
    let mut introduced = None;
    while let Some(separator) = rest.chars().next() {
        let behind = rest.get(1..).unwrap_or_default();
        let end = behind.find(SEPARATORS).unwrap_or(behind.len());
        let (parameter, after) = behind.split_at(end);
        rest = after;
        let is_first = matches!(separator, '?' | '#');
        if is_named(parameter, names) {
            introduced = if is_first {
                Some(separator)
            } else {
                introduced
            };
            continue;
        }
        kept.push(match introduced.take() {
            Some(first) if !is_first => first,
            _ => separator,
        });
        kept.push_str(parameter);
    }
    (kept != url).then_some(kept)
}

fn is_named(parameter: &str, names: &[String]) -> bool {
    let name = parameter.split('=').next().unwrap_or_default();
    let once = decoded(name.as_bytes());
    let twice = decoded(&once);
    let is =
        |known: &String| known == EVERY || known.as_bytes() == once || known.as_bytes() == twice;
    names.iter().any(is)
}

/// With its percent escapes undone; what is none stands for itself.
fn decoded(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        let value = match tail {
            [high, low, after @ ..] if *first == b'%' => digits(*high, *low).map(|it| (it, after)),
            _ => None,
        };
        match value {
            Some((value, after)) => {
                plain.push(value);
                rest = after;
            }
            None => plain.push(*first),
        }
    }
    plain
}

fn digits(high: u8, low: u8) -> Option<u8> {
    let digit = |octet: u8| char::from(octet).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}
