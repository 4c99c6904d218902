//! Answers of Gemini, whole and in parts: each part is an answer of its own.

use ringfence_model::llm::TokenUsage;

use super::gathered::{Gathered, count, finished, once, reasoning};
use super::{Seen, failure};
use ringfence_json::Value;

pub(super) fn read(root: Value<'_>, seen: &mut Seen, gathered: &mut Gathered) {
    if root.get("error").is_some() {
        seen.failure = failure::of(root);
    }
    once(&mut seen.id, root.get("responseId"));
    once(&mut seen.model, root.get("modelVersion"));
    if let Some(usage) = root.get("usageMetadata") {
        seen.usage = Some(read_usage(usage));
    }
    // Texts that were made vectors of.
    for name in ["embedding", "embeddings", "predictions"] {
        gathered.done |= root.get(name).is_some();
    }
    let blocked = root
        .get("promptFeedback")
        .and_then(|it| it.get("blockReason"));
    finished(blocked, seen);
    let candidates = root.get("candidates").into_iter().flat_map(Value::elements);
    for candidate in candidates {
        finished(candidate.get("finishReason"), seen);
        let index = count(candidate, "index");
        let parts = candidate.get("content").and_then(|it| it.get("parts"));
        for part in parts.into_iter().flat_map(Value::elements) {
            read_part(part, index, seen, gathered);
        }
    }
}

fn read_part(part: Value<'_>, index: u64, seen: &mut Seen, gathered: &mut Gathered) {
    if part.get("thought").and_then(Value::boolean) == Some(true) {
        reasoning(part.get("text"), seen);
        return;
    }
    if let Some(text) = part.get("text") {
        if index == 0 {
            gathered.answer(text, seen);
        } else {
            let octets = text.raw_text().len() as u64;
            seen.output_octets = seen.output_octets.saturating_add(octets);
        }
    }
    let text = |value: Value<'_>, name| {
        value
            .get(name)
            .and_then(Value::text)
            .map(|it| it.into_owned())
    };
    if let Some(call) = part.get("functionCall") {
        let name = text(call, "name").unwrap_or_default();
        // Without an id, the name is all that call and result have in common.
        let id = text(call, "id").unwrap_or_else(|| name.clone());
        gathered.call((index, 0), &id, &name);
        if let Some(arguments) = call.get("args") {
            let raw = String::from_utf8_lossy(arguments.raw());
            gathered.arguments((index, 0), &raw, seen);
        }
    }
    for name in ["executableCode", "inlineData"] {
        let octets = part.get(name).map_or(0, |it| it.raw().len() as u64);
        seen.output_octets = seen.output_octets.saturating_add(octets);
    }
}

fn read_usage(usage: Value<'_>) -> TokenUsage {
    let reasoning = count(usage, "thoughtsTokenCount");
    let tools = count(usage, "toolUsePromptTokenCount");
    TokenUsage {
        input: count(usage, "promptTokenCount").saturating_add(tools),
        output: count(usage, "candidatesTokenCount").saturating_add(reasoning),
        cache_read: count(usage, "cachedContentTokenCount"),
        cache_write: 0,
        cache_write_long: 0,
        reasoning,
    }
}
