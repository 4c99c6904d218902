//! What an agent tells of itself: spans of its own work, sent to the receiver in its sandbox. It is
//! the agent's word. Nothing is decided on it, and nothing of it takes the place of what was seen.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::trace::SpanId;

/// The name under which the gateway itself takes the telemetry of a sandbox.
pub const OTEL_SERVICE: &str = "otel.ringfence.internal";

/// A span of the agent's own, in the trace of its run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldSpan {
    /// Its id, as the agent chose it.
    pub id: SpanId,
    /// The span that it is part of, as the agent says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<SpanId>,
    /// When it began, by the clock of the sandbox, which is that of the host.
    pub start: Timestamp,
    /// When it ended.
    pub end: Timestamp,
    /// What it was.
    #[serde(flatten)]
    pub what: Told,
}

/// What a span of the agent's own says: short words that can be shown anywhere, never content.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Told {
    /// Its name.
    pub name: String,
    /// Whether the agent says that it failed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
    /// The tool that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// The id of the call of that tool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// The model that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What was decided inside the agent, by a person or its settings, for example `accept`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
}
