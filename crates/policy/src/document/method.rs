//! HTTP methods in rules. They are compared octet by octet (RFC 9110, section 9.1), so a
//! rule that says `get` would silently match nothing; it is refused instead.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::limits::METHOD_OCTETS;

/// An HTTP method in capitals.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^[A-Z][A-Z0-9_-]{0,31}$"))]
pub struct Method(String);

/// Why a method was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MethodError {
    /// Right but for its case.
    #[error("HTTP methods are case-sensitive: write `{0}`")]
    Case(String),
    /// `*`, which would mean what leaving the list out means.
    #[error("`*` is not a method: leave `methods` out to allow every method")]
    Wildcard,
    /// Anything else.
    #[error("an HTTP method is 1 to {METHOD_OCTETS} letters, as in `GET`")]
    Invalid,
}

impl Method {
    /// The method as it is sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Method {
    type Err = MethodError;

    fn from_str(text: &str) -> Result<Self, MethodError> {
        if text == "*" {
            return Err(MethodError::Wildcard);
        }
        let starts_well = text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if !starts_well || text.len() > METHOD_OCTETS || !text.bytes().all(allowed) {
            return Err(MethodError::Invalid);
        }
        if text.bytes().any(|b| b.is_ascii_lowercase()) {
            return Err(MethodError::Case(text.to_ascii_uppercase()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for Method {
    type Error = MethodError;

    fn try_from(text: String) -> Result<Self, MethodError> {
        text.parse()
    }
}

impl From<Method> for String {
    fn from(method: Method) -> Self {
        method.0
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_that_could_never_match_is_refused() {
        assert_eq!("PATCH".parse::<Method>().unwrap().as_str(), "PATCH");
        assert_eq!(
            "get".parse::<Method>(),
            Err(MethodError::Case("GET".to_owned()))
        );
        assert_eq!("*".parse::<Method>(), Err(MethodError::Wildcard));
        for bad in [
            "",
            " GET",
            "GET ",
            "GE T",
            "GET\r\n",
            "1GET",
            &"A".repeat(33),
        ] {
            assert_eq!(bad.parse::<Method>(), Err(MethodError::Invalid), "{bad:?}");
        }
    }
}
