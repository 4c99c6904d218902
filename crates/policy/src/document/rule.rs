//! Network rules: who may be reached, on which ports, with which bytes.

use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;

use jiff::Timestamp;
use ringfence_model::HostPattern;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::{Cidr, Method, PathPattern};
use crate::limits::RULE_ID_OCTETS;

/// One rule of the `network` section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NetworkRule {
    /// Allows what it matches.
    Allow(NetworkMatch),
    /// Forbids what it matches, whatever any rule of any profile allows.
    Forbid(NetworkMatch),
}

impl NetworkRule {
    /// What the rule matches.
    #[must_use]
    pub const fn terms(&self) -> &NetworkMatch {
        match self {
            Self::Allow(terms) | Self::Forbid(terms) => terms,
        }
    }

    /// Whether it forbids.
    #[must_use]
    pub const fn is_forbid(&self) -> bool {
        matches!(self, Self::Forbid(_))
    }
}

/// What a network rule matches: either `host` or `cidr`, and optionally less of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkMatch {
    /// A short name for the rule, unique in its profile; decisions show it. Without one, the
    /// rule is called by its position, from 1.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "RuleId")]
    pub id: Option<RuleId>,
    /// A host name, or `*.zone` for every name below the zone but not the zone itself.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "String")]
    pub host: Option<HostPattern>,
    /// A network, as in `192.0.2.0/24`, for destinations that are given as addresses.
    /// A forbid also keeps names from resolving into it.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Cidr")]
    pub cidr: Option<Cidr>,
    /// TCP ports. Without the list: 443 and 80 for an allow of a host, every port for a
    /// forbid; an allow of a network must name its ports.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<NonZeroU16>")]
    pub ports: Option<Vec<NonZeroU16>>,
    /// Which bytes an allow lets through.
    #[serde(default, skip_serializing_if = "Protocol::is_auto")]
    pub protocol: Protocol,
    /// Whether TLS passes end to end, never read by the gateway, whatever other rules say about
    /// requests to the host. Only with an allow.
    #[serde(default, skip_serializing_if = "is_false")]
    pub tunnel: bool,
    /// HTTP methods, in capitals. `GET` does not imply `HEAD`. An allow with `methods` or `paths`
    /// lets nothing but HTTP through, and the gateway reads it, also inside TLS. A forbid with
    /// them also stops what cannot be read.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<Method>")]
    pub methods: Option<Vec<Method>>,
    /// HTTP paths: `*` stands for any text within one segment, `**` for any number of
    /// segments. The query is not looked at.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<PathPattern>")]
    pub paths: Option<Vec<PathPattern>>,
    /// Networks that the host may resolve into. Without the list: public addresses only.
    /// Addresses are granted per host and port, for all rules that allow it together.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<Cidr>")]
    pub addresses: Option<Vec<Cidr>>,
    /// Why the rule is there.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "String")]
    pub reason: Option<String>,
    /// When the rule stops to count, as in `2030-01-31T12:00:00Z` (RFC 3339).
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "read_expiry"
    )]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub expires: Option<Timestamp>,
}

impl NetworkMatch {
    /// Whether it matches by the content of HTTP requests.
    #[must_use]
    pub const fn is_limited(&self) -> bool {
        self.methods.is_some() || self.paths.is_some()
    }
}

/// Which bytes an allow lets through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// TLS on port 443, plain HTTP on port 80, and on any other port whichever it is.
    #[default]
    Auto,
    /// TLS whose server name is the host.
    Tls,
    /// Plain HTTP, every request decided on by itself.
    Http,
    /// Any bytes, which are not looked at.
    Tcp,
}

impl Protocol {
    /// Whether it is the default.
    #[must_use]
    pub const fn is_auto(&self) -> bool {
        matches!(self, Self::Auto)
    }

    /// The word of the document language.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Tls => "tls",
            Self::Http => "http",
            Self::Tcp => "tcp",
        }
    }
}

/// The id of a rule within its profile.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^[a-z0-9][a-z0-9._-]{0,63}$"))]
pub struct RuleId(String);

/// Why a rule id was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a rule id is 1 to {RULE_ID_OCTETS} lower-case letters, digits, `-`, `_` or `.`, starts with a letter or digit, and is not a number"
)]
pub struct RuleIdError;

impl RuleId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RuleId {
    type Err = RuleIdError;

    fn from_str(text: &str) -> Result<Self, RuleIdError> {
        let first = text.bytes().next().ok_or(RuleIdError)?;
        let starts_well = first.is_ascii_lowercase() || first.is_ascii_digit();
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b);
        // A number would read like the position of another rule.
        let is_number = text.bytes().all(|b| b.is_ascii_digit());
        if starts_well && !is_number && text.len() <= RULE_ID_OCTETS && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(RuleIdError)
        }
    }
}

impl TryFrom<String> for RuleId {
    type Error = RuleIdError;

    fn try_from(text: String) -> Result<Self, RuleIdError> {
        text.parse()
    }
}

impl From<RuleId> for String {
    fn from(id: RuleId) -> Self {
        id.0
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks with a reference"
)]
pub(super) const fn is_false(value: &bool) -> bool {
    !*value
}

/// A list whose entries are all commented out is null in YAML. Read as an absent list it would
/// mean the default, which allows more; so null is not a value of any field.
pub(super) fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// The library's own error tells which digit is wrong; a person needs to see the form.
pub(super) fn read_expiry<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Timestamp>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let refused = |_| {
        let message = "a time is written as in `2030-01-31T12:00:00Z` (RFC 3339)";
        serde::de::Error::custom(message)
    };
    text.parse().map(Some).map_err(refused)
}
