//! What an answer is known by.

use std::fmt;

use ringfence_json::{Kind, Value};

use super::FrameError;
use crate::limits::ID_OCTETS;

/// The id of a request: a text, or a whole number that every reader holds exactly.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Id {
    /// A number.
    Number(i64),
    /// A text.
    Text(String),
}

impl Id {
    pub(super) fn read(value: Value<'_>) -> Result<Self, FrameError> {
        let invalid = |why: &str| FrameError::Invalid(why.to_owned());
        match value.kind() {
            Kind::Number => whole(value)
                .map(Self::Number)
                .ok_or_else(|| invalid("its `id` is a number that not every reader holds exactly")),
            Kind::Text => {
                let text = value.text().unwrap_or_default();
                if text.len() > ID_OCTETS {
                    return Err(invalid("its `id` is too long"));
                }
                Ok(Self::Text(text.into_owned()))
            }
            _ => Err(invalid("its `id` is neither a text nor a whole number")),
        }
    }

    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Number(number) => (*number).into(),
            Self::Text(text) => text.as_str().into(),
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_json().fmt(f)
    }
}

/// A whole number within ±2^53.
pub(super) fn whole(value: Value<'_>) -> Option<i64> {
    const MOST: i64 = 1 << 53;
    if value.kind() != Kind::Number {
        return None;
    }
    let number: i64 = std::str::from_utf8(value.raw()).ok()?.parse().ok()?;
    // `-0` is another text than it is written as.
    let is_exact = (-MOST..=MOST).contains(&number) && value.raw() != b"-0";
    is_exact.then_some(number)
}
