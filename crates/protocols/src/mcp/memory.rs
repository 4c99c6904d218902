//! What is remembered of a sandbox and a server from one message to the next: sessions, what the
//! server asked and was not answered yet, and what it says of itself and its tools.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use ringfence_gateway::{PinKind, PinState};
use ringfence_mcp::frame::Id;
use ringfence_mcp::method::Known as Method;
use ringfence_mcp::seal::Seal;
use ringfence_mcp::version::Version;
use ringfence_model::mcp::ServerName;
use ringfence_model::{EventId, SandboxId};

use super::limits::{QUESTIONS, SANDBOXES, SERVERS, SESSIONS};

type Key = (SandboxId, ServerName);

static REMEMBERED: Mutex<VecDeque<(Key, Arc<Memory>)>> = Mutex::new(VecDeque::new());

/// The key of all seals, made anew for each process: each part holds at least 62 bits of the
/// kernel's randomness (RFC 9562, section 5.7).
static SECRET: LazyLock<[u8; 32]> = LazyLock::new(|| {
    let mut secret = [0; 32];
    let parts = [(); 2].map(|()| EventId::new());
    for (octets, part) in secret.chunks_mut(16).zip(parts) {
        octets.copy_from_slice(part.uuid().as_bytes());
    }
    secret
});

/// What is remembered of one sandbox and one server.
pub(super) struct Memory {
    state: Mutex<State>,
    seal: Option<Seal>,
    /// Held while the definitions are looked at, so that they are looked at once.
    pub(super) looking: tokio::sync::Mutex<()>,
}

/// The same, to be changed.
#[derive(Default)]
pub(super) struct State {
    /// By the id that the agent has.
    sessions: BTreeMap<String, Session>,
    /// What the server asked of the agent, and was not answered yet.
    questions: BTreeSet<Id>,
    /// What was asked of the server on a stream that is over, and was not answered on it.
    unanswered: BTreeMap<Id, Option<&'static Method>>,
    /// What the agent wants to hear the progress of, the oldest first.
    progress: VecDeque<String>,
    /// What the server says of what it has, of each kind that was looked at.
    known: BTreeMap<PinKind, Known>,
}

/// One session of the agent with the server.
#[derive(Debug, Clone)]
pub(super) struct Session {
    /// Its id at the server.
    pub(super) upstream: String,
    pub(super) version: Version,
}

/// Definitions of one kind.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) at: Instant,
    /// By name: the definition, whether it says that it only reads, and how it stands to what was
    /// accepted.
    pub(super) definitions: Arc<BTreeMap<String, (String, bool, PinState)>>,
}

impl Memory {
    /// Of this sandbox and server. What was asked for longest ago is forgotten when there is too
    /// much.
    pub(super) fn of(sandbox: SandboxId, server: &ServerName) -> Arc<Self> {
        let mut all = REMEMBERED.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |(known, _): &(Key, _)| known.0 == sandbox && known.1 == *server;
        let at = all.iter().position(is_it);
        let memory = match at.and_then(|at| all.remove(at)) {
            Some((_, memory)) => memory,
            None => Arc::new(Self {
                state: Mutex::default(),
                seal: Seal::new(&SECRET, &format!("{sandbox} {server}")),
                looking: tokio::sync::Mutex::new(()),
            }),
        };
        if all.len() >= SANDBOXES * SERVERS {
            all.pop_front();
        }
        all.push_back(((sandbox, server.clone()), Arc::clone(&memory)));
        memory
    }

    pub(super) const fn seal(&self) -> Option<&Seal> {
        self.seal.as_ref()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    pub(super) fn session(&self, id: &str) -> Option<&Session> {
        self.sessions.get(id)
    }

    /// Remembers a session. False where there are too many.
    pub(super) fn begin(&mut self, id: String, session: Session) -> bool {
        if self.sessions.len() >= SESSIONS {
            return false;
        }
        self.sessions.insert(id, session);
        true
    }

    pub(super) fn end(&mut self, id: &str) {
        self.sessions.remove(id);
    }

    /// Remembers that the server asked this. False where it asked too much, or the same twice.
    pub(super) fn ask(&mut self, id: &Id) -> bool {
        self.questions.len() < QUESTIONS && self.questions.insert(id.clone())
    }

    /// Whether the server asked this, and was not answered yet.
    pub(super) fn answer(&mut self, id: &Id) -> bool {
        self.questions.remove(id)
    }

    /// Remembers what was asked on a stream that is over.
    pub(super) fn leave_unanswered(&mut self, id: Id, method: Option<&'static Method>) {
        if self.unanswered.len() < QUESTIONS {
            self.unanswered.insert(id, method);
        }
    }

    /// What was asked by this id on a stream that is over, and was not answered.
    pub(super) fn take_unanswered(&mut self, id: &Id) -> Option<Option<&'static Method>> {
        self.unanswered.remove(id)
    }

    /// Remembers that the agent wants to hear of a progress.
    pub(super) fn want_progress(&mut self, token: String) {
        if self.progress.len() >= QUESTIONS {
            self.progress.pop_front();
        }
        self.progress.push_back(token);
    }

    /// Whether the agent wants to hear of a progress.
    pub(super) fn has_progress(&self, token: &str) -> bool {
        self.progress.iter().any(|known| known == token)
    }

    pub(super) fn known(&self, kind: PinKind) -> Option<&Known> {
        self.known.get(&kind)
    }

    pub(super) fn learn(&mut self, kind: PinKind, known: Known) {
        self.known.insert(kind, known);
    }

    /// The server says that what it has is not what it was.
    pub(super) fn forget(&mut self, kind: PinKind) {
        self.known.remove(&kind);
    }
}
