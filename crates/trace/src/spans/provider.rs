//! What the conventions call a provider and an operation.

use ringfence_model::llm::{LlmEndpoint, LlmRequest};

/// The provider. One that the conventions do not know has its own name.
pub(crate) fn provider(request: &LlmRequest) -> String {
    let own = request.provider.as_str();
    if let Some((_, known)) = BY_NAME.iter().find(|(name, _)| *name == own) {
        return (*known).to_owned();
    }
    let path = request.path.as_str();
    let known = match request.endpoint {
        LlmEndpoint::Converse => Some("aws.bedrock"),
        _ if path.starts_with("/model/") => Some("aws.bedrock"),
        _ if path.contains("/publishers/") => Some("gcp.vertex_ai"),
        LlmEndpoint::GenerateContent => Some("gcp.gemini"),
        _ if path.contains("/openai/") && is_azure(request) => Some("azure.ai.openai"),
        LlmEndpoint::Messages => Some("anthropic"),
        _ => None,
    };
    known.unwrap_or(own).to_owned()
}

fn is_azure(request: &LlmRequest) -> bool {
    let host = request.destination.host.to_string();
    host.ends_with(".azure.com") || request.path.contains("/deployments/")
}

/// The operation. None where nothing is generated.
pub(crate) const fn operation(endpoint: LlmEndpoint) -> Option<&'static str> {
    match endpoint {
        LlmEndpoint::ChatCompletions
        | LlmEndpoint::Responses
        | LlmEndpoint::Messages
        | LlmEndpoint::Converse => Some("chat"),
        LlmEndpoint::Completions => Some("text_completion"),
        LlmEndpoint::GenerateContent => Some("generate_content"),
        LlmEndpoint::Embeddings => Some("embeddings"),
        LlmEndpoint::ResponsesSocket | LlmEndpoint::CountTokens | LlmEndpoint::Models => None,
    }
}

/// Which of OpenAI's interfaces it is.
pub(super) const fn openai_api(endpoint: LlmEndpoint) -> Option<&'static str> {
    match endpoint {
        LlmEndpoint::ChatCompletions => Some("chat_completions"),
        LlmEndpoint::Responses => Some("responses"),
        _ => None,
    }
}

const BY_NAME: [(&str, &str); 9] = [
    ("anthropic", "anthropic"),
    ("openai", "openai"),
    ("gemini", "gcp.gemini"),
    ("mistral", "mistral_ai"),
    ("groq", "groq"),
    ("cohere", "cohere"),
    ("deepseek", "deepseek"),
    ("perplexity", "perplexity"),
    ("xai", "x_ai"),
];
