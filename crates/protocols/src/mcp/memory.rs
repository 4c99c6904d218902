//! What is remembered of a sandbox and a server from one message to the next: sessions, what the
//! server asked and was not answered yet, and what it says of itself and its tools.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use ringfence_gateway::{PinKind, PinState, SeenDefinitions};
use ringfence_mcp::frame::Id;
use ringfence_mcp::method::Known as Method;
use ringfence_mcp::seal::Seal;
use ringfence_mcp::version::Version;
use ringfence_model::mcp::ServerName;
use ringfence_model::{EventId, SandboxId};

use super::limits::{QUESTIONS, SANDBOXES, SERVERS, SESSIONS, TASK_OCTETS, TASKS};

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
    /// How often a session was used, of all of them.
    uses: u64,
    /// What the server asked of the agent, and was not answered yet, the oldest first. Two sessions
    /// count each for itself, so an id is one of its session.
    questions: VecDeque<(Option<String>, Id)>,
    /// What was asked of the server on a stream that is over, and was not answered on it, the oldest
    /// first.
    unanswered: VecDeque<Unanswered>,
    /// What the agent wants to hear the progress of, the oldest first.
    progress: VecDeque<String>,
    /// Tasks that the server began for this sandbox, the oldest first.
    tasks: VecDeque<String>,
    /// What the server says of itself, where a person does not know it.
    unknown: Option<SeenDefinitions>,
    /// What the server says of what it has, of each kind that was looked at.
    known: BTreeMap<PinKind, Known>,
}

/// One session of the agent with the server.
#[derive(Debug, Clone)]
pub(super) struct Session {
    /// Its id at the server.
    pub(super) upstream: String,
    pub(super) version: Version,
    /// When it was used last, counted in uses.
    used: u64,
}

impl Session {
    pub(super) const fn new(upstream: String, version: Version) -> Self {
        Self {
            upstream,
            version,
            used: 0,
        }
    }
}

/// What was asked on a stream that is over.
#[derive(Debug)]
struct Unanswered {
    session: Option<String>,
    id: Id,
    method: Option<&'static Method>,
    /// By one id several things were asked: nobody can tell what an answer to it is to.
    is_in_doubt: bool,
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
    pub(super) fn session(&mut self, id: &str) -> Option<&Session> {
        self.uses += 1;
        let session = self.sessions.get_mut(id)?;
        session.used = self.uses;
        Some(session)
    }

    /// Remembers a session. Where there are too many, the one that was used longest ago ends; its
    /// agent begins another one, as after a server was started anew.
    pub(super) fn begin(&mut self, id: String, session: Session) {
        if self.sessions.len() >= SESSIONS {
            let oldest = self.sessions.iter().min_by_key(|(_, it)| it.used);
            if let Some(oldest) = oldest.map(|(id, _)| id.clone()) {
                self.end(&oldest);
            }
        }
        self.uses += 1;
        let used = self.uses;
        self.sessions.insert(id, Session { used, ..session });
    }

    /// Forgets a session, and what was open in it.
    pub(super) fn end(&mut self, id: &str) {
        self.sessions.remove(id);
        self.questions.retain(|it| it.0.as_deref() != Some(id));
        self.unanswered
            .retain(|it| it.session.as_deref() != Some(id));
    }

    /// Remembers that the server asked this in a session. False where it asked the same twice.
    pub(super) fn ask(&mut self, session: Option<&str>, id: &Id) -> bool {
        if self.asked(session, id).is_some() {
            return false;
        }
        if self.questions.len() >= QUESTIONS {
            self.questions.pop_front();
        }
        let session = session.map(str::to_owned);
        self.questions.push_back((session, id.clone()));
        true
    }

    /// Whether the server asked this in a session, and was not answered yet.
    pub(super) fn answer(&mut self, session: Option<&str>, id: &Id) -> bool {
        let at = self.asked(session, id);
        at.and_then(|at| self.questions.remove(at)).is_some()
    }

    fn asked(&self, session: Option<&str>, id: &Id) -> Option<usize> {
        let is_it = |it: &(Option<String>, Id)| it.0.as_deref() == session && it.1 == *id;
        self.questions.iter().position(is_it)
    }

    /// Remembers what was asked in a session on a stream that is over.
    pub(super) fn leave_unanswered(
        &mut self,
        session: Option<&str>,
        id: Id,
        method: Option<&'static Method>,
    ) {
        let is_it = |it: &&mut Unanswered| it.session.as_deref() == session && it.id == id;
        if let Some(known) = self.unanswered.iter_mut().find(is_it) {
            known.is_in_doubt |= known.method != method;
            return;
        }
        if self.unanswered.len() >= QUESTIONS {
            self.unanswered.pop_front();
        }
        self.unanswered.push_back(Unanswered {
            session: session.map(str::to_owned),
            id,
            method,
            is_in_doubt: false,
        });
    }

    /// What was asked by this id of a session on a stream that is over, and was not answered.
    pub(super) fn take_unanswered(
        &mut self,
        session: Option<&str>,
        id: &Id,
    ) -> Option<Option<&'static Method>> {
        let is_it = |it: &Unanswered| it.session.as_deref() == session && it.id == *id;
        let at = self.unanswered.iter().position(is_it)?;
        let found = self.unanswered.remove(at)?;
        (!found.is_in_doubt).then_some(found.method)
    }

    /// Remembers what the server says of itself, where a person does not know it.
    pub(super) fn greeted(&mut self, unknown: Option<SeenDefinitions>) {
        self.unknown = unknown;
    }

    /// What the server says of itself, where a person does not know it.
    pub(super) fn unknown(&self) -> Option<SeenDefinitions> {
        self.unknown.clone()
    }

    /// Remembers a task of this sandbox.
    pub(super) fn begin_task(&mut self, id: &str) {
        if self.has_task(id) || id.len() > TASK_OCTETS {
            return;
        }
        if self.tasks.len() >= TASKS {
            self.tasks.pop_front();
        }
        self.tasks.push_back(id.to_owned());
    }

    /// Whether a task is one of this sandbox.
    pub(super) fn has_task(&self, id: &str) -> bool {
        self.tasks.iter().any(|known| known == id)
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
