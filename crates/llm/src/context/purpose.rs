//! What a request is for, by its shape and by the instructions that known programs give. A hint:
//! whoever writes the same words is taken for the same.

use memchr::memmem;
use ringfence_model::llm::{ContextKind, LlmEndpoint, Purpose};

use crate::request::{Item, Request};

/// What a request is for, as far as its shape tells.
#[must_use]
pub fn purpose(request: &Request) -> Option<Purpose> {
    if !request.endpoint().is_inference() || request.max_output_tokens == Some(1) {
        return Some(Purpose::Probe);
    }
    if request.endpoint() == LlmEndpoint::Embeddings {
        return None;
    }
    if let Some(told) = by_instructions(request) {
        return Some(told);
    }
    let works = |it: &Item| matches!(it.kind, ContextKind::ToolCall | ContextKind::ToolResult);
    let is_step = !request.tools.is_empty() || request.items.iter().any(works);
    is_step.then_some(Purpose::Step)
}

/// The instructions, and the last that is said, tell.
fn by_instructions(request: &Request) -> Option<Purpose> {
    let is_system = |it: &&Item| it.kind == ContextKind::System;
    let system = request.items.iter().filter(is_system).take(SYSTEM_ITEMS);
    let said = request
        .items
        .iter()
        .rev()
        .find(|it| it.kind == ContextKind::User);
    let has_tools = !request.tools.is_empty();
    let mut found = system
        .chain(said)
        .flat_map(|item| request.written(item))
        .filter_map(|text| {
            let text = text.get(..LOOKED_AT).unwrap_or(text);
            let mut known = KNOWN.iter();
            known.find(|(words, _)| memmem::find(text, words.as_bytes()).is_some())
        });
    // A conversation that is made shorter may offer the tools of its steps.
    let found = found.find(|(_, purpose)| !has_tools || *purpose == Purpose::Summary);
    found.map(|(_, purpose)| *purpose)
}

/// Octets of a text in which words are looked for.
const LOOKED_AT: usize = 2048;

/// Instructions in which words are looked for.
const SYSTEM_ITEMS: usize = 4;

/// Words of Claude Code, opencode, Codex and Gemini CLI.
const KNOWN: [(&str, Purpose); 17] = [
    ("You are a title generator", Purpose::Title),
    ("Generate a title for this conversation", Purpose::Title),
    ("sentence-case title", Purpose::Title),
    ("extract a 2-3 word title", Purpose::Title),
    (
        "Summarize this coding conversation in under 50 characters",
        Purpose::Title,
    ),
    ("intent or goal in this conversation", Purpose::Title),
    ("tasked with summarizing conversations", Purpose::Summary),
    (
        "create a detailed summary of the conversation",
        Purpose::Summary,
    ),
    (
        "detailed prompt for continuing our conversation",
        Purpose::Summary,
    ),
    ("CONTEXT CHECKPOINT COMPACTION", Purpose::Summary),
    ("summarizes internal chat history", Purpose::Summary),
    ("anchored context summarization assistant", Purpose::Summary),
    ("Task Routing AI", Purpose::Routing),
    ("your immediately preceding response", Purpose::Routing),
    (
        "process Bash commands that an AI coding agent wants to run",
        Purpose::Routing,
    ),
    (
        "Extract any file paths that this command reads",
        Purpose::Routing,
    ),
    ("is_new_topic", Purpose::Routing),
];
