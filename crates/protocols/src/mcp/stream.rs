//! A stream of events on its way to the agent: each event is a message that is read, and goes on or
//! does not.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame as Piece};
use http_body_util::BodyExt as _;
use ringfence_gateway::PolicyChanges;
use ringfence_gateway::http::{BodyError, ResponseBody};
use ringfence_mcp::frame::{Body as Message, Frame, Id, notification};
use ringfence_mcp::limits::ANSWERED_OCTETS;
use ringfence_sse::{Event, Parser};
use tokio::time::timeout;

use super::answered::Reading;
use super::limits::REST_WAIT;

/// The stream `source`, as `reading` lets it pass.
pub(super) fn through(source: ResponseBody, reading: Reading) -> ResponseBody {
    let changes = reading
        .is_listening()
        .then(|| next(reading.gateway().policy_changes()));
    ResponseBody::new(Through {
        source,
        parser: Parser::new(ANSWERED_OCTETS),
        reading,
        waiting: VecDeque::new(),
        is_over: false,
        changes,
    })
}

struct Through {
    source: ResponseBody,
    parser: Parser,
    reading: Reading,
    /// What goes on next.
    waiting: VecDeque<Bytes>,
    is_over: bool,
    /// When the policy changes, for who listens; none where nobody does, or it changes no more.
    changes: Option<Changing>,
}

type Changing = Pin<Box<dyn Future<Output = Option<PolicyChanges>> + Send>>;

fn next(mut changes: PolicyChanges) -> Changing {
    Box::pin(async move { changes.next().await.then_some(changes) })
}

/// The lists that may be others under another policy.
const LISTS: [&str; 3] = [
    "notifications/tools/list_changed",
    "notifications/prompts/list_changed",
    "notifications/resources/list_changed",
];

/// A comment, which tells a client that waits that somebody is there.
const ALIVE: &[u8] = b":\n\n";

impl Through {
    fn take(&mut self, piece: &[u8]) {
        let (reading, waiting) = (&mut self.reading, &mut self.waiting);
        let mut is_odd = false;
        let before = waiting.len();
        self.parser.feed(piece, &mut |event| {
            if !is_odd {
                is_odd = !passed(reading, &event, waiting);
            }
        });
        if self.reading.is_flooded() {
            self.end("its stream has too many messages");
        } else if is_odd || self.parser.skipped() > 0 {
            self.end("a message in its stream is not understood, or too long");
        } else if self.waiting.len() == before {
            self.waiting.push_back(Bytes::from_static(ALIVE));
        }
    }

    /// Ends the stream, with an answer to who waits for one.
    fn end(&mut self, why: &str) {
        self.is_over = true;
        self.source = ringfence_gateway::http::empty();
        if let Some(message) = self.reading.broken(why) {
            self.waiting.push_back(event(&message, None, None));
        }
    }
}

/// Passes an event on. False where it is no message.
fn passed(reading: &mut Reading, read: &Event<'_>, waiting: &mut VecDeque<Bytes>) -> bool {
    // Clients pass over events of other names, so that what is in them is no message to anyone.
    if !matches!(read.name, "" | "message") {
        return true;
    }
    // An event without data is a place to come back to.
    if read.data.is_empty() {
        let id = read.id.filter(|id| reading.may_pass(id));
        if id.is_some() || read.retry.is_some() {
            waiting.push_back(event(b"", id, read.retry));
        }
        return true;
    }
    let Ok(frame) = Frame::read(read.data, ANSWERED_OCTETS) else {
        return false;
    };
    if let Some(message) = reading.said(frame) {
        let id = read.id.filter(|id| reading.may_pass(id));
        waiting.push_back(event(&message, id, read.retry));
    }
    true
}

fn event(data: &[u8], id: Option<&str>, retry: Option<u64>) -> Bytes {
    let event = Event {
        name: if data.is_empty() { "" } else { "message" },
        data,
        id,
        retry,
    };
    event.write().into()
}

/// An agent that goes away may come back for what was not said yet.
impl Drop for Through {
    fn drop(&mut self) {
        if !self.is_over {
            self.reading.over();
        }
    }
}

impl Body for Through {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Piece<Bytes>, BodyError>>> {
        let this = &mut *self;
        loop {
            this.reading.poll_saying(cx);
            if let Some(octets) = this.waiting.pop_front() {
                return Poll::Ready(Some(Ok(Piece::data(octets))));
            }
            if this.is_over {
                return Poll::Ready(None);
            }
            if let Some(changing) = &mut this.changes
                && let Poll::Ready(changes) = changing.as_mut().poll(cx)
            {
                this.changes = changes.map(next);
                let lists = LISTS.map(|list| event(&notification(list), None, None));
                this.waiting.extend(lists);
                continue;
            }
            match ready!(Pin::new(&mut this.source).poll_frame(cx)) {
                Some(Ok(piece)) => {
                    if let Ok(octets) = piece.into_data() {
                        this.take(&octets);
                    }
                }
                Some(Err(error)) => this.end(&format!("its stream broke off: {error}")),
                None => {
                    this.is_over = true;
                    this.reading.over();
                }
            }
        }
    }
}

/// The answer to `id` in a stream; what comes before it is not kept.
pub(super) async fn first_answer(mut source: ResponseBody, id: Option<&Id>) -> Option<Vec<u8>> {
    let mut parser = Parser::new(ANSWERED_OCTETS);
    while let Some(piece) = source.frame().await {
        let Ok(octets) = piece.ok()?.into_data() else {
            continue;
        };
        let mut found = None;
        parser.feed(&octets, &mut |event| {
            if found.is_none() && answers(event.data, id) {
                found = Some(event.data.to_vec());
            }
        });
        if found.is_some() || parser.skipped() > 0 {
            // A stream that was read to its end is recorded as one that came to it.
            let rest = async { while source.frame().await.is_some_and(|it| it.is_ok()) {} };
            let _ = timeout(REST_WAIT, rest).await;
            return found;
        }
    }
    None
}

fn answers(data: &[u8], id: Option<&Id>) -> bool {
    let Ok(frame) = Frame::read(data, ANSWERED_OCTETS) else {
        return false;
    };
    matches!(frame.body(), Message::Result { .. } | Message::Error { .. }) && frame.id() == id
}
