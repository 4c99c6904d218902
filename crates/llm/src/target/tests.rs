use ringfence_model::llm::LlmEndpoint::*;
use ringfence_model::llm::{LlmProvider, ProviderKind};

use super::*;

fn provider(kind: ProviderKind, base: &str) -> LlmProvider {
    let mut provider = LlmProvider::builtin().remove(0);
    provider.kind = kind;
    provider.base_path = base.to_owned();
    provider
}

fn openai() -> LlmProvider {
    provider(ProviderKind::Openai, "/v1")
}

fn anthropic() -> LlmProvider {
    provider(ProviderKind::Anthropic, "")
}

fn gemini() -> LlmProvider {
    provider(ProviderKind::Gemini, "")
}

fn azure() -> LlmProvider {
    provider(ProviderKind::AzureOpenai, "")
}

fn bedrock() -> LlmProvider {
    provider(ProviderKind::Bedrock, "")
}

fn vertex() -> LlmProvider {
    provider(ProviderKind::Vertex, "")
}

/// Endpoint, model and stream of a request, which is written as it was read.
fn post(provider: &LlmProvider, path: &str) -> (LlmEndpoint, Option<String>, Option<bool>) {
    let (path, query) = match path.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (path, None),
    };
    let target = classify(provider, "POST", path, query).unwrap_or_else(|e| panic!("{path}: {e}"));
    assert_eq!(target.path(provider, None), path);
    assert_eq!(target.query().as_deref(), query);
    (target.endpoint, target.model, target.stream)
}

fn refusal(provider: &LlmProvider, method: &str, path: &str) -> TargetError {
    let (path, query) = match path.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (path, None),
    };
    match classify(provider, method, path, query) {
        Err(error) => error,
        Ok(target) => panic!("{path}: {target:?}"),
    }
}

#[test]
fn the_endpoints_of_each_dialect_are_known() {
    let of = |model: &str| Some(model.to_owned());
    for (provider, path, expected) in [
        (
            openai(),
            "/v1/chat/completions",
            (ChatCompletions, None, None),
        ),
        (openai(), "/v1/completions", (Completions, None, None)),
        (openai(), "/v1/responses", (Responses, None, None)),
        (
            openai(),
            "/v1/responses/compact",
            (Responses, None, Some(false)),
        ),
        (
            openai(),
            "/v1/responses/input_tokens",
            (CountTokens, None, None),
        ),
        (openai(), "/v1/embeddings", (Embeddings, None, None)),
        (
            anthropic(),
            "/v1/messages?beta=true",
            (Messages, None, None),
        ),
        (
            anthropic(),
            "/v1/messages/count_tokens",
            (CountTokens, None, None),
        ),
        (
            gemini(),
            "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse",
            (GenerateContent, of("gemini-2.5-pro"), Some(true)),
        ),
        (
            gemini(),
            "/v1/models/gemini-embedding-001:batchEmbedContents",
            (Embeddings, of("gemini-embedding-001"), Some(false)),
        ),
        (
            azure(),
            "/openai/deployments/gpt-4o/chat/completions?api-version=2025-04-01-preview",
            (ChatCompletions, of("gpt-4o"), None),
        ),
        (azure(), "/openai/v1/responses", (Responses, None, None)),
    ] {
        assert_eq!(post(&provider, path), expected, "{path}");
    }
}

#[test]
fn the_endpoints_of_clouds_are_known() {
    let of = |model: &str| Some(model.to_owned());
    for (provider, path, expected) in [
        (
            bedrock(),
            "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke-with-response-stream",
            (
                Messages,
                of("us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
                Some(true),
            ),
        ),
        (
            bedrock(),
            "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.x/converse",
            (
                Converse,
                of("arn:aws:bedrock:us-east-1:1:inference-profile/us.x"),
                Some(false),
            ),
        ),
        (
            vertex(),
            "/v1/projects/p-1/locations/global/publishers/anthropic/models/claude-opus-4-1%4020250805:streamRawPredict",
            (Messages, of("claude-opus-4-1@20250805"), None),
        ),
        (
            vertex(),
            "/v1/projects/p-1/locations/us-east5/publishers/anthropic/models/count-tokens:rawPredict",
            (CountTokens, None, Some(false)),
        ),
        (
            vertex(),
            "/v1/publishers/google/models/gemini-2.5-flash:generateContent",
            (GenerateContent, of("gemini-2.5-flash"), Some(false)),
        ),
    ] {
        assert_eq!(post(&provider, path), expected, "{path}");
    }
}

#[test]
fn what_would_leave_the_sandbox_behind_is_refused() {
    for (provider, method, path) in [
        (openai(), "POST", "/v1/realtime/client_secrets"),
        (openai(), "POST", "/v1/realtime/sessions"),
        (openai(), "POST", "/v1/files"),
        (openai(), "POST", "/v1/batches"),
        (openai(), "POST", "/v1/fine_tuning/jobs"),
        (openai(), "GET", "/v1/responses/resp_1"),
        (openai(), "DELETE", "/v1/responses/resp_1"),
        (openai(), "POST", "/v1/responses/resp_1/cancel"),
        (openai(), "POST", "/v1/conversations"),
        (openai(), "GET", "/v1/organization/admin_api_keys"),
        (openai(), "GET", "/v1/chat/completions/chatcmpl-1"),
        (anthropic(), "POST", "/v1/messages/batches"),
        (anthropic(), "POST", "/v1/files"),
        (anthropic(), "POST", "/v1/sessions"),
        (anthropic(), "GET", "/v1/organizations/api_keys"),
        (gemini(), "POST", "/v1beta/files"),
        (gemini(), "POST", "/v1beta/cachedContents"),
        (gemini(), "POST", "/v1beta/models/x:batchGenerateContent"),
        (gemini(), "POST", "/v1alpha/auth_tokens"),
        (azure(), "POST", "/openai/files"),
        (
            azure(),
            "POST",
            "/openai/deployments/x/extensions/chat/completions",
        ),
        (bedrock(), "POST", "/async-invoke"),
        (
            vertex(),
            "POST",
            "/v1/projects/p/locations/l/cachedContents",
        ),
    ] {
        let refusal = refusal(&provider, method, path);
        let is_refused = matches!(
            refusal,
            TargetError::Refused { .. } | TargetError::Malformed(_)
        );
        assert!(is_refused, "{path}: {refusal}");
    }
}

#[test]
fn a_websocket_is_told_to_go_on_by_http() {
    assert_eq!(
        refusal(&openai(), "GET", "/v1/responses"),
        TargetError::Upgrade
    );
    assert_eq!(
        refusal(&azure(), "GET", "/openai/v1/responses"),
        TargetError::Upgrade
    );
}

#[test]
fn a_path_that_is_not_known_or_has_two_readings_is_refused() {
    for (provider, path) in [
        (openai(), "/v1"),
        (openai(), "/v1/"),
        (openai(), "/v2/chat/completions"),
        (openai(), "/v1beta/chat/completions"),
        (openai(), "/v1//chat/completions"),
        (openai(), "/v1/chat/completions/"),
        (openai(), "/v1/chat%2Fcompletions"),
        (openai(), "/v1/chat/../chat/completions"),
        (openai(), "/v1/chat/%2e%2e/chat/completions"),
        (openai(), "/v1/chat/completions%00"),
        (openai(), "/v1/chat/completions;x"),
        (openai(), "/v1/chat/completions?api_base=http://evil"),
        (openai(), "/v1/chat/completions%3fx"),
        (openai(), "/v1/engines/x/completions"),
        (anthropic(), "/v1/messages?beta=true&beta=true"),
        (anthropic(), "/v1/complete"),
        (anthropic(), "/api/event_logging/batch"),
        (gemini(), "/v1beta/models/x:generateContent:countTokens"),
        (gemini(), "/v1beta/models/a%2Fb:generateContent"),
        (gemini(), "/v1beta/models/x:streamGenerateContent?alt=media"),
        (gemini(), "/upload/v1beta/files"),
        (bedrock(), "/model/x%2F..%2Fy/converse"),
        (bedrock(), "/model/x/converse?a=b"),
        (
            vertex(),
            "/v1/projects/p/publishers/google/models/x:generateContent",
        ),
        (
            vertex(),
            "/v1/projects/p%2Fq/locations/l/publishers/google/models/x:generateContent",
        ),
    ] {
        let refusal = refusal(&provider, "POST", path);
        assert!(
            !matches!(refusal, TargetError::Upgrade),
            "{path}: {refusal}"
        );
    }
}

#[test]
fn the_key_in_a_query_does_not_go_on() {
    let target = classify(
        &gemini(),
        "POST",
        "/v1beta/models/gemini-2.5-pro:streamGenerateContent",
        Some("key=token&alt=sse"),
    );
    assert_eq!(target.unwrap().query().as_deref(), Some("alt=sse"));
}

#[test]
fn another_model_and_another_provider_have_their_own_path() {
    let path = "/model/anthropic.claude-v1%3A0/converse";
    let target = classify(&bedrock(), "POST", path, None).unwrap();
    let other = provider(ProviderKind::Bedrock, "/proxy");
    assert_eq!(
        target.path(&other, Some("arn:aws:x/y")),
        "/proxy/model/arn%3Aaws%3Ax%2Fy/converse"
    );
}

#[test]
fn models_are_listed_by_get_alone() {
    let target = classify(&anthropic(), "GET", "/v1/models", Some("limit=20")).unwrap();
    assert_eq!(
        (target.endpoint, target.query().as_deref()),
        (Models, Some("limit=20"))
    );
    let target = classify(&openai(), "GET", "/v1/models/openai%2Fgpt-5", None).unwrap();
    assert_eq!(target.model.as_deref(), Some("openai/gpt-5"));
    assert_eq!(
        refusal(&openai(), "DELETE", "/v1/models/ft:gpt"),
        TargetError::Malformed("this endpoint takes GET")
    );
}
