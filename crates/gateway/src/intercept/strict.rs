//! The reader in front of the HTTP/1 library: it parses what the client sends with our own
//! strict parser and gives the library a request that was written anew. A head that is not
//! understood becomes a placeholder, whose answer says so and ends the connection.
//!
//! The library gets one request at a time: the next one is read when the answer is whole. After
//! a response 101 everything passes as it is.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use ringfence_model::Scheme;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::linger::Lingering;
use super::place::Place;
use super::queue::Queue;
use super::turn::{Next, Turn};
use crate::limits::COPY_OCTETS;
use crate::wire::http::{
    BodyKind, ChunkedReader, HttpError, LAST_CHUNK, RequestHead, RequestReader, write_canonical,
    write_chunk,
};

/// A client's connection as the library sees it.
pub(super) struct Strict<T> {
    client: Lingering<T>,
    /// What was read of the client and not dealt with.
    raw: Queue,
    /// What the library has not taken yet.
    ready: Queue,
    state: State,
    turn: Arc<Turn>,
    place: Place,
    head_limit: Duration,
    /// For the head that has begun.
    timer: Option<Pin<Box<Sleep>>>,
    /// Whether the request that is being served is the last one.
    last: bool,
    /// Whether the client will send no more.
    ended: bool,
    /// Whether the library writes, and who waits for the end of that.
    writing: (bool, Option<Waker>),
}

enum State {
    Head(RequestReader),
    Length(u64),
    Chunks(ChunkedReader),
    /// The request was delivered whole.
    Answering,
    Raw,
    Over,
}

/// Whether the library's buffer holds what there is to say.
enum Step {
    Again,
    Done,
}

impl<T: AsyncRead + Unpin> Strict<T> {
    pub(super) fn new(client: T, place: Place, turn: Arc<Turn>, head_limit: Duration) -> Self {
        Self {
            client: Lingering::new(client),
            raw: Queue::default(),
            ready: Queue::default(),
            state: State::Head(RequestReader::default().with_websocket()),
            turn,
            place,
            head_limit,
            timer: None,
            last: false,
            ended: false,
            writing: (false, None),
        }
    }

    /// Starts with the request with this head, which was read before.
    pub(super) fn resume(mut self, head: &RequestHead) -> Self {
        self.admit(head);
        self
    }

    fn advance(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<Step>> {
        match self.state {
            State::Head(_) => self.head(cx),
            State::Length(left) => self.body(left, cx, buf),
            State::Chunks(_) => self.chunks(cx),
            State::Answering => self.answering(cx),
            State::Raw => self.pass(cx, buf),
            State::Over => Poll::Ready(Ok(Step::Done)),
        }
    }

    fn head(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Step>> {
        loop {
            if !self.raw.is_empty() {
                let State::Head(reader) = &mut self.state else {
                    return Poll::Ready(Ok(Step::Again));
                };
                match reader.read(self.raw.peek()) {
                    Ok(Some((head, used))) => {
                        self.raw.consume(used);
                        self.admit(&head);
                        return Poll::Ready(Ok(Step::Again));
                    }
                    Ok(None) if self.is_late(cx) => return self.end_after_answer(cx),
                    Ok(None) => {}
                    Err(error) => {
                        self.refuse(error);
                        return Poll::Ready(Ok(Step::Again));
                    }
                }
            }
            if self.ended || ready!(self.poll_fill(cx))? == 0 {
                return self.end_after_answer(cx);
            }
        }
    }

    fn admit(&mut self, head: &RequestHead) {
        self.timer = None;
        if let Err(error) = self.place.check(head) {
            return self.refuse(error);
        }
        self.last |= !head.keep_alive;
        let mut octets = Vec::with_capacity(1024);
        write_canonical(head, &mut octets);
        self.ready.extend(&octets);
        self.turn.deliver(None, head.websocket);
        self.state = match head.body {
            BodyKind::Length(length) if length > 0 => State::Length(length),
            BodyKind::Chunked => State::Chunks(ChunkedReader::default()),
            BodyKind::None | BodyKind::Length(_) | BodyKind::UntilClose => State::Answering,
        };
    }

    fn refuse(&mut self, error: HttpError) {
        self.timer = None;
        self.last = true;
        self.ready.extend(PLACEHOLDER);
        self.turn.deliver(Some(error), false);
        self.state = State::Answering;
    }

    /// Passes a body of known length on, without copying what was not read ahead.
    fn body(
        &mut self,
        left: u64,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Step>> {
        let room = usize::try_from(left).unwrap_or(usize::MAX);
        let taken = if self.raw.is_empty() {
            let room = room.min(buf.remaining());
            let mut part = ReadBuf::new(buf.initialize_unfilled_to(room));
            ready!(Pin::new(&mut self.client).poll_read(cx, &mut part))?;
            let taken = part.filled().len();
            buf.advance(taken);
            taken
        } else {
            self.raw.give(buf, room)
        };
        if taken == 0 {
            return self.end();
        }
        self.state = match left - taken as u64 {
            0 => State::Answering,
            left => State::Length(left),
        };
        Poll::Ready(Ok(Step::Done))
    }

    /// Decodes a chunked body and writes it in chunks of its own.
    fn chunks(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Step>> {
        if self.raw.is_empty() && ready!(self.poll_fill(cx))? == 0 {
            return self.end();
        }
        let State::Chunks(reader) = &mut self.state else {
            return Poll::Ready(Ok(Step::Again));
        };
        let (mut data, mut done) = (Vec::new(), false);
        while !done && !self.raw.is_empty() {
            let step = match reader.feed(self.raw.peek()) {
                Ok(step) => step,
                Err(error) => {
                    self.state = State::Over;
                    self.turn.activity().refuse(error);
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, error)));
                }
            };
            data.extend_from_slice(step.data);
            done = step.done;
            let consumed = step.consumed;
            self.raw.consume(consumed);
        }
        let mut octets = Vec::with_capacity(data.len() + 32);
        write_chunk(&data, &mut octets);
        if done {
            octets.extend_from_slice(LAST_CHUNK);
            self.state = State::Answering;
        }
        self.ready.extend(&octets);
        Poll::Ready(Ok(Step::Again))
    }

    /// Waits for the answer, and notices a client that goes away. Without TLS the end of its
    /// stream does not mean that.
    fn answering(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Step>> {
        match self.turn.poll_next(cx) {
            Next::Head if self.last => return self.end_after_answer(cx),
            Next::Head => self.state = State::Head(RequestReader::default().with_websocket()),
            Next::Raw => {
                self.client.at_once();
                self.state = State::Raw;
            }
            Next::Wait if self.ended || self.raw.len() >= COPY_OCTETS => return Poll::Pending,
            Next::Wait => {
                let gone = ready!(self.poll_fill(cx))? == 0;
                if gone && self.place.scheme == Scheme::Https {
                    return self.end();
                }
            }
        }
        Poll::Ready(Ok(Step::Again))
    }

    fn pass(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<Step>> {
        if self.turn.poll_cut(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        if self.raw.give(buf, usize::MAX) == 0 {
            ready!(Pin::new(&mut self.client).poll_read(cx, buf))?;
        }
        Poll::Ready(Ok(Step::Done))
    }

    /// Ends once the last answer has left the library, which drops what it still has to write when
    /// it finds the end of a connection before.
    fn end_after_answer(&mut self, cx: &Context<'_>) -> Poll<io::Result<Step>> {
        let (writing, waiter) = &mut self.writing;
        if *writing {
            *waiter = Some(cx.waker().clone());
            return Poll::Pending;
        }
        self.end()
    }

    fn end(&mut self) -> Poll<io::Result<Step>> {
        self.timer = None;
        self.state = State::Over;
        Poll::Ready(Ok(Step::Done))
    }

    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        let limit = self.head_limit;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(limit)));
        timer.as_mut().poll(cx).is_ready()
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut space = [MaybeUninit::uninit(); COPY_OCTETS];
        let mut buf = ReadBuf::uninit(&mut space);
        ready!(Pin::new(&mut self.client).poll_read(cx, &mut buf))?;
        let octets = buf.filled();
        self.ended |= octets.is_empty();
        self.raw.extend(octets);
        Poll::Ready(Ok(octets.len()))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Strict<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            if this.ready.give(buf, usize::MAX) > 0 {
                return Poll::Ready(Ok(()));
            }
            match ready!(this.advance(cx, buf))? {
                Step::Again => {}
                Step::Done => return Poll::Ready(Ok(())),
            }
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Strict<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.writing.0 = true;
        Pin::new(&mut self.client).poll_write(cx, octets)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.writing.0 = true;
        Pin::new(&mut self.client).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.client.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.client).poll_flush(cx))?;
        self.writing.0 = false;
        if let Some(waiter) = self.writing.1.take() {
            waiter.wake();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.client).poll_shutdown(cx)
    }
}

/// Lets whoever serves the connection know that nothing holds it any more.
impl<T> Drop for Strict<T> {
    fn drop(&mut self) {
        self.turn.leave();
    }
}

/// Stands for a request that was not understood. The library never shows it to anyone.
const PLACEHOLDER: &[u8] = b"GET / HTTP/1.1\r\nHost: refused.invalid\r\nConnection: close\r\n\r\n";

#[cfg(test)]
mod tests;
