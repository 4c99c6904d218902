//! Answers of Amazon Bedrock's Converse, whole and as events.

use ringfence_model::llm::TokenUsage;

use super::gathered::{Gathered, count, finished, reasoning};
use super::{Seen, failure};
use ringfence_json::Value;

/// One event of a stream; its name stands outside of it.
pub(super) fn event(name: &str, root: Value<'_>, seen: &mut Seen, gathered: &mut Gathered) {
    let index = count(root, "contentBlockIndex");
    match name {
        "contentBlockStart" => {
            if let Some(call) = root.get("start").and_then(|it| it.get("toolUse")) {
                begin(call, index, gathered);
            }
        }
        "contentBlockDelta" => {
            if let Some(delta) = root.get("delta") {
                piece(delta, index, seen, gathered);
            }
        }
        "messageStop" => finished(root.get("stopReason"), seen),
        "metadata" => {
            usage(root.get("usage"), seen);
            gathered.done = !seen.finish.is_empty();
        }
        _ => {}
    }
}

/// A whole answer.
pub(super) fn whole(root: Value<'_>, seen: &mut Seen, gathered: &mut Gathered) {
    let message = root.get("output").and_then(|it| it.get("message"));
    if message.is_none() && root.get("message").is_some() {
        seen.failure = failure::of(root);
        return;
    }
    let blocks = message.and_then(|it| it.get("content"));
    for (index, block) in blocks.into_iter().flat_map(Value::elements).enumerate() {
        let index = index as u64;
        if let Some(text) = block.get("text") {
            gathered.answer(text, seen);
        }
        if let Some(call) = block.get("toolUse") {
            begin(call, index, gathered);
            let input = call.get("input").map(Value::raw).unwrap_or_default();
            gathered.arguments((0, index), &String::from_utf8_lossy(input), seen);
        }
        let thought = block
            .get("reasoningContent")
            .and_then(|it| it.get("reasoningText"));
        reasoning(thought.and_then(|it| it.get("text")), seen);
    }
    finished(root.get("stopReason"), seen);
    usage(root.get("usage"), seen);
    gathered.done = !seen.finish.is_empty();
}

fn begin(call: Value<'_>, index: u64, gathered: &mut Gathered) {
    let text = |name: &str| call.get(name).and_then(Value::text).unwrap_or_default();
    gathered.call((0, index), &text("toolUseId"), &text("name"));
}

fn piece(delta: Value<'_>, index: u64, seen: &mut Seen, gathered: &mut Gathered) {
    if let Some(text) = delta.get("text") {
        gathered.answer(text, seen);
    }
    if let Some(input) = delta.get("toolUse").and_then(|it| it.get("input")) {
        gathered.arguments((0, index), &input.text().unwrap_or_default(), seen);
    }
    reasoning(
        delta.get("reasoningContent").and_then(|it| it.get("text")),
        seen,
    );
}

fn usage(usage: Option<Value<'_>>, seen: &mut Seen) {
    let Some(usage) = usage else {
        return;
    };
    let cache_read = count(usage, "cacheReadInputTokens");
    let cache_write = count(usage, "cacheWriteInputTokens");
    let plain = count(usage, "inputTokens");
    seen.usage = Some(TokenUsage {
        // What is counted as input comes from no cache and goes to none.
        input: plain.saturating_add(cache_read).saturating_add(cache_write),
        output: count(usage, "outputTokens"),
        cache_read,
        cache_write,
        cache_write_long: long(usage),
        reasoning: 0,
    });
}

/// What is kept in the cache for an hour.
fn long(usage: Value<'_>) -> u64 {
    let details = usage.get("cacheDetails").into_iter();
    let details = details.flat_map(Value::elements);
    let long = details.filter(|it| it.get("ttl").is_some_and(|ttl| ttl.is_text("1h")));
    long.fold(0, |sum, it| sum.saturating_add(count(it, "inputTokens")))
}
