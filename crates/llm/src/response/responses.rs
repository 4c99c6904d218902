//! Answers of OpenAI's Responses, whole and as events.

use ringfence_model::llm::TokenUsage;

use super::gathered::{Gathered, count, finished, once, reasoning};
use super::{Seen, failure};
use ringfence_json::Value;

/// One event of a stream.
pub(super) fn event(root: Value<'_>, seen: &mut Seen, gathered: &mut Gathered) {
    let kind = root.get("type").and_then(Value::text).unwrap_or_default();
    let response = root.get("response");
    match kind.as_ref() {
        "response.completed" | "response.incomplete" | "response.failed" | "response.cancelled" => {
            if let Some(response) = response {
                end(response, seen, gathered);
            }
        }
        "response.output_item.done" => {
            if let Some(done) = root.get("item") {
                gathered.has_items = true;
                item(done, count(root, "output_index"), gathered);
            }
        }
        "error" => {
            let error = root.get("error").unwrap_or(root);
            let mut told = failure::in_error(error);
            if let Some(code) = error.get("code").and_then(Value::text) {
                told.kind = code.into_owned();
            }
            seen.failure = Some(told);
        }
        kind if kind.ends_with(".delta") => delta(kind, root, seen),
        _ => {
            if let Some(response) = response {
                once(&mut seen.id, response.get("id"));
                once(&mut seen.model, response.get("model"));
            }
        }
    }
}

/// Every piece is counted as it comes; it is told from the item that it makes.
fn delta(kind: &str, root: Value<'_>, seen: &mut Seen) {
    let piece = root.get("delta");
    if kind.contains("reasoning") {
        reasoning(piece, seen);
        return;
    }
    let octets = piece.map_or(0, |it| it.raw_text().len() as u64);
    seen.output_octets = seen.output_octets.saturating_add(octets);
}

/// A whole answer.
pub(super) fn whole(root: Value<'_>, seen: &mut Seen, gathered: &mut Gathered) {
    end(root, seen, gathered);
    let output = root.get("output").map_or(0, |it| it.raw().len() as u64);
    seen.output_octets = seen.output_octets.saturating_add(output);
}

fn end(response: Value<'_>, seen: &mut Seen, gathered: &mut Gathered) {
    once(&mut seen.id, response.get("id"));
    once(&mut seen.model, response.get("model"));
    if let Some(usage) = response.get("usage") {
        seen.usage = Some(read_usage(usage));
    }
    if let Some(error) = response.get("error") {
        let mut told = failure::in_error(error);
        if let Some(code) = error.get("code").and_then(Value::text) {
            told.kind = code.into_owned();
        }
        seen.failure = Some(told);
    }
    let reason = response
        .get("incomplete_details")
        .and_then(|it| it.get("reason"));
    finished(reason.or_else(|| response.get("status")), seen);
    let items = response.get("output").into_iter().flat_map(Value::elements);
    if !gathered.has_items {
        for (index, it) in items.enumerate() {
            item(it, index as u64, gathered);
        }
    }
    gathered.done = true;
}

fn read_usage(usage: Value<'_>) -> TokenUsage {
    let input = usage.get("input_tokens_details");
    let output = usage.get("output_tokens_details");
    TokenUsage {
        input: count(usage, "input_tokens"),
        output: count(usage, "output_tokens"),
        cache_read: input.map_or(0, |it| count(it, "cached_tokens")),
        cache_write: input.map_or(0, |it| count(it, "cache_write_tokens")),
        cache_write_long: 0,
        reasoning: output.map_or(0, |it| count(it, "reasoning_tokens")),
    }
}

/// An item that is whole.
fn item(item: Value<'_>, index: u64, gathered: &mut Gathered) {
    let text = |name: &str| item.get(name).and_then(Value::text).unwrap_or_default();
    let kind = text("type");
    if kind == "message" {
        let parts = item.get("content").into_iter().flat_map(Value::elements);
        for part in parts {
            let written = part.get("text").or_else(|| part.get("refusal"));
            gathered.digest(&written.and_then(Value::text).unwrap_or_default());
        }
    }
    let Some(plain) = kind.strip_suffix("_call") else {
        return;
    };
    if HOSTED.contains(&plain) {
        return;
    }
    let name = text("name");
    let name = if name.is_empty() { plain } else { &name };
    let (id, own) = (text("call_id"), text("id"));
    gathered.call((0, index), if id.is_empty() { &own } else { &id }, name);
    let mut arguments = ["arguments", "input", "action", "operation"].into_iter();
    if let Some(arguments) = arguments.find_map(|name| item.get(name)) {
        let raw = || String::from_utf8_lossy(arguments.raw());
        let written = arguments.text().unwrap_or_else(raw);
        gathered.digest_arguments((0, index), &written);
    }
}

/// What the provider calls by itself.
const HOSTED: [&str; 6] = [
    "web_search",
    "file_search",
    "code_interpreter",
    "image_generation",
    "mcp",
    "tool_search",
];
