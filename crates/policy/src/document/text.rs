//! Small texts of the document language: value patterns, media types, status ranges, header
//! names, JSON pointers and request targets. Each is checked when it is read.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check_canonical;
use crate::limits::{HEADER_NAME_OCTETS, PATTERN_OCTETS, PATTERN_WILDCARDS};

/// Why a small text was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// A value pattern.
    #[error(
        "a pattern has at most {PATTERN_OCTETS} octets and {PATTERN_WILDCARDS} `*`, and no control characters"
    )]
    Pattern,
    /// `*` alone, which would mean what leaving the list out means.
    #[error("`*` matches everything: leave the list out")]
    Everything,
    /// A media type.
    #[error(
        "a media type is as in `application/json` or `text/*`, in lower case without parameters"
    )]
    Media,
    /// A status range.
    #[error("a status is as in \"404\" or \"200-299\", from 100 to 599")]
    Status,
    /// A header name.
    #[error("a header name is written in lower case, as in `content-type`")]
    Header,
    /// A JSON pointer.
    #[error(
        "a JSON pointer is as in `/content/json/id` (RFC 6901): it starts with `/`, and `~` is written `~0`, `/` is written `~1`"
    )]
    Pointer,
    /// A path with a query.
    #[error("a path is as in `/repos/acme/web?per_page=1`, in its canonical form")]
    Target,
}

/// Gives a type that is a checked text its conversions.
macro_rules! text {
    ($name:ident) => {
        impl $name {
            /// As it was written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = TextError;

            fn try_from(text: String) -> Result<Self, TextError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

/// A pattern for a value: `*` stands for any text, everything else for itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct TextPattern(String);

text!(TextPattern);

impl TextPattern {
    /// Whether `value` matches as a whole.
    #[must_use]
    pub fn matches(&self, value: &str) -> bool {
        let Some((start, rest)) = self.0.split_once('*') else {
            return self.0 == value;
        };
        let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
        let Some(value) = value.strip_prefix(start) else {
            return false;
        };
        let Some(mut value) = value.strip_suffix(end) else {
            return false;
        };
        for part in middle.split('*') {
            let Some(at) = value.find(part) else {
                return false;
            };
            value = value.get(at + part.len()..).unwrap_or_default();
        }
        true
    }

    /// The same whatever the case of ASCII letters.
    pub(crate) fn matches_folded(&self, value: &str) -> bool {
        Self(self.0.to_ascii_lowercase()).matches(&value.to_ascii_lowercase())
    }
}

impl FromStr for TextPattern {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        if text == "*" {
            return Err(TextError::Everything);
        }
        let wildcards = text.bytes().filter(|octet| *octet == b'*').count();
        let is_long = text.len() > PATTERN_OCTETS || wildcards > PATTERN_WILDCARDS;
        if is_long || text.chars().any(char::is_control) {
            return Err(TextError::Pattern);
        }
        Ok(Self(text.to_owned()))
    }
}

/// A media type, or all subtypes of one, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct MediaPattern(String);

text!(MediaPattern);

impl MediaPattern {
    /// Whether a media type in lower case without parameters matches.
    #[must_use]
    pub fn matches(&self, media_type: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(start) => media_type.starts_with(start),
            None => self.0 == media_type,
        }
    }
}

impl FromStr for MediaPattern {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        let (kind, subtype) = text.split_once('/').ok_or(TextError::Media)?;
        let is_short = text.len() <= PATTERN_OCTETS;
        if is_short && is_media_word(kind) && (subtype == "*" || is_media_word(subtype)) {
            Ok(Self(text.to_owned()))
        } else {
            Err(TextError::Media)
        }
    }
}

fn is_media_word(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"!#$&-^_.+".contains(&b);
    !text.is_empty() && text.bytes().all(allowed)
}

/// A status code, or a range of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^[1-5][0-9]{2}(-[1-5][0-9]{2})?$"))]
pub struct StatusRange(RangeInclusive<u16>);

impl StatusRange {
    /// The codes.
    #[must_use]
    pub const fn codes(&self) -> &RangeInclusive<u16> {
        &self.0
    }
}

impl FromStr for StatusRange {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let (first, last) = (read_status(first)?, read_status(last)?);
        if first <= last {
            Ok(Self(first..=last))
        } else {
            Err(TextError::Status)
        }
    }
}

fn read_status(text: &str) -> Result<u16, TextError> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let code = text.parse().ok().filter(|_| digits && text.len() == 3);
    code.filter(|code| (100..600).contains(code))
        .ok_or(TextError::Status)
}

impl TryFrom<String> for StatusRange {
    type Error = TextError;

    fn try_from(text: String) -> Result<Self, TextError> {
        text.parse()
    }
}

impl From<StatusRange> for String {
    fn from(range: StatusRange) -> Self {
        let (first, last) = range.0.into_inner();
        if first == last {
            first.to_string()
        } else {
            format!("{first}-{last}")
        }
    }
}

/// The name of a header, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^[a-z0-9!#$%&'*+.^_`|~-]+$"))]
pub struct HeaderName(String);

text!(HeaderName);

impl FromStr for HeaderName {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        let allowed =
            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"!#$%&'*+.^_`|~-".contains(&b);
        if text.is_empty() || text.len() > HEADER_NAME_OCTETS || !text.bytes().all(allowed) {
            return Err(TextError::Header);
        }
        Ok(Self(text.to_owned()))
    }
}

/// A JSON pointer (RFC 6901) to a part of a document, never to the whole of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^/"))]
pub struct Pointer(String);

text!(Pointer);

impl Pointer {
    /// The segments of the pointer, as they were written.
    pub(crate) fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').skip(1)
    }
}

impl FromStr for Pointer {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        let is_sound = text
            .split('~')
            .skip(1)
            .all(|rest| rest.starts_with(['0', '1']));
        if text.starts_with('/') && text.len() <= PATTERN_OCTETS && is_sound {
            Ok(Self(text.to_owned()))
        } else {
            Err(TextError::Pointer)
        }
    }
}

/// A canonical path, and optionally a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^/"))]
pub struct Target(String);

text!(Target);

impl FromStr for Target {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let is_query = query.bytes().all(|b| matches!(b, b'!'..=b'~') && b != b'#');
        if text.len() <= PATTERN_OCTETS && check_canonical(path).is_ok() && is_query {
            Ok(Self(text.to_owned()))
        } else {
            Err(TextError::Target)
        }
    }
}

#[cfg(test)]
mod tests;
