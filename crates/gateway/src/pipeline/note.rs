//! Where the facts of a git request are written while it goes on, for its record.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ringfence_inspect::ScrubSet;
use ringfence_model::Closing;
use ringfence_model::git::GitFacts;
use ringfence_model::llm::LlmFacts;
use ringfence_model::mcp::McpFacts;

use super::audit::Audit;
use super::names::Names;

/// The facts of a git request, for its record. Whoever reads what comes back has no permit any
/// more.
#[derive(Clone, Default)]
pub struct GitNote(Arc<Mutex<Noted>>);

#[derive(Default)]
struct Noted {
    facts: Option<Box<GitFacts>>,
    /// The values that no agent may hold, and no record.
    own: ScrubSet,
    llm: Option<Box<LlmFacts>>,
    mcp: Option<Box<McpFacts>>,
    holds: usize,
    /// The end that waits to be recorded.
    ended: Option<(Arc<dyn Audit>, Closing)>,
}

impl GitNote {
    /// Keeps these values out of the record, where they are in names.
    pub(super) fn withhold(&self, own: ScrubSet) {
        self.lock().own = own;
    }

    /// Changes what is noted.
    pub fn note(&self, change: impl FnOnce(&mut GitFacts)) {
        change(self.lock().facts.get_or_insert_default());
    }

    /// Changes what is noted of a request to a language model.
    pub fn note_llm(&self, change: impl FnOnce(&mut LlmFacts)) {
        change(self.lock().llm.get_or_insert_default());
    }

    /// Changes what is noted of a message to a server of the Model Context Protocol.
    pub fn note_mcp(&self, change: impl FnOnce(&mut McpFacts)) {
        change(self.lock().mcp.get_or_insert_default());
    }

    /// Keeps the event open until this is dropped, though the exchange may be over before: what
    /// came of it is still to be read.
    pub fn hold(&self) -> NoteHold {
        self.lock().holds += 1;
        NoteHold(self.clone())
    }

    /// Records the end with the facts, once nobody holds it.
    pub(super) fn close(&self, audit: &Arc<dyn Audit>, closing: Closing) {
        let mut noted = self.lock();
        noted.ended = Some((Arc::clone(audit), closing));
        noted.settle();
    }

    fn lock(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Noted {
    fn settle(&mut self) {
        if self.holds > 0 {
            return;
        }
        if let Some((audit, mut closing)) = self.ended.take() {
            let (mut git, llm, mcp) = (self.facts.take(), self.llm.take(), self.mcp.take());
            if let Some(facts) = &mut git {
                Names::closing(&self.own, facts, &mut closing);
            }
            // The action is over, so there is nothing left to refuse. A log that cannot be
            // written refuses the next `open`, and its reader counts an unclosed event as aborted.
            let _ = audit.close(&Closing {
                git,
                llm,
                mcp,
                ..closing
            });
        }
    }
}

/// Keeps an event open; see [`GitNote::hold`].
#[must_use]
pub struct NoteHold(GitNote);

impl NoteHold {
    /// Changes what is noted.
    pub fn note(&self, change: impl FnOnce(&mut GitFacts)) {
        self.0.note(change);
    }

    /// Changes what is noted of a request to a language model.
    pub fn note_llm(&self, change: impl FnOnce(&mut LlmFacts)) {
        self.0.note_llm(change);
    }

    /// Changes what is noted of a message to a server of the Model Context Protocol.
    pub fn note_mcp(&self, change: impl FnOnce(&mut McpFacts)) {
        self.0.note_mcp(change);
    }
}

impl Drop for NoteHold {
    fn drop(&mut self) {
        let mut noted = self.0.lock();
        noted.holds = noted.holds.saturating_sub(1);
        noted.settle();
    }
}
