//! What is gathered of an answer until it is over.

use ringfence_model::llm::ToolCall;

use super::Seen;
use crate::Capture;
use crate::limits::{CALLS, CHOICES, ID_OCTETS};
use crate::text::{Digester, shortened};
use ringfence_json::Value;

/// What is gathered.
#[derive(Debug)]
pub(super) struct Gathered {
    capture: Capture,
    answer: Option<Digester>,
    calls: Vec<Call>,
    /// The dialect said that this was all.
    pub(super) done: bool,
    /// Items were read as they came.
    pub(super) has_items: bool,
}

#[derive(Debug)]
struct Call {
    /// What its parts have in common: the choice, and the place in it.
    key: (u64, u64),
    id: String,
    name: String,
    arguments: Digester,
}

impl Gathered {
    pub(super) const fn new(capture: Capture) -> Self {
        Self {
            capture,
            answer: None,
            calls: Vec::new(),
            done: false,
            has_items: false,
        }
    }

    /// A piece of what the model writes.
    pub(super) fn answer(&mut self, piece: Value<'_>, seen: &mut Seen) {
        let text = piece.text().unwrap_or_default();
        if text.is_empty() {
            return;
        }
        seen.output_octets = seen.output_octets.saturating_add(text.len() as u64);
        self.digest(&text);
    }

    /// The same, where it was counted as it came.
    pub(super) fn digest(&mut self, text: &str) {
        let capture = self.capture;
        let answer = self.answer.get_or_insert_with(|| Digester::new(capture));
        answer.add(text);
    }

    /// A call of a tool begins.
    pub(super) fn call(&mut self, key: (u64, u64), id: &str, name: &str) {
        if self.calls.len() < CALLS {
            self.calls.push(Call {
                key,
                id: shortened(id, ID_OCTETS).to_owned(),
                name: shortened(name, ID_OCTETS).to_owned(),
                arguments: Digester::new(self.capture),
            });
        }
    }

    /// Whether a call with this key has begun.
    pub(super) fn has_call(&self, key: (u64, u64)) -> bool {
        self.calls.iter().any(|call| call.key == key)
    }

    /// A piece of the arguments of the last call with this key.
    pub(super) fn arguments(&mut self, key: (u64, u64), piece: &str, seen: &mut Seen) {
        seen.output_octets = seen.output_octets.saturating_add(piece.len() as u64);
        self.digest_arguments(key, piece);
    }

    /// The same, where they were counted as they came.
    pub(super) fn digest_arguments(&mut self, key: (u64, u64), piece: &str) {
        let mut calls = self.calls.iter_mut().rev();
        if let Some(call) = calls.find(|call| call.key == key) {
            call.arguments.add(piece);
        }
    }

    /// The name of the last call with this key goes on.
    pub(super) fn name(&mut self, key: (u64, u64), piece: &str) {
        let mut calls = self.calls.iter_mut().rev();
        if let Some(call) = calls.find(|call| call.key == key) {
            let room = ID_OCTETS.saturating_sub(call.name.len());
            call.name.push_str(shortened(piece, room));
        }
    }

    /// All is there.
    pub(super) fn finish(&mut self, seen: &mut Seen) {
        if let Some(answer) = self.answer.take() {
            seen.answer = Some(answer.finish());
        }
        for mut call in self.calls.drain(..) {
            if call.arguments.octets() == 0 {
                call.arguments.add("{}");
            }
            seen.calls.push(ToolCall {
                id: call.id,
                name: call.name,
                arguments: call.arguments.finish(),
            });
        }
    }
}

/// Octets of reasoning.
pub(super) fn reasoning(piece: Option<Value<'_>>, seen: &mut Seen) {
    let octets = piece.map_or(0, |it| it.raw_text().len() as u64);
    seen.reasoning_octets = seen.reasoning_octets.saturating_add(octets);
    seen.output_octets = seen.output_octets.saturating_add(octets);
}

/// Why the model stopped.
pub(super) fn finished(reason: Option<Value<'_>>, seen: &mut Seen) {
    if let Some(reason) = reason.and_then(Value::text)
        && seen.finish.len() < CHOICES
    {
        seen.finish.push(shortened(&reason, ID_OCTETS).to_owned());
    }
}

/// A short text, kept the first time that it comes.
pub(super) fn once(kept: &mut Option<String>, value: Option<Value<'_>>) {
    if kept.is_none()
        && let Some(text) = value.and_then(Value::text)
        && !text.is_empty()
    {
        *kept = Some(shortened(&text, ID_OCTETS).to_owned());
    }
}

/// A number of tokens; none where it is not said.
pub(super) fn count(usage: Value<'_>, name: &str) -> u64 {
    usage.get(name).and_then(Value::count).unwrap_or(0)
}
