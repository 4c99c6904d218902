//! What is remembered of a sandbox from one request to the next: its conversations, so that the
//! record tells what is new in each, and whether it goes in circles.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ringfence_llm::context::Conversations;
use ringfence_model::SandboxId;
use ringfence_trace::Loops;

use super::limits::SANDBOXES;

static REMEMBERED: Mutex<VecDeque<(SandboxId, Arc<Memory>)>> = Mutex::new(VecDeque::new());

/// What is remembered of one sandbox.
#[derive(Default)]
pub(super) struct Memory {
    state: Mutex<State>,
}

/// The same, to be changed.
#[derive(Default)]
pub(super) struct State {
    pub(super) conversations: Conversations,
    pub(super) loops: Loops,
    /// Why the next request is refused.
    pub(super) stopped: Option<String>,
}

impl Memory {
    /// Of this sandbox. The one that was asked for longest ago is forgotten when there are too many.
    pub(super) fn of(sandbox: SandboxId) -> Arc<Self> {
        let mut all = REMEMBERED.lock().unwrap_or_else(PoisonError::into_inner);
        let at = all.iter().position(|(known, _)| *known == sandbox);
        let memory = match at.and_then(|at| all.remove(at)) {
            Some((_, memory)) => memory,
            None => Arc::default(),
        };
        if all.len() >= SANDBOXES {
            all.pop_front();
        }
        all.push_back((sandbox, Arc::clone(&memory)));
        memory
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
