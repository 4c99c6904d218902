//! What an exchange with a server of the Model Context Protocol turned out to be. Texts are here
//! only where a rule asks for them (`capture`); else a text is its length and its digest.

use serde::{Deserialize, Serialize};

use crate::ids::EventId;
use crate::llm::{ClientTrace, TextDigest};

/// What an exchange turned out to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct McpFacts {
    /// The id of the request, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// A digest of the session that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// What went in, in its compact form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments: Option<TextDigest>,
    /// What came back, in its compact form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<TextDigest>,
    /// Whether the tool said that it failed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tool_failed: bool,
    /// The code of the error of JSON-RPC that came back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<i64>,
    /// Messages of the server's that were passed on beside the answer.
    #[serde(skip_serializing_if = "is_zero")]
    pub messages: u64,
    /// Messages of the server's that were not passed on.
    #[serde(skip_serializing_if = "is_zero")]
    pub dropped: u64,
    /// Entries of a list that the agent was not shown.
    #[serde(skip_serializing_if = "is_zero")]
    pub hidden: u64,
    /// Definitions that wait for a person, and were not shown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pins: Vec<McpPin>,
    /// Texts that were put out of it, in either direction.
    #[serde(skip_serializing_if = "is_zero")]
    pub redacted: u64,
    /// What was found: place and rule, never the text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
    /// The span of the client that the request belongs to. A hint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<ClientTrace>,
    /// What a person is asked to approve; none where no rule asks for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<McpHeld>,
    /// Who approved it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved: Option<McpApproved>,
}

/// A call that a person has to approve: all that the server gets of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct McpHeld {
    /// The SHA-256 of its parameters in canonical form, in hex.
    pub digest: String,
    /// Those parameters, secrets taken out.
    pub call: String,
}

/// An approval that was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct McpApproved {
    /// The event of the attempt that the person saw.
    pub event: EventId,
    /// The number that this machine has for the user who said so.
    pub by: u32,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A definition that is not the one that was kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct McpPin {
    /// `tool`, `prompt`, `resource`, `template` or `server`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// `new`, `changed` or `removed`.
    pub state: String,
}
