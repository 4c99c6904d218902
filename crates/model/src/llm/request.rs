//! One request to a provider of language models as an action.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{HostedFeature, LlmProvider, ProviderName};
use crate::action::HttpRequest;
use crate::content::Access;
use crate::host::Destination;

/// What a request asks of a provider. What is not here is refused: uploads, batches, fine-tuning,
/// keys and sessions that would leave the sandbox, whatever is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LlmEndpoint {
    /// `POST chat/completions` (OpenAI).
    ChatCompletions,
    /// `POST completions` (OpenAI, legacy).
    Completions,
    /// `POST responses` (OpenAI).
    Responses,
    /// `GET responses` (OpenAI): a WebSocket, each message of which is a request of its own.
    ResponsesSocket,
    /// `POST embeddings` (OpenAI), `embedContent`, `batchEmbedContents` (Gemini).
    Embeddings,
    /// `POST messages` (Anthropic), also as Bedrock and Vertex carry it.
    Messages,
    /// `generateContent`, `streamGenerateContent` (Gemini).
    GenerateContent,
    /// `Converse`, `ConverseStream` (Bedrock).
    Converse,
    /// `messages/count_tokens` (Anthropic), `countTokens` (Gemini), `responses/input_tokens` (OpenAI).
    CountTokens,
    /// The list of models, or what is known of one.
    Models,
}

impl LlmEndpoint {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::ChatCompletions,
        Self::Completions,
        Self::Responses,
        Self::ResponsesSocket,
        Self::Embeddings,
        Self::Messages,
        Self::GenerateContent,
        Self::Converse,
        Self::CountTokens,
        Self::Models,
    ];

    /// The name that rules and records have, in lower case: `chat-completions`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ChatCompletions => "chat-completions",
            Self::Completions => "completions",
            Self::Responses => "responses",
            Self::ResponsesSocket => "responses-socket",
            Self::Embeddings => "embeddings",
            Self::Messages => "messages",
            Self::GenerateContent => "generate-content",
            Self::Converse => "converse",
            Self::CountTokens => "count-tokens",
            Self::Models => "models",
        }
    }

    /// Whether a model writes something, which takes tokens that cost.
    #[must_use]
    pub const fn is_inference(self) -> bool {
        !matches!(
            self,
            Self::ResponsesSocket | Self::CountTokens | Self::Models
        )
    }

    /// Everything that carries the agent's data out is a write.
    #[must_use]
    pub const fn access(self) -> Access {
        match self {
            Self::Models => Access::Read,
            _ => Access::Write,
        }
    }
}

impl fmt::Display for LlmEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One request to a provider, as far as policy decides on it. Its body is read strictly and goes
/// on as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LlmRequest {
    /// The host and port of the provider.
    pub destination: Destination,
    /// The provider.
    pub provider: ProviderName,
    /// What is asked of it.
    pub endpoint: LlmEndpoint,
    /// The model that is asked for upstream. None for the list of models.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What the agent called the model, where a rule has another name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// The path at the provider, its base path included; written from endpoint and model.
    pub path: String,
    /// The query without `?`: the parameters of the dialect that are known, and no others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Whether the answer comes as a stream of events.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stream: bool,
    /// The most tokens that may be written, as the agent asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<u64>,
    /// What the provider is asked to do by itself, each once, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosted: Vec<HostedFeature>,
    /// Octets of the body.
    pub octets: u64,
}

impl LlmRequest {
    /// The request as it goes to `provider`, without headers and body.
    #[must_use]
    pub fn to_http(&self, provider: &LlmProvider) -> HttpRequest {
        let method = match self.endpoint {
            LlmEndpoint::Models | LlmEndpoint::ResponsesSocket => "GET",
            _ => "POST",
        };
        HttpRequest {
            destination: provider.destination.clone(),
            scheme: provider.scheme,
            method: method.to_owned(),
            path: self.path.clone(),
            query: self.query.clone(),
            headers: Vec::new(),
            content: None,
        }
    }
}

impl fmt::Display for LlmRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "llm {} {}", self.provider, self.endpoint)?;
        match &self.model {
            Some(model) => write!(f, " {model}"),
            None => Ok(()),
        }
    }
}
