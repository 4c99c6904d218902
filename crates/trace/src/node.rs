//! The nodes of a trace: the run, its calls of models, the tools that they asked for, and what
//! happened on the network. Their JSON is a promise.

use jiff::Timestamp;
use ringfence_model::llm::{ClientTrace, ContextItem, LlmFacts, LlmRequest, ToolCall};
use ringfence_model::mcp::McpFacts;
use ringfence_model::{
    Action, AgentName, Closing, Event, EventId, Notice, Outcome, ReasonCode, RunId, SpanId, Told,
    TraceId,
};
use serde::{Serialize, Serializer};

/// A run: what all the rest is below.
#[derive(Debug, Clone, Serialize)]
pub struct Run {
    /// The run.
    pub run: RunId,
    /// Its agent.
    pub agent: Option<AgentName>,
    /// When it started; else when the first record of it was written.
    pub started: Timestamp,
    /// When it ended. None while it goes on, or where its writer died.
    pub ended: Option<Timestamp>,
    /// When the last record of it was written.
    pub last: Timestamp,
    /// The exit code of its command.
    pub exit_code: Option<i32>,
    /// The command and its arguments.
    pub command: Vec<String>,
    /// The profiles in force at its start.
    pub profiles: Vec<String>,
    /// The directory that it worked in.
    pub directory: Option<String>,
    /// What else is to be said about it, findings for example, in order; some of many.
    pub notices: Vec<Notice>,
    /// How much its agent told of itself.
    #[serde(skip_serializing_if = "ToldCounts::is_nothing")]
    pub told: ToldCounts,
}

/// How much an agent told of itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ToldCounts {
    /// Spans that are in the trace.
    pub spans: u64,
    /// Spans that were refused: of another trace or time, malformed, with the id of another, too many.
    pub refused: u64,
    /// Requests with logs or metrics, which are not kept.
    pub dropped: u64,
}

impl ToldCounts {
    /// Whether there is nothing to say.
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        self.spans == 0 && self.refused == 0 && self.dropped == 0
    }
}

/// Something of a run that took time.
#[derive(Debug, Clone, Serialize)]
pub struct Node {
    /// Its span.
    #[serde(serialize_with = "shown")]
    pub id: SpanId,
    /// The span that it is part of.
    #[serde(serialize_with = "shown")]
    pub parent: SpanId,
    /// When it began.
    pub start: Timestamp,
    /// When it ended; none where no record says so.
    pub end: Option<Timestamp>,
    /// What it is.
    #[serde(flatten)]
    pub what: What,
}

fn shown<S: Serializer>(id: &SpanId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

/// What a node is.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum What {
    /// A request to a provider of language models.
    Llm(Box<LlmNode>),
    /// A tool that a model asked for and the client ran.
    Tool(Box<ToolNode>),
    /// Any other action.
    Action(Box<ActionNode>),
    /// What the agent itself says that it did.
    Told(Box<Told>),
}

/// A request to a provider of language models.
#[derive(Debug, Clone, Serialize)]
pub struct LlmNode {
    /// Its number among those that a model was to answer, from 1. None for the others, and for
    /// what policy denied.
    pub step: Option<u32>,
    /// What was decided.
    pub event: Event,
    /// How it ended.
    pub closing: Option<Closing>,
    /// Whether its place is the one that the client told.
    #[serde(skip)]
    pub is_joined: bool,
}

/// A tool that a model asked for.
#[derive(Debug, Clone, Serialize)]
pub struct ToolNode {
    /// The call.
    pub call: ToolCall,
    /// The step whose model asked for it.
    pub step: Option<u32>,
    /// The event of that step.
    pub asked_by: EventId,
    /// The sub-agent that it is for, and the one that that works for, as the client says.
    pub agents: Vec<String>,
    /// How many tools the same answer asked for, this one among them. The time of one of many is
    /// that of all together.
    pub together: usize,
    /// The span of the agent's own that tells of it, and whose times these are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub told: Option<SpanId>,
    /// How it ended.
    pub ended: ToolEnd,
}

/// How a tool ended.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "ended", rename_all = "kebab-case")]
pub enum ToolEnd {
    /// Its result came into the context.
    Result {
        /// The result.
        item: ContextItem,
        /// The event of the request that brought it.
        answered_by: EventId,
    },
    /// The conversation went on without it.
    Abandoned,
    /// Nothing says.
    Unknown,
}

/// An action that is not a request to a model.
#[derive(Debug, Clone, Serialize)]
pub struct ActionNode {
    /// What was decided.
    pub event: Event,
    /// How it ended.
    pub closing: Option<Closing>,
    /// Where several tools ran at the time: their names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<String>,
    /// For a connection: how many requests were read from it.
    #[serde(skip_serializing_if = "is_zero")]
    pub carried: u32,
    /// Whether its place is the one that the client told.
    #[serde(skip)]
    pub is_joined: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Node {
    /// The event that it is about; for a tool, that of the step that asked for it. None for what the
    /// agent tells.
    #[must_use]
    pub fn event(&self) -> Option<EventId> {
        match &self.what {
            What::Llm(node) => Some(node.event.id),
            What::Tool(node) => Some(node.asked_by),
            What::Action(node) => Some(node.event.id),
            What::Told(_) => None,
        }
    }

    /// Why it did not go ahead, be it by the decision or after it.
    #[must_use]
    pub fn refusal(&self) -> Option<ReasonCode> {
        match &self.what {
            What::Llm(node) => refusal(&node.event, node.closing.as_ref()),
            What::Action(node) => refusal(&node.event, node.closing.as_ref()),
            What::Tool(_) | What::Told(_) => None,
        }
    }
}

/// Why an action did not go ahead.
pub(crate) fn refusal(event: &Event, closing: Option<&Closing>) -> Option<ReasonCode> {
    if !event.decision.is_allow() {
        return Some(event.decision.code);
    }
    match closing?.outcome {
        Outcome::Refused(code) => Some(code),
        _ => None,
    }
}

/// The span that a client says, where that is in the trace of the run and not its first one.
fn own_span(client: &ClientTrace, run: RunId) -> Option<SpanId> {
    let trace: TraceId = client.trace.parse().ok()?;
    let span: SpanId = client.span.parse().ok()?;
    (trace == TraceId::of_run(run) && span != SpanId::root(run)).then_some(span)
}

impl ActionNode {
    /// What a message to a server of the Model Context Protocol turned out to be.
    #[must_use]
    pub fn mcp(&self) -> Option<&McpFacts> {
        self.closing.as_ref()?.mcp.as_deref()
    }

    /// As [`LlmNode::client_span`].
    pub(crate) fn client_span(&self) -> Option<SpanId> {
        own_span(self.mcp()?.trace.as_ref()?, self.event.run)
    }
}

impl LlmNode {
    /// What was asked for.
    #[must_use]
    pub fn request(&self) -> Option<&LlmRequest> {
        match &self.event.action {
            Action::Llm(request) => Some(request),
            Action::Connect(_) | Action::Http(_) | Action::Git(_) | Action::Mcp(_) => None,
        }
    }

    /// The span of the client's own, in the trace of the run, that the client says it is part of.
    pub(crate) fn client_span(&self) -> Option<SpanId> {
        own_span(self.facts()?.trace.as_ref()?, self.event.run)
    }

    /// What it turned out to be.
    #[must_use]
    pub fn facts(&self) -> Option<&LlmFacts> {
        self.closing.as_ref()?.llm.as_deref()
    }
}
