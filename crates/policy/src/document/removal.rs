//! What is taken out of responses: members of JSON, and parameters of the URLs in them.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::limits::REMOVAL_OCTETS;

/// `member`, whose value is taken out; `member?parameter`, whose URL loses a parameter;
/// `member?*`, whose URL loses all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^[^?*\\\\]+(\\?([^?*\\\\]+|\\*))?$"))]
pub struct Removal {
    member: String,
    parameter: Option<String>,
}

/// Why a removal was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "what is removed is a member, as in `token`, or parameters of its URL, as in `url?token` or `url?*`"
)]
pub struct RemovalError;

impl Removal {
    /// The name of the member, as it is without escapes.
    #[must_use]
    pub fn member(&self) -> &str {
        &self.member
    }

    /// The parameter, decoded; `*` for every one. None where the whole value is taken out.
    #[must_use]
    pub fn parameter(&self) -> Option<&str> {
        self.parameter.as_deref()
    }
}

impl FromStr for Removal {
    type Err = RemovalError;

    fn from_str(text: &str) -> Result<Self, RemovalError> {
        let (member, parameter) = match text.split_once('?') {
            Some((member, parameter)) => (member, Some(parameter)),
            None => (text, None),
        };
        let names = [Some(member), parameter.filter(|name| *name != "*")];
        let is_sound = names.into_iter().flatten().all(is_name);
        if text.len() > REMOVAL_OCTETS || !is_sound {
            return Err(RemovalError);
        }
        Ok(Self {
            member: member.to_owned(),
            parameter: parameter.map(str::to_owned),
        })
    }
}

fn is_name(text: &str) -> bool {
    let allowed = |it: char| !it.is_control() && !matches!(it, '?' | '*' | '\\');
    !text.is_empty() && text.trim() == text && text.chars().all(allowed)
}

impl TryFrom<String> for Removal {
    type Error = RemovalError;

    fn try_from(text: String) -> Result<Self, RemovalError> {
        text.parse()
    }
}

impl From<Removal> for String {
    fn from(removal: Removal) -> Self {
        removal.to_string()
    }
}

impl fmt::Display for Removal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.parameter {
            None => f.write_str(&self.member),
            Some(parameter) => write!(f, "{}?{parameter}", self.member),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removal_names_a_member_and_perhaps_a_parameter() {
        for (text, member, parameter) in [
            ("token", "token", None),
            ("download_url?token", "download_url", Some("token")),
            ("a b.ü?*", "a b.ü", Some("*")),
        ] {
            let removal: Removal = text.parse().unwrap();
            assert_eq!((removal.member(), removal.parameter()), (member, parameter));
            assert_eq!(removal.to_string(), text);
        }
        let long = "x".repeat(REMOVAL_OCTETS + 1);
        for text in [
            "", "?", "a?", "?a", "*", "a*", "*?a", "a?b*", "a?b?c", "a\\u0041", " a", "a\n", &long,
        ] {
            assert_eq!(text.parse::<Removal>(), Err(RemovalError), "{text}");
        }
    }
}
