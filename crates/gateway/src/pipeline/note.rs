//! Where the facts of a git request are written while it goes on, for its record.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ringfence_model::Closing;
use ringfence_model::git::GitFacts;

use super::audit::Audit;

/// The facts of a git request, for its record. Whoever reads what comes back has no permit any
/// more.
#[derive(Clone, Default)]
pub struct GitNote(Arc<Mutex<Noted>>);

#[derive(Default)]
struct Noted {
    facts: Option<Box<GitFacts>>,
    holds: usize,
    /// The end that waits to be recorded.
    ended: Option<(Arc<dyn Audit>, Closing)>,
}

impl GitNote {
    /// Changes what is noted.
    pub fn note(&self, change: impl FnOnce(&mut GitFacts)) {
        change(self.lock().facts.get_or_insert_default());
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
        if let Some((audit, closing)) = self.ended.take() {
            let git = self.facts.take();
            // The action is over, so there is nothing left to refuse. A log that cannot be
            // written refuses the next `open`, and its reader counts an unclosed event as aborted.
            let _ = audit.close(&Closing { git, ..closing });
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
}

impl Drop for NoteHold {
    fn drop(&mut self) {
        let mut noted = self.0.lock();
        noted.holds = noted.holds.saturating_sub(1);
        noted.settle();
    }
}
