//! Content, where a rule captures it: messages in the form that the conventions' schemas ask for.
//! Only what is new in a request is there, as the request before it has the rest.

use ringfence_model::llm::{ContextItem, ContextKind, LlmFacts};
use serde_json::{Value, json};

use super::Attributes;
use crate::names;

/// Adds what was captured. Nothing where nothing was.
pub(super) fn captured(attributes: &mut Attributes, facts: &LlmFacts) {
    let system: Vec<Value> = facts
        .new
        .iter()
        .filter(|item| item.kind == ContextKind::System)
        .filter_map(|item| item.text.text.as_ref())
        .map(|text| json!({"type": "text", "content": text}))
        .collect();
    let input: Vec<Value> = facts.new.iter().filter_map(message).collect();
    let output = answer(facts);
    for (name, value) in [
        (names::SYSTEM_INSTRUCTIONS, system),
        (names::INPUT_MESSAGES, input),
        (names::OUTPUT_MESSAGES, output),
    ] {
        if !value.is_empty() {
            whole(attributes, name, value);
        }
    }
}

/// JSON is not cut in the middle: messages are left out from its start until it is short enough.
fn whole(attributes: &mut Attributes, name: &'static str, mut messages: Vec<Value>) {
    messages.reverse();
    while !messages.is_empty() {
        let text = Value::Array(messages.iter().rev().cloned().collect()).to_string();
        if text.len() <= crate::limits::ATTRIBUTE_OCTETS {
            attributes.text(name, text);
            return;
        }
        messages.pop();
    }
}

fn message(item: &ContextItem) -> Option<Value> {
    let text = item.text.text.as_ref()?;
    let (role, part) = match item.kind {
        ContextKind::System | ContextKind::Media => return None,
        ContextKind::User => ("user", json!({"type": "text", "content": text})),
        ContextKind::Assistant => ("assistant", json!({"type": "text", "content": text})),
        ContextKind::ToolCall => (
            "assistant",
            json!({"type": "tool_call", "id": item.call, "name": item.name, "arguments": text}),
        ),
        // The schema says `response`, whatever the examples of the conventions have.
        ContextKind::ToolResult => (
            "tool",
            json!({"type": "tool_call_response", "id": item.call, "response": text}),
        ),
    };
    Some(json!({"role": role, "parts": [part]}))
}

fn answer(facts: &LlmFacts) -> Vec<Value> {
    let text = facts.answer.as_ref().and_then(|it| it.text.as_ref());
    let text = text.map(|text| json!({"type": "text", "content": text}));
    let calls = facts.calls.iter().filter_map(|call| {
        let arguments = call.arguments.text.as_ref()?;
        Some(json!({"type": "tool_call", "id": call.id, "name": call.name, "arguments": arguments}))
    });
    let parts: Vec<Value> = text.into_iter().chain(calls).collect();
    if parts.is_empty() {
        return parts;
    }
    let finish = facts.finish.first().map_or("stop", |word| finish(word));
    vec![json!({"role": "assistant", "parts": parts, "finish_reason": finish})]
}

/// The word that the schema has for a provider's.
fn finish(word: &str) -> &'static str {
    match word.to_ascii_lowercase().as_str() {
        "tool_use" | "tool_calls" | "function_call" | "tool_call" => "tool_call",
        "max_tokens" | "length" | "incomplete" | "model_context_window_exceeded" => "length",
        "content_filter" | "refusal" | "safety" | "content_filtered" | "guardrail_intervened" => {
            "content_filter"
        }
        "error" | "failed" => "error",
        _ => "stop",
    }
}
