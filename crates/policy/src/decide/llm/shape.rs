//! Requests to language models as the HTTP requests that they are: to tell one that did not come
//! as such, and to ask about one that was not sent.

use ringfence_model::Destination;
use ringfence_model::llm::{LlmEndpoint, LlmProvider, ProviderKind};

use crate::compile::Snapshot;
use crate::decide::Query;

/// Ports that lead to the same service on most hosts.
const USUAL_PORTS: [u16; 2] = [80, 443];

impl Snapshot {
    /// Whether a request is to a place of a provider that LLM rules are about, and did not come as
    /// a request to it.
    pub(in crate::decide) fn is_stray_llm(&self, query: &Query<'_>) -> bool {
        let Some(request) = query.request else {
            return false;
        };
        let named = self.llm.named().iter();
        let mut there = named.filter(|it| is_at(it, query.destination));
        there.any(|provider| is_below(&request.path, &provider.base_path))
    }
}

fn is_at(provider: &LlmProvider, destination: &Destination) -> bool {
    let known = &provider.destination;
    let are_usual = [known.port, destination.port]
        .iter()
        .all(|port| USUAL_PORTS.contains(port));
    known.host == destination.host && (known.port == destination.port || are_usual)
}

/// Whether a path is what a server may take for one below `base`, in whatever case.
pub(crate) fn is_below(path: &str, base: &str) -> bool {
    let mut path = segments(path);
    segments(base).all(|wanted| {
        path.next()
            .is_some_and(|it| it.eq_ignore_ascii_case(wanted))
    })
}

/// The segments of a path, without their parameters, which some servers take off before anything
/// else, and without those of which nothing is left then.
fn segments(path: &str) -> impl Iterator<Item = &str> {
    let bare = |segment: &str| segment.find(';').unwrap_or(segment.len());
    let segments = path.split('/').map(move |it| it.split_at(bare(it)).0);
    segments.filter(|it| !it.is_empty())
}

/// What is usually asked of a provider.
pub(super) const fn usual_endpoint(kind: ProviderKind) -> LlmEndpoint {
    match kind {
        ProviderKind::Openai | ProviderKind::AzureOpenai => LlmEndpoint::ChatCompletions,
        ProviderKind::Anthropic => LlmEndpoint::Messages,
        ProviderKind::Gemini | ProviderKind::Vertex => LlmEndpoint::GenerateContent,
        ProviderKind::Bedrock => LlmEndpoint::Converse,
    }
}

/// A path that such a request has, for one that was not sent. Rules of other sections that forbid
/// paths look at it.
pub(super) fn path(provider: &LlmProvider, endpoint: LlmEndpoint, model: &str) -> String {
    let base = &provider.base_path;
    let verb = match endpoint {
        LlmEndpoint::Embeddings => "embedContent",
        LlmEndpoint::CountTokens => "countTokens",
        _ => "generateContent",
    };
    match (provider.kind, endpoint) {
        (ProviderKind::Anthropic, LlmEndpoint::CountTokens) => {
            format!("{base}/v1/messages/count_tokens")
        }
        (ProviderKind::Anthropic, _) => format!("{base}/v1/{}", plain(endpoint)),
        (ProviderKind::Gemini, LlmEndpoint::Models) => format!("{base}/v1beta/models"),
        (ProviderKind::Gemini, _) => format!("{base}/v1beta/models/{model}:{verb}"),
        (ProviderKind::Vertex, _) => format!("{base}/v1/publishers/google/models/{model}:{verb}"),
        (ProviderKind::Bedrock, LlmEndpoint::Messages) => format!("{base}/model/{model}/invoke"),
        (ProviderKind::Bedrock, _) => format!("{base}/model/{model}/converse"),
        (ProviderKind::AzureOpenai, _) => format!("{base}/openai/v1/{}", plain(endpoint)),
        (ProviderKind::Openai, _) => format!("{base}/{}", plain(endpoint)),
    }
}

const fn plain(endpoint: LlmEndpoint) -> &'static str {
    match endpoint {
        LlmEndpoint::ChatCompletions => "chat/completions",
        LlmEndpoint::CountTokens => "responses/input_tokens",
        LlmEndpoint::GenerateContent => "generateContent",
        LlmEndpoint::ResponsesSocket => "responses",
        other => other.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_below_a_base_is_told_however_it_is_written() {
        for (path, base, is) in [
            ("/v1/chat", "/v1", true),
            ("/V1/chat", "/v1", true),
            ("/v1", "/v1", true),
            ("/v1;x/chat", "/v1", true),
            ("/;x/v1/chat", "/v1", true),
            ("/a;x/;y/b/c", "/a/b", true),
            ("/v1x", "/v1", false),
            ("/v1beta/x", "/v1", false),
            ("/x", "", true),
            ("/api/v1", "/v1", false),
            ("/v", "/v1", false),
        ] {
            assert_eq!(is_below(path, base), is, "{path} {base}");
        }
    }
}
