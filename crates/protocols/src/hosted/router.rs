//! Which message of a process is for whom. Requests go to the process under numbers of our own, so
//! that two clients with the same ids never meet; what comes back under a number that is not open
//! goes nowhere.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ringfence_json::Value;
use ringfence_mcp::frame::{Body, Frame, Id, code, error};
use serde_json::json;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::limits::{OPEN_QUESTIONS, OPEN_REQUESTS, QUEUED_MESSAGES, QUEUED_OCTETS};

/// What is said on one stream.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) octets: Vec<u8>,
    /// Whether nothing comes after it.
    pub(super) is_last: bool,
    _waits: Waits,
}

/// Octets that wait; they do not any more when it is dropped.
#[derive(Debug)]
struct Waits {
    octets: usize,
    of_process: Arc<AtomicUsize>,
    of_stream: Arc<AtomicUsize>,
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.of_process.fetch_sub(self.octets, Ordering::Relaxed);
        self.of_stream.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One stream to a client.
#[derive(Debug)]
struct Stream {
    to: UnboundedSender<Said>,
    /// Messages that were put on it and may be waiting.
    waiting: Arc<AtomicUsize>,
}

/// A request that was not answered.
#[derive(Debug)]
struct Open {
    id: Id,
    /// The token that the client has for its progress, as JSON.
    token: Option<String>,
    /// Whether it waits for ever, as who listens does.
    listens: bool,
    stream: Stream,
}

/// Where everything of one process goes.
#[derive(Debug)]
pub(super) struct Router {
    /// Whether clients that do not know each other share the process.
    is_shared: bool,
    last: i64,
    open: BTreeMap<i64, Open>,
    /// What the process asked its client.
    questions: HashSet<Id>,
    listener: Option<Stream>,
    queued: Arc<AtomicUsize>,
    dropped: u64,
}

/// A request as it goes to the process, and the stream that its answer comes on.
pub(super) struct Asked {
    pub(super) number: i64,
    pub(super) line: Vec<u8>,
    pub(super) stream: UnboundedReceiver<Said>,
}

impl Router {
    pub(super) fn new(is_shared: bool) -> Self {
        Self {
            is_shared,
            last: 0,
            open: BTreeMap::new(),
            questions: HashSet::new(),
            listener: None,
            queued: Arc::default(),
            dropped: 0,
        }
    }

    /// Takes a request of a client. None where the process owes too many answers.
    pub(super) fn ask(&mut self, mut frame: Frame) -> Option<Asked> {
        let Body::Request { id, method } = frame.body().clone() else {
            return None;
        };
        if self.open.len() >= OPEN_REQUESTS {
            return None;
        }
        self.last += 1;
        let number = self.last;
        let at = frame.root().get("id")?.at();
        let token = frame.params().and_then(progress_of_request);
        let token = token.map(|it| (it.at(), raw(it)));
        let changes = frame.changes();
        changes.replace(at, number.to_string());
        if let Some((at, _)) = &token {
            changes.replace(*at, number.to_string());
        }
        let line = frame.write().ok()?;
        let (stream, from) = stream();
        let open = Open {
            id,
            token: token.map(|(_, text)| text),
            listens: method == LISTEN,
            stream,
        };
        self.open.insert(number, open);
        Some(Asked {
            number,
            line,
            stream: from,
        })
    }

    /// Takes a notification of a client. None where it is about nothing that is open.
    pub(super) fn tell(&self, mut frame: Frame) -> Option<Vec<u8>> {
        if frame.method() == Some(CANCELLED) {
            let named = frame.params()?.get("requestId")?;
            let (at, named) = (named.at(), raw(named));
            let is_it = |open: &Open| written(&open.id) == named;
            let mut found = self.open.iter().filter(|(_, open)| is_it(open));
            let number = *found.next()?.0;
            // Of two clients with one id, nobody knows which is meant.
            if found.next().is_some() || self.is_shared {
                return None;
            }
            frame.changes().replace(at, number.to_string());
        }
        frame.write().ok()
    }

    /// Takes a client's answer to what the process asked. None where it asked no such thing.
    pub(super) fn answer(&mut self, frame: &Frame) -> Option<Vec<u8>> {
        let is_asked = frame.id().is_some_and(|id| self.questions.remove(id));
        is_asked.then(|| frame.write().ok()).flatten()
    }

    /// The stream for what is said to nobody in particular, in place of the one before.
    pub(super) fn listen(&mut self) -> UnboundedReceiver<Said> {
        let (stream, from) = stream();
        self.listener = Some(stream);
        from
    }

    /// The client of a request has gone. Gives what the process is told.
    pub(super) fn leave(&mut self, number: i64) -> Option<Vec<u8>> {
        if !self.is_shared {
            // In a session, who has gone may come back: only `notifications/cancelled` cancels.
            return None;
        }
        self.open.remove(&number)?;
        let cancelled =
            json!({"jsonrpc": "2.0", "method": CANCELLED, "params": {"requestId": number}});
        Some(cancelled.to_string().into_bytes())
    }

    /// Takes a line of the process. Gives what the process is told in turn.
    pub(super) fn said(&mut self, line: &[u8]) -> Option<Vec<u8>> {
        let Ok(frame) = Frame::read(line, super::limits::LINE_OCTETS) else {
            self.dropped += 1;
            return None;
        };
        match frame.body().clone() {
            Body::Result { id } | Body::Error { id: Some(id), .. } => self.answered(&id, frame),
            Body::Error { id: None, .. } => self.dropped += 1,
            Body::Notification { .. } => self.noticed(frame),
            Body::Request { id, method } => return self.asked(id, &method, &frame),
        }
        None
    }

    fn answered(&mut self, id: &Id, mut frame: Frame) {
        let open = match id {
            Id::Number(number) => self.open.remove(number),
            Id::Text(_) => None,
        };
        let (Some(open), Some(at)) = (open, frame.root().get("id").map(Value::at)) else {
            self.dropped += 1;
            return;
        };
        frame.changes().replace(at, written(&open.id));
        let octets = match frame.write() {
            Ok(octets) if self.has_room(octets.len()) => octets,
            _ => error(
                Some(&open.id),
                code::INTERNAL,
                "too much waits to be read of this server. Next step: read the answers that are there",
                None,
            ),
        };
        put(&self.queued, &open.stream, octets, true);
    }

    fn noticed(&mut self, mut frame: Frame) {
        let related = self.related(&frame);
        let stream = match related {
            Some((number, at, text)) => {
                if let Some(text) = text {
                    frame.changes().replace(at, text);
                }
                self.open.get(&number).map(|open| &open.stream)
            }
            // Nobody knows for which of several clients it is.
            None if self.is_shared || frame.method() == Some(PROGRESS) => None,
            None => self.listener().or_else(|| self.newest()),
        };
        let passed = match (stream, frame.write()) {
            (Some(stream), Ok(octets)) if self.has_room(octets.len()) => {
                offer(&self.queued, stream, octets)
            }
            _ => false,
        };
        if !passed {
            self.dropped += 1;
        }
    }

    /// The request that a notification is about: its number, and what the client calls it.
    fn related(&self, frame: &Frame) -> Option<(i64, u32, Option<String>)> {
        let params = frame.params()?;
        if frame.method() == Some(PROGRESS) {
            let token = params.get("progressToken")?;
            let number = i64::try_from(token.count()?).ok()?;
            let open = self.open.get(&number)?;
            return open
                .token
                .clone()
                .map(|text| (number, token.at(), Some(text)));
        }
        let subscription = params.get("_meta")?.get(SUBSCRIPTION)?;
        let number = match subscription.count() {
            Some(number) => number,
            None => subscription.text()?.parse().ok()?,
        };
        let number = i64::try_from(number).ok()?;
        let open = self.open.get(&number).filter(|open| open.listens)?;
        Some((number, subscription.at(), Some(written(&open.id))))
    }

    fn asked(&mut self, id: Id, method: &str, frame: &Frame) -> Option<Vec<u8>> {
        if method == "ping" {
            let pong = json!({"jsonrpc": "2.0", "id": id.to_json(), "result": {}});
            return Some(pong.to_string().into_bytes());
        }
        let refused = |why: &str| Some(error(Some(&id), code::METHOD_NOT_FOUND, why, None));
        if self.is_shared {
            return refused("requests of a server are not known in this era");
        }
        if self.questions.len() >= OPEN_QUESTIONS || self.questions.contains(&id) {
            return refused("too many requests wait for an answer, or one of this id does");
        }
        let stream = self.newest().or_else(|| self.listener());
        let passed = match (stream, frame.write()) {
            (Some(stream), Ok(octets)) if self.has_room(octets.len()) => {
                offer(&self.queued, stream, octets)
            }
            _ => false,
        };
        if !passed {
            return refused("nobody listens");
        }
        self.questions.insert(id);
        None
    }

    fn listener(&self) -> Option<&Stream> {
        self.listener.as_ref().filter(|it| !it.to.is_closed())
    }

    /// The stream of the request that came last.
    fn newest(&self) -> Option<&Stream> {
        let mut streams = self.open.values().rev().map(|open| &open.stream);
        streams.find(|stream| !stream.to.is_closed())
    }

    fn has_room(&self, octets: usize) -> bool {
        self.queued.load(Ordering::Relaxed) + octets <= QUEUED_OCTETS
    }

    /// Whether an answer is owed, other than to who listens.
    pub(super) fn owes(&self) -> bool {
        self.open.values().any(|open| !open.listens)
    }

    /// Whether anybody waits for anything.
    pub(super) fn is_used(&self) -> bool {
        !self.open.is_empty() || self.listener().is_some()
    }

    /// Messages that went nowhere.
    #[cfg(test)]
    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The process is over: answers all that is open.
    pub(super) fn end(&mut self, why: &str) {
        for open in std::mem::take(&mut self.open).into_values() {
            let octets = error(Some(&open.id), code::INTERNAL, why, None);
            put(&self.queued, &open.stream, octets, true);
        }
        self.listener = None;
        self.questions.clear();
    }
}

/// The answer of our own where a request cannot be asked.
pub(super) fn unasked(frame: &Frame, why: &str) -> Vec<u8> {
    error(frame.id(), code::INTERNAL, why, None)
}

fn stream() -> (Stream, UnboundedReceiver<Said>) {
    let (to, from) = unbounded_channel();
    let waiting = Arc::default();
    (Stream { to, waiting }, from)
}

/// Puts a message that is no answer on a stream that has room.
fn offer(queued: &Arc<AtomicUsize>, stream: &Stream, octets: Vec<u8>) -> bool {
    if stream.waiting.load(Ordering::Relaxed) >= QUEUED_MESSAGES {
        return false;
    }
    put(queued, stream, octets, false)
}

fn put(queued: &Arc<AtomicUsize>, stream: &Stream, octets: Vec<u8>, is_last: bool) -> bool {
    queued.fetch_add(octets.len(), Ordering::Relaxed);
    stream.waiting.fetch_add(1, Ordering::Relaxed);
    let waits = Waits {
        octets: octets.len(),
        of_process: Arc::clone(queued),
        of_stream: Arc::clone(&stream.waiting),
    };
    let said = Said {
        octets,
        is_last,
        _waits: waits,
    };
    stream.to.send(said).is_ok()
}

fn progress_of_request(params: Value<'_>) -> Option<Value<'_>> {
    params.get("_meta")?.get("progressToken")
}

/// An id as JSON.
fn written(id: &Id) -> String {
    id.to_json().to_string()
}

/// A value as it is written.
fn raw(value: Value<'_>) -> String {
    String::from_utf8_lossy(value.raw()).into_owned()
}

const CANCELLED: &str = "notifications/cancelled";
const PROGRESS: &str = "notifications/progress";
const LISTEN: &str = "subscriptions/listen";
const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";
