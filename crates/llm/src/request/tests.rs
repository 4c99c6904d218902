mod dialects;
mod edits;
mod hostile;
mod messages;
mod smuggled;

use ringfence_model::llm::{ContextKind, HostedFeature, LlmProvider, ProviderKind};
use serde_json::{Value, json};

use super::*;
use crate::target;

/// A path at a provider of this kind.
fn target_of(kind: ProviderKind, path: &str) -> Target {
    let mut provider = LlmProvider::builtin().remove(0);
    provider.kind = kind;
    target::classify(&provider, "POST", path, None).unwrap()
}

fn try_read(kind: ProviderKind, path: &str, body: &str) -> Result<Request, RequestError> {
    let octets = Bytes::copy_from_slice(body.as_bytes());
    read(&target_of(kind, path), octets)
}

const CHAT: (ProviderKind, &str) = (ProviderKind::Openai, "/chat/completions");
const RESPONSES: (ProviderKind, &str) = (ProviderKind::Openai, "/responses");
const COMPLETIONS: (ProviderKind, &str) = (ProviderKind::Openai, "/completions");
const MESSAGES: (ProviderKind, &str) = (ProviderKind::Anthropic, "/v1/messages");
const GEMINI: (ProviderKind, &str) = (
    ProviderKind::Gemini,
    "/v1beta/models/gemini-2.5-pro:generateContent",
);
const CONVERSE: (ProviderKind, &str) =
    (ProviderKind::Bedrock, "/model/amazon.nova-pro-v1/converse");

fn request((kind, path): (ProviderKind, &str), body: &Value) -> Request {
    let body = body.to_string();
    try_read(kind, path, &body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

/// The body that is sent, as a value.
fn sent(request: &Request) -> Value {
    let octets = request.octets();
    Tape::read(&octets).unwrap();
    serde_json::from_slice(&octets).unwrap()
}

/// Kind, call, name, error and text of each item.
fn items(request: &Request) -> Vec<(ContextKind, String, String, bool, String)> {
    let told = |item: &Item| {
        let text = request.recorded(item, crate::Capture::Texts).text.text;
        let text = text.unwrap_or_default();
        let or_empty = |it: &Option<String>| it.clone().unwrap_or_default();
        (
            item.kind,
            or_empty(&item.call),
            or_empty(&item.name),
            item.is_error,
            text,
        )
    };
    request.items.iter().map(told).collect()
}

fn item(kind: ContextKind, text: &str) -> (ContextKind, String, String, bool, String) {
    (kind, String::new(), String::new(), false, text.to_owned())
}

fn of_tool(
    kind: ContextKind,
    (call, name): (&str, &str),
    is_error: bool,
    text: &str,
) -> (ContextKind, String, String, bool, String) {
    (
        kind,
        call.to_owned(),
        name.to_owned(),
        is_error,
        text.to_owned(),
    )
}
