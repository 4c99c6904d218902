//! Identifiers and names. Ids are UUIDv7, so they sort by time; names are short, lower-case
//! and safe to show anywhere.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::limits::NAME_OCTETS;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id. Time-ordered: a later id of the same process compares greater.
            #[must_use]
            #[expect(clippy::new_without_default, reason = "a default id would be a surprise: each call differs")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// The UUID of the id.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }

            /// The id that holds `uuid`; for stored ids and for tests.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::try_parse(text).map(Self)
            }
        }
    };
}

id!(
    /// One audit event.
    EventId
);
id!(
    /// One `ringfence run`, or one session of a long-lived agent.
    RunId
);
id!(
    /// One confined running instance of an agent.
    SandboxId
);
id!(
    /// One token that an agent holds.
    TokenId
);

/// Why a name of an agent, profile or workspace was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a valid name: use 1 to {NAME_OCTETS} lower-case letters, digits, `-`, `_` or `.`, starting with a letter or digit"
)]
pub struct NameError(String);

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                if is_name(&text) { Ok(Self(text)) } else { Err(NameError(text)) }
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::try_from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }
    };
}

name!(
    /// The name of an agent.
    AgentName
);
name!(
    /// The name of a credential.
    CredentialName
);
name!(
    /// The name of a profile.
    ProfileName
);
name!(
    /// The name of a workspace.
    WorkspaceName
);

fn is_name(text: &str) -> bool {
    let starts_well = text
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b);
    starts_well && text.len() <= NAME_OCTETS && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_ids_sort_after_earlier_ones() {
        let first = EventId::new();
        let second = EventId::new();
        assert!(first < second);
    }

    #[test]
    fn names_refuse_what_could_confuse_a_terminal_or_a_path() {
        for bad in [
            "",
            "-x",
            "../x",
            "A",
            "a b",
            "a/b",
            "a\u{1b}[31m",
            "ä",
            &"a".repeat(65),
        ] {
            assert!(bad.parse::<AgentName>().is_err(), "{bad:?}");
        }
        for good in ["a", "coding-agent", "web_1.2", "9lives"] {
            assert!(good.parse::<AgentName>().is_ok(), "{good:?}");
        }
    }
}
