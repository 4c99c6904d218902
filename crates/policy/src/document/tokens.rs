//! What a profile puts into the sandbox: variables with tokens, and variables with plain values.

use std::fmt;
use std::str::FromStr;

use ringfence_model::CredentialName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::limits::VARIABLE_NAME_OCTETS;

/// A token that the agent gets, in the variables that its clients read. It stands for some
/// credentials, and works from its own sandbox only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenGrant {
    /// The variables that hold it.
    pub env: Vec<VariableName>,
    /// The credentials that it stands for.
    #[schemars(with = "Vec<String>")]
    pub credentials: Vec<CredentialName>,
}

/// The name of an environment variable.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^[A-Za-z_][A-Za-z0-9_]*$"))]
pub struct VariableName(String);

/// Why the name of a variable was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VariableError {
    /// Not a name.
    #[error(
        "the name of a variable is 1 to {VARIABLE_NAME_OCTETS} letters, digits and `_`, and starts with no digit"
    )]
    Name,
    /// One that decides which code runs.
    #[error(
        "this variable decides which code runs or where it connects: a profile does not set it"
    )]
    Reserved,
}

/// Variables that a profile does not set: they steer the loader or the way out of the sandbox.
const RESERVED: &[&str] = &[
    "ALL_PROXY",
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "PATH",
    "SHELL",
    "USER",
];

/// The same for all names that start so.
const RESERVED_STARTS: &[&str] = &["LD_", "RINGFENCE_"];

impl VariableName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for VariableName {
    type Err = VariableError;

    fn from_str(text: &str) -> Result<Self, VariableError> {
        let starts_well = |b: u8| b.is_ascii_alphabetic() || b == b'_';
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let is_name = text.bytes().next().is_some_and(starts_well) && text.bytes().all(allowed);
        if !is_name || text.len() > VARIABLE_NAME_OCTETS {
            return Err(VariableError::Name);
        }
        let upper = text.to_ascii_uppercase();
        let is_reserved = RESERVED.contains(&upper.as_str())
            || RESERVED_STARTS.iter().any(|start| upper.starts_with(start));
        if is_reserved {
            return Err(VariableError::Reserved);
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for VariableName {
    type Error = VariableError;

    fn try_from(text: String) -> Result<Self, VariableError> {
        text.parse()
    }
}

impl From<VariableName> for String {
    fn from(name: VariableName) -> Self {
        name.0
    }
}

impl fmt::Display for VariableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
