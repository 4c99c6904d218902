//! Answers of Anthropic's Messages, whole and as events.

use ringfence_model::llm::TokenUsage;

use super::gathered::{Gathered, count, finished, once, reasoning};
use super::{Seen, failure};
use ringfence_json::Value;

/// One event of a stream.
pub(super) fn event(root: Value<'_>, seen: &mut Seen, gathered: &mut Gathered) {
    let kind = root.get("type").and_then(Value::text).unwrap_or_default();
    match kind.as_ref() {
        "message_start" => {
            if let Some(message) = root.get("message") {
                head(message, seen);
            }
        }
        "content_block_start" => {
            if let Some(block) = root.get("content_block") {
                start(block, count(root, "index"), seen, gathered);
            }
        }
        "content_block_delta" => {
            if let Some(delta) = root.get("delta") {
                piece(delta, count(root, "index"), seen, gathered);
            }
        }
        "message_delta" => {
            finished(root.get("delta").and_then(|it| it.get("stop_reason")), seen);
            usage(root.get("usage"), seen);
        }
        "message_stop" => gathered.done = true,
        "error" => seen.failure = failure::of(root),
        // A server may answer whole where it was asked for a stream.
        "message" => whole(root, seen, gathered),
        _ => {}
    }
}

/// A whole answer.
pub(super) fn whole(root: Value<'_>, seen: &mut Seen, gathered: &mut Gathered) {
    if root.get("error").is_some() {
        seen.failure = failure::of(root);
        return;
    }
    head(root, seen);
    finished(root.get("stop_reason"), seen);
    let blocks = root.get("content").into_iter().flat_map(Value::elements);
    for (index, block) in blocks.enumerate() {
        start(block, index as u64, seen, gathered);
        reasoning(block.get("thinking"), seen);
        let key = (0, index as u64);
        if gathered.has_call(key)
            && let Some(input) = block.get("input")
        {
            gathered.arguments(key, &String::from_utf8_lossy(input.raw()), seen);
        }
    }
    gathered.done = !seen.finish.is_empty();
}

fn head(message: Value<'_>, seen: &mut Seen) {
    once(&mut seen.id, message.get("id"));
    once(&mut seen.model, message.get("model"));
    usage(message.get("usage"), seen);
}

fn start(block: Value<'_>, index: u64, seen: &mut Seen, gathered: &mut Gathered) {
    let text = |name: &str| block.get(name).and_then(Value::text).unwrap_or_default();
    match text("type").as_ref() {
        "text" => {
            if let Some(text) = block.get("text") {
                gathered.answer(text, seen);
            }
        }
        "tool_use" => gathered.call((0, index), &text("id"), &text("name")),
        "server_tool_use" | "mcp_tool_use" => {
            // What the provider calls by itself is written by the model too.
            let input = block.get("input").map_or(0, |it| it.raw().len() as u64);
            seen.output_octets = seen.output_octets.saturating_add(input);
        }
        _ => {}
    }
}

fn piece(delta: Value<'_>, index: u64, seen: &mut Seen, gathered: &mut Gathered) {
    if let Some(text) = delta.get("text") {
        gathered.answer(text, seen);
    } else if let Some(json) = delta.get("partial_json") {
        gathered.arguments((0, index), &json.text().unwrap_or_default(), seen);
    } else {
        reasoning(delta.get("thinking"), seen);
    }
}

/// What is counted grows from event to event; an event may tell a part of it.
fn usage(usage: Option<Value<'_>>, seen: &mut Seen) {
    let Some(usage) = usage else {
        return;
    };
    let before = seen.usage.unwrap_or_default();
    let cache_read = before
        .cache_read
        .max(count(usage, "cache_read_input_tokens"));
    let cache_write = before
        .cache_write
        .max(count(usage, "cache_creation_input_tokens"));
    let long = usage.get("cache_creation");
    let long = long.map_or(0, |it| count(it, "ephemeral_1h_input_tokens"));
    // What providers of Anthropic's call input is what comes from no cache and goes to none.
    let plain = before
        .input
        .saturating_sub(before.cache_read + before.cache_write);
    let plain = plain.max(count(usage, "input_tokens"));
    seen.usage = Some(TokenUsage {
        input: plain.saturating_add(cache_read).saturating_add(cache_write),
        output: before.output.max(count(usage, "output_tokens")),
        cache_read,
        cache_write,
        cache_write_long: before.cache_write_long.max(long),
        reasoning: before.reasoning,
    });
}
