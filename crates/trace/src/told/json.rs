//! The spans of a request in JSON. Lists are read element by element, and of each only where it
//! stands is known until its turn comes.

use opentelemetry_proto::tonic::trace::v1::Span;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{Hearing, Unreadable};
use crate::limits::TOLD_SPAN_OCTETS;

pub(super) fn spans(request: &[u8], hearing: &mut Hearing) -> Result<(), Unreadable> {
    let mut reader = serde_json::Deserializer::from_slice(request);
    let level = Level {
        path: &["resourceSpans", "scopeSpans", "spans"],
        hearing,
    };
    level.deserialize(&mut reader).map_err(|_| Unreadable)?;
    reader.end().map_err(|_| Unreadable)
}

/// An object of which one member is a list of the objects of the next level; of the last, of spans.
struct Level<'a> {
    path: &'static [&'static str],
    hearing: &'a mut Hearing,
}

impl<'de> DeserializeSeed<'de> for Level<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Level<'_> {
    type Value = ();

    fn expecting(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("an object of OTLP")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut is_seen = false;
        while let Some(is_list) = members.next_key_seed(Named(self.path.first()))? {
            if !is_list {
                members.next_value::<IgnoredAny>()?;
                continue;
            }
            // Readers differ in which of two they believe.
            if std::mem::replace(&mut is_seen, true) {
                return Err(serde::de::Error::custom("a member stands there twice"));
            }
            members.next_value_seed(List {
                below: self.path.get(1..).unwrap_or_default(),
                hearing: self.hearing,
            })?;
        }
        Ok(())
    }
}

/// Whether the name of a member is this one.
struct Named(Option<&'static &'static str>);

impl<'de> DeserializeSeed<'de> for Named {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<bool, D::Error> {
        reader.deserialize_str(self)
    }
}

impl Visitor<'_> for Named {
    type Value = bool;

    fn expecting(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("the name of a member")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(self.0.is_some_and(|wanted| *wanted == name))
    }
}

/// The list of the next level, or of spans where there is none below.
struct List<'a> {
    below: &'static [&'static str],
    hearing: &'a mut Hearing,
}

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = ();

    fn expecting(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("a list of OTLP")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let hearing = self.hearing;
        if self.below.is_empty() {
            while let Some(raw) = elements.next_element::<&RawValue>()? {
                if hearing.has_room() {
                    hearing.take(span(raw.get()));
                }
            }
            return Ok(());
        }
        loop {
            let next = Level {
                path: self.below,
                hearing: &mut *hearing,
            };
            if elements.next_element_seed(next)?.is_none() {
                return Ok(());
            }
        }
    }
}

fn span(text: &str) -> Option<Span> {
    let is_short = text.len() <= TOLD_SPAN_OCTETS;
    is_short.then(|| Span::deserialize(&mut serde_json::Deserializer::from_str(text)).ok())?
}
