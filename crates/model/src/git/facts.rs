//! What a git request turned out to be, which was not known when it was decided on.

use serde::{Deserialize, Serialize};

use super::refs::{RefChange, RefName};

/// What a git request turned out to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GitFacts {
    /// Octets of the pack that was pushed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pack_octets: Option<u64>,
    /// Objects in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objects: Option<u64>,
    /// Commits among them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commits: Option<u64>,
    /// What happened to each ref of a push, in the order in which they were sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub updates: Vec<RefResult>,
    /// What was found in the pack: place and rule, never the text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
    /// Whether it went on because a person had approved exactly this push.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub approved: bool,
}

/// What happened to one ref of a push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefResult {
    /// The ref.
    pub name: RefName,
    /// What the update was, proven as far as it could be.
    pub change: RefChange,
    /// Why it was not done; none where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}
