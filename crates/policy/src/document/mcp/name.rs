//! Patterns of the names of tools and prompts.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::{TextError, TextPattern};

/// A name in which `*` stands for any text; alone it is every name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct NamePattern(Option<TextPattern>);

const EVERY: &str = "*";

impl NamePattern {
    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_ref().map_or(EVERY, TextPattern::as_str)
    }

    /// Whether a name matches as a whole.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.0.as_ref().is_none_or(|pattern| pattern.matches(name))
    }

    /// The same whatever the case of ASCII letters.
    pub(crate) fn matches_folded(&self, name: &str) -> bool {
        let pattern = self.0.as_ref();
        pattern.is_none_or(|pattern| pattern.matches_folded(name))
    }
}

impl FromStr for NamePattern {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        match text {
            EVERY => Ok(Self(None)),
            text => text.parse().map(|pattern| Self(Some(pattern))),
        }
    }
}

impl TryFrom<String> for NamePattern {
    type Error = TextError;

    fn try_from(text: String) -> Result<Self, TextError> {
        text.parse()
    }
}

impl From<NamePattern> for String {
    fn from(pattern: NamePattern) -> Self {
        pattern.as_str().to_owned()
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
