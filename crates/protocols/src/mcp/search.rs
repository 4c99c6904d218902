//! What must not pass in the texts of messages: credentials of this gateway never do, in either
//! direction, and what looks like a secret does as the rule says.

#[cfg(test)]
mod tests;

use ringfence_gateway::mcp::McpSecrets;
use ringfence_inspect::ScrubSet;
use ringfence_mcp::frame::{Frame, Id};
use ringfence_mcp::texts;

use super::limits::FINDINGS;
use crate::llm::redact::{has_marker, looked_at};

/// What was found in the texts of a message.
#[derive(Debug, Default)]
pub(super) struct Searched {
    /// Place and rule of each, never the text.
    pub(super) findings: Vec<String>,
    /// Texts that were changed.
    pub(super) redacted: u64,
    /// Where the first is that does not pass, and what it is.
    pub(super) blocked: Option<String>,
    /// How many were noted, each of them known or not.
    noted: usize,
}

impl Searched {
    /// Whether one more would say nothing new: where a text is costs a walk to it.
    const fn is_full(&self, blocks: bool) -> bool {
        self.noted >= FINDINGS && (!blocks || self.blocked.is_some())
    }

    fn note(&mut self, finding: String) {
        self.noted += 1;
        if self.findings.len() < FINDINGS && !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }
}

/// Searches a message of an agent. What is found in it is never put out of it: a tool that gets
/// another text than the agent wrote would do something else than was asked of it.
pub(super) fn asked(frame: &mut Frame, own: &ScrubSet, secrets: McpSecrets) -> Searched {
    let mut searched = Searched::default();
    if let Some(Id::Text(id)) = frame.id() {
        let looked = looked_at(id, own);
        if looked.is_own || (!looked.rules.is_empty() && secrets != McpSecrets::Observe) {
            searched.blocked = Some("id".to_owned());
        }
    }
    texts::each(frame, &mut |found| {
        let looked = looked_at(found.text, own);
        for rule in &looked.rules {
            let blocks = looked.is_own || secrets != McpSecrets::Observe;
            if searched.is_full(blocks) {
                break;
            }
            let told = format!("{}: {rule}", found.place());
            if blocks {
                searched.blocked.get_or_insert_with(|| told.clone());
            }
            searched.note(told);
        }
        if searched.blocked.is_none() && has_marker(found.text) {
            let told = format!("{}: a mark of what was taken out before", found.place());
            searched.blocked.get_or_insert_with(|| told.clone());
            searched.note(told);
        }
        None
    });
    searched
}

/// Searches a message of a server, and takes out what must not reach the agent.
pub(super) fn answered(frame: &mut Frame, own: &ScrubSet, secrets: McpSecrets) -> Searched {
    let mut searched = Searched::default();
    let changed = texts::each(frame, &mut |found| {
        let looked = looked_at(found.text, own);
        for rule in &looked.rules {
            let blocks = secrets == McpSecrets::Block && !looked.is_own;
            if searched.is_full(blocks) {
                break;
            }
            let told = format!("{}: {rule}", found.place());
            if blocks {
                searched.blocked.get_or_insert_with(|| told.clone());
            }
            searched.note(told);
        }
        match secrets {
            McpSecrets::Observe => looked.without_own,
            McpSecrets::Block | McpSecrets::Redact => looked.redacted,
        }
    });
    searched.redacted = changed;
    searched
}
