//! An answer, followed as it passes. It is not changed, and never held up: what cannot be read in
//! it is passed on unread, and what it took is then an upper bound.

mod chat;
mod converse;
mod failure;
mod gathered;
mod gemini;
mod list;
mod message;
mod messages;
mod responses;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ringfence_model::llm::{
    LlmEndpoint, LlmFailure, ProviderKind, TextDigest, TokenUsage, ToolCall,
};

use crate::limits::ANSWER_OCTETS;
use crate::{Capture, event_stream};
use gathered::Gathered;
use ringfence_json::{Tape, Value};
use ringfence_sse as sse;

/// How a response ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// As the connection says.
    Whole,
    /// Before that.
    Cut,
}

/// What was seen of a response.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// The model that answered.
    pub model: Option<String>,
    /// The id of the response.
    pub id: Option<String>,
    /// Why the model stopped, in the provider's words, one for each choice.
    pub finish: Vec<String>,
    /// The tokens, as the provider counted them so far.
    pub usage: Option<TokenUsage>,
    /// The calls of tools that the client runs. When it is over.
    pub calls: Vec<ToolCall>,
    /// What the model wrote, without reasoning and calls of tools. When it is over.
    pub answer: Option<TextDigest>,
    /// Octets of reasoning that the provider shows.
    pub reasoning_octets: u64,
    /// Octets of all that the model wrote: a bound of the tokens that were seen. The greatest number
    /// where nothing of the answer could be read.
    pub output_octets: u64,
    /// What went wrong.
    pub failure: Option<LlmFailure>,
    /// Whether it came to its end, as the dialect says.
    pub complete: bool,
}

/// Follows a response without changing it.
#[derive(Debug)]
pub struct Reader {
    frame: Frame,
    inner: Inner,
}

/// What documents come in.
#[derive(Debug)]
enum Frame {
    Events(sse::Parser),
    Messages(event_stream::Parser),
    /// One list of documents.
    List(list::Parser),
    /// One document; none where it got too long.
    Document(Option<Vec<u8>>),
}

#[derive(Debug)]
struct Inner {
    dialect: Dialect,
    status: u16,
    tape: Tape,
    gathered: Gathered,
    seen: Seen,
    /// Anything of it was read.
    is_read: bool,
}

/// What a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Chat,
    Responses,
    Messages,
    Gemini,
    Converse,
    /// Nothing is written by a model, and nothing that is said counts.
    Silent,
}

impl Reader {
    /// For the answer to a request to `endpoint`, with this status and media type.
    #[must_use]
    pub fn new(
        kind: ProviderKind,
        endpoint: LlmEndpoint,
        stream: bool,
        (status, media_type): (u16, Option<&str>),
        capture: Capture,
    ) -> Self {
        Self {
            frame: frame(kind, endpoint, stream, (status, media_type)),
            inner: Inner {
                dialect: dialect(kind, endpoint),
                status,
                tape: Tape::default(),
                gathered: Gathered::new(capture),
                seen: Seen::default(),
                is_read: false,
            },
        }
    }

    /// The next octets of the body.
    pub fn take(&mut self, octets: &[u8]) {
        let inner = &mut self.inner;
        match &mut self.frame {
            Frame::Events(parser) => parser.feed(octets, &mut |it| inner.document(it.data, true)),
            Frame::Messages(parser) => parser.feed(octets, &mut |it| inner.message(it)),
            Frame::List(parser) => parser.feed(octets, &mut |it| inner.document(it, true)),
            Frame::Document(held) => hold(held, octets),
        }
    }

    /// The body is over.
    pub fn finish(&mut self, ended: Ended) {
        let inner = &mut self.inner;
        match &mut self.frame {
            Frame::Events(parser) => {
                if ended == Ended::Whole {
                    parser.finish(&mut |it| inner.document(it.data, true));
                }
                inner.skipped(parser.skipped());
            }
            Frame::Messages(parser) => inner.skipped(parser.skipped()),
            Frame::List(parser) => inner.skipped(parser.skipped()),
            Frame::Document(Some(held)) if ended == Ended::Whole => {
                let held = std::mem::take(held);
                inner.document(&held, false);
            }
            Frame::Document(_) => {}
        }
        inner.finish(ended);
    }

    /// Whether an event can be put behind what came so far. Behind a part of a line it would be read
    /// as more of it.
    #[must_use]
    pub const fn takes_an_event(&self) -> bool {
        match &self.frame {
            Frame::Events(parser) => parser.is_between_lines(),
            _ => false,
        }
    }

    /// What was seen so far; calls and the answer when it is over.
    #[must_use]
    pub const fn seen(&self) -> &Seen {
        &self.inner.seen
    }
}

fn hold(held: &mut Option<Vec<u8>>, octets: &[u8]) {
    let fits = |it: &Vec<u8>| it.len() + octets.len() <= ANSWER_OCTETS;
    if !held.as_ref().is_some_and(fits) {
        *held = None;
    }
    if let Some(held) = held {
        held.extend_from_slice(octets);
    }
}

fn frame(
    kind: ProviderKind,
    endpoint: LlmEndpoint,
    stream: bool,
    (status, media_type): (u16, Option<&str>),
) -> Frame {
    let essence = media_type.unwrap_or_default().split(';').next();
    let essence = essence.unwrap_or_default().trim().to_ascii_lowercase();
    let is_gemini = dialect(kind, endpoint) == Dialect::Gemini;
    match essence.as_str() {
        _ if !(200..300).contains(&status) => Frame::Document(Some(Vec::new())),
        "text/event-stream" => Frame::Events(sse::Parser::default()),
        "application/vnd.amazon.eventstream" => Frame::Messages(event_stream::Parser::default()),
        "application/json" if stream && is_gemini => Frame::List(list::Parser::default()),
        "application/json" => Frame::Document(Some(Vec::new())),
        _ if stream => Frame::Events(sse::Parser::default()),
        _ => Frame::Document(Some(Vec::new())),
    }
}

const fn dialect(kind: ProviderKind, endpoint: LlmEndpoint) -> Dialect {
    match (endpoint, kind) {
        (LlmEndpoint::Messages, _) => Dialect::Messages,
        (LlmEndpoint::Responses, _) => Dialect::Responses,
        (LlmEndpoint::Converse, _) => Dialect::Converse,
        (LlmEndpoint::GenerateContent, _)
        | (LlmEndpoint::Embeddings, ProviderKind::Gemini | ProviderKind::Vertex) => Dialect::Gemini,
        (LlmEndpoint::CountTokens | LlmEndpoint::Models, _) => Dialect::Silent,
        _ => Dialect::Chat,
    }
}

impl Inner {
    /// One document, part of a stream or the whole answer.
    fn document(&mut self, octets: &[u8], is_part: bool) {
        let mut tape = std::mem::take(&mut self.tape);
        if octets.trim_ascii() == b"[DONE]" {
            self.gathered.done = true;
        } else if tape.read_again(octets).is_ok() {
            self.is_read = true;
            self.value(tape.root(octets), is_part);
        } else {
            // Nothing is known of it, but that it can hold no more tokens than octets.
            self.skipped(octets.len() as u64);
        }
        self.tape = tape;
    }

    fn value(&mut self, root: Value<'_>, is_part: bool) {
        let (seen, gathered) = (&mut self.seen, &mut self.gathered);
        if !(200..300).contains(&self.status) {
            seen.failure = failure::of(root);
            return;
        }
        match (self.dialect, is_part) {
            (Dialect::Chat, _) => chat::read(root, seen, gathered),
            (Dialect::Responses, true) => responses::event(root, seen, gathered),
            (Dialect::Responses, false) => responses::whole(root, seen, gathered),
            (Dialect::Messages, true) => messages::event(root, seen, gathered),
            (Dialect::Messages, false) => messages::whole(root, seen, gathered),
            (Dialect::Gemini, _) => gemini::read(root, seen, gathered),
            (Dialect::Converse, _) => converse::whole(root, seen, gathered),
            (Dialect::Silent, _) => gathered.done = true,
        }
    }

    /// One message of a stream of Amazon's.
    fn message(&mut self, message: event_stream::Message<'_>) {
        let mut tape = std::mem::take(&mut self.tape);
        if tape.read_again(message.payload).is_ok() {
            self.is_read = true;
            let root = tape.root(message.payload);
            if matches!(message.kind, "exception" | "error") {
                self.seen.failure = Some(failure::named(message.name, root));
            } else if self.dialect == Dialect::Converse {
                converse::event(message.name, root, &mut self.seen, &mut self.gathered);
            } else if let Some(octets) = inner_octets(root) {
                self.document(&octets, true);
            }
        } else {
            self.skipped(message.payload.len() as u64);
        }
        self.tape = tape;
    }

    /// Octets that were not read: at most as many tokens.
    const fn skipped(&mut self, octets: u64) {
        self.seen.output_octets = self.seen.output_octets.saturating_add(octets);
    }

    fn finish(&mut self, ended: Ended) {
        let is_error = !(200..300).contains(&self.status);
        if !self.is_read {
            // It may be encoded, or was written as a whole before its first octet came.
            self.seen.output_octets = u64::MAX;
        }
        if is_error {
            self.seen.output_octets = 0;
            let named = || failure::unnamed(self.status);
            self.seen.failure.get_or_insert_with(named);
        }
        let has_end = self.gathered.done || (ended == Ended::Whole && !self.seen.finish.is_empty());
        self.seen.complete = has_end && self.seen.failure.is_none();
        self.gathered.finish(&mut self.seen);
    }
}

/// The event of the model's own dialect in a message of a stream.
fn inner_octets(root: Value<'_>) -> Option<Vec<u8>> {
    STANDARD.decode(root.get("bytes")?.raw_text()).ok()
}

#[cfg(test)]
mod tests;
