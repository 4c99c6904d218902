//! What an exchange with a language model turned out to be: what it took and cost, and what a
//! reader needs afterwards to see how an agent went about its task. Texts are here only where a
//! rule asks for them (`capture`); else a text is its length and its digest.

use serde::{Deserialize, Serialize};

use super::Money;

/// What an exchange with a language model turned out to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LlmFacts {
    /// The model that answered, as the provider says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The id that the provider gave the response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_id: Option<String>,
    /// Why the model stopped, in the provider's words, one for each choice.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub finish: Vec<String>,
    /// Tokens, as the provider counted them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<TokenUsage>,
    /// Whether tokens or cost are an upper bound, because the provider did not say.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub estimated: bool,
    /// What it cost. None where it has no price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
    /// Microseconds from the decision to the first octets of the body of the response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_octets_us: Option<u64>,
    /// What the request was for, as far as its shape tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Purpose>,
    /// The session that the client says it belongs to. A hint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The sub-agent of the client that asked, and the one that it works for. Hints.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<String>,
    /// The span of the client that the request belongs to. A hint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<ClientTrace>,
    /// Tools that the request offers to the model, which the client runs.
    #[serde(skip_serializing_if = "is_zero")]
    pub tools: u64,
    /// Items of the conversation in the request.
    #[serde(skip_serializing_if = "is_zero")]
    pub items: u64,
    /// Those that were not in the request before it of the same conversation.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub new: Vec<ContextItem>,
    /// The calls of tools that the model answered with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<ToolCall>,
    /// What the model wrote, without reasoning and calls of tools.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<TextDigest>,
    /// What went wrong, as the provider says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<LlmFailure>,
    /// What was found in the request: place and rule, never the text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
    /// Texts of the request that were put out of it.
    #[serde(skip_serializing_if = "is_zero")]
    pub redacted: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Tokens of one exchange.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TokenUsage {
    /// All tokens that went in, those from and to the provider's cache among them.
    pub input: u64,
    /// All tokens that were written, reasoning among them.
    pub output: u64,
    /// Of the input: read from the provider's cache.
    #[serde(skip_serializing_if = "is_zero")]
    pub cache_read: u64,
    /// Of the input: written to the provider's cache.
    #[serde(skip_serializing_if = "is_zero")]
    pub cache_write: u64,
    /// Of what was written to the provider's cache: what is kept there for longer, which costs more.
    #[serde(skip_serializing_if = "is_zero")]
    pub cache_write_long: u64,
    /// Of the output: reasoning.
    #[serde(skip_serializing_if = "is_zero")]
    pub reasoning: u64,
}

impl TokenUsage {
    /// Input and output.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.input.saturating_add(self.output)
    }
}

/// What a request to a model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// A step of the agent's own work.
    Step,
    /// The name of a conversation.
    Title,
    /// A conversation made shorter.
    Summary,
    /// A choice of a model or a tool, or a check, before or beside the work.
    Routing,
    /// To see whether it works, or how much is left.
    Probe,
}

/// A text: how long it is, and which one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextDigest {
    /// Its octets in UTF-8.
    pub octets: u64,
    /// The first sixteen octets of its SHA-256, in hex. Of the text as the agent wrote or got it,
    /// secrets taken out.
    pub digest: String,
    /// The text, where a rule asks for it: secrets taken out, shortened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// One item of a conversation that came into it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContextItem {
    /// What it is.
    pub kind: ContextKind,
    /// The call of a tool that it is the result of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// The name of the tool, where the client says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether it is the result of a tool that failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_error: bool,
    /// The text.
    #[serde(flatten)]
    pub text: TextDigest,
}

/// What an item of a conversation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContextKind {
    /// Instructions of the program.
    System,
    /// What a person, or the program in their name, says.
    User,
    /// What the model said before.
    Assistant,
    /// A call of a tool that the model made before.
    ToolCall,
    /// The result of a tool.
    ToolResult,
    /// An image, a document, sound.
    Media,
}

/// A call of a tool that a model answered with. The client runs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The id that its result refers to; where the provider gives none, the gateway's own.
    pub id: String,
    /// The name of the tool.
    pub name: String,
    /// The arguments, as JSON.
    #[serde(flatten)]
    pub arguments: TextDigest,
}

/// What a provider says went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LlmFailure {
    /// The provider's word for it, for example `overloaded_error`.
    pub kind: String,
    /// Its words, shortened.
    pub message: String,
    /// Seconds to wait before the next try, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

/// A span of the client (W3C Trace Context).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientTrace {
    /// 32 hex digits.
    pub trace: String,
    /// 16 hex digits.
    pub span: String,
}
