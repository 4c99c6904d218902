//! Answers of OpenAI's Chat Completions, Completions and embeddings, whole and in parts.

use ringfence_model::llm::TokenUsage;

use super::gathered::{Gathered, count, finished, once, reasoning};
use super::{Seen, failure};
use ringfence_json::{Kind, Value};

pub(super) fn read(root: Value<'_>, seen: &mut Seen, gathered: &mut Gathered) {
    if root.get("error").is_some() {
        seen.failure = failure::of(root);
    }
    once(&mut seen.id, root.get("id"));
    once(&mut seen.model, root.get("model"));
    let of_groq = root.get("x_groq").and_then(|it| it.get("usage"));
    if let Some(usage) = root.get("usage").or(of_groq) {
        seen.usage = Some(read_usage(usage));
    }
    // Embeddings have data and no choices.
    if root.get("data").is_some() {
        gathered.done = true;
    }
    let choices = root.get("choices").into_iter().flat_map(Value::elements);
    for choice in choices {
        read_choice(choice, seen, gathered);
    }
}

fn read_usage(usage: Value<'_>) -> TokenUsage {
    let input = usage.get("prompt_tokens_details");
    let output = usage.get("completion_tokens_details");
    // DeepSeek has the count of its cache elsewhere.
    let hits = count(usage, "prompt_cache_hit_tokens");
    TokenUsage {
        input: count(usage, "prompt_tokens"),
        output: count(usage, "completion_tokens"),
        cache_read: input.map_or(0, |it| count(it, "cached_tokens")).max(hits),
        cache_write: input.map_or(0, |it| count(it, "cache_write_tokens")),
        cache_write_long: 0,
        reasoning: output.map_or(0, |it| count(it, "reasoning_tokens")),
    }
}

fn read_choice(choice: Value<'_>, seen: &mut Seen, gathered: &mut Gathered) {
    let index = count(choice, "index");
    finished(choice.get("finish_reason"), seen);
    if let Some(text) = choice.get("text") {
        written(text, index, seen, gathered);
    }
    let Some(message) = choice.get("delta").or_else(|| choice.get("message")) else {
        return;
    };
    for name in ["content", "refusal"] {
        if let Some(content) = message.get(name) {
            written(content, index, seen, gathered);
        }
    }
    let shown = message.get("reasoning_content");
    reasoning(shown.or_else(|| message.get("reasoning")), seen);
    let calls = message
        .get("tool_calls")
        .into_iter()
        .flat_map(Value::elements);
    for (nth, call) in calls.enumerate() {
        let place = call.get("index").and_then(Value::count);
        read_call(call, (index, place.unwrap_or(nth as u64)), seen, gathered);
    }
    if let Some(function) = message.get("function_call") {
        read_function(function, (index, u64::MAX), "", (seen, gathered));
    }
}

/// The answer is what the first choice says.
fn written(content: Value<'_>, index: u64, seen: &mut Seen, gathered: &mut Gathered) {
    let parts = content.elements().filter_map(|part| part.get("text"));
    let text = Some(content).filter(|it| it.kind() == Kind::Text);
    for text in text.into_iter().chain(parts) {
        if index == 0 {
            gathered.answer(text, seen);
        } else {
            let octets = text.raw_text().len() as u64;
            seen.output_octets = seen.output_octets.saturating_add(octets);
        }
    }
}

fn read_call(call: Value<'_>, key: (u64, u64), seen: &mut Seen, gathered: &mut Gathered) {
    let id = call.get("id").and_then(Value::text).unwrap_or_default();
    if let Some(function) = call.get("function").or_else(|| call.get("custom")) {
        read_function(function, key, &id, (seen, gathered));
    }
}

fn read_function(
    function: Value<'_>,
    key: (u64, u64),
    id: &str,
    (seen, gathered): (&mut Seen, &mut Gathered),
) {
    let name = function
        .get("name")
        .and_then(Value::text)
        .unwrap_or_default();
    // Some servers count every call as the first: an id that comes anew is another call.
    if !gathered.has_call(key) || (!id.is_empty() && !name.is_empty()) {
        let id = if id.is_empty() { name.as_ref() } else { id };
        gathered.call(key, id, &name);
    } else {
        gathered.name(key, &name);
    }
    let arguments = function.get("arguments").or_else(|| function.get("input"));
    if let Some(arguments) = arguments {
        match arguments.text() {
            Some(text) => gathered.arguments(key, &text, seen),
            None => gathered.arguments(key, &String::from_utf8_lossy(arguments.raw()), seen),
        }
    }
}
