//! Amounts of money as people write them: read from the text itself, because a binary fraction
//! would not be what it says.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use ringfence_model::llm::{Money, MoneyError};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// An amount of US dollars, written as a number or a text: `5`, `0.25`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(into = "String")]
pub struct Dollars(Money);

impl Dollars {
    /// The amount.
    #[must_use]
    pub const fn money(self) -> Money {
        self.0
    }
}

impl FromStr for Dollars {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        text.parse().map(Self)
    }
}

impl From<Dollars> for String {
    fn from(amount: Dollars) -> Self {
        amount.0.to_string()
    }
}

impl<'de> Deserialize<'de> for Dollars {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Written)
    }
}

struct Written;

impl Visitor<'_> for Written {
    type Value = Dollars;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an amount of US dollars")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Dollars, E> {
        text.parse().map_err(E::custom)
    }
}

impl JsonSchema for Dollars {
    fn schema_name() -> Cow<'static, str> {
        "Dollars".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An amount of US dollars, written as a number or a text: `5`, `0.25`.",
            "type": ["number", "string"],
            "minimum": 0,
            "pattern": r"^[0-9]+(\.[0-9]{1,9})?$",
        })
    }
}
