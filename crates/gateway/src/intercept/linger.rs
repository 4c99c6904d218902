//! A connection that is closed in the manner of RFC 9112, section 9.6: after the end of the
//! stream was sent, the client is read on within bounds. Octets that are left unread would reset
//! the connection, and the last answer would be lost with it.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::limits::{COPY_OCTETS, LINGER, LINGER_IDLE, LINGER_OCTETS};

/// A connection whose shutdown reads on.
pub(super) struct Lingering<T> {
    client: T,
    /// Whether there is nothing to be read any more.
    ended: bool,
    closing: Option<Closing>,
}

struct Closing {
    left: usize,
    end: Instant,
    idle: Pin<Box<Sleep>>,
}

impl<T> Lingering<T> {
    pub(super) const fn new(client: T) -> Self {
        Self {
            client,
            ended: false,
            closing: None,
        }
    }

    /// Closes like any other connection from now on.
    pub(super) const fn at_once(&mut self) {
        self.ended = true;
    }
}

impl<T: AsyncRead + Unpin> Lingering<T> {
    /// Reads away what the client still sends, to its end or to the bounds.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let closing = self.closing.get_or_insert_with(Closing::new);
        while !self.ended {
            let mut space = [MaybeUninit::uninit(); COPY_OCTETS];
            let mut buf = ReadBuf::uninit(&mut space);
            match Pin::new(&mut self.client).poll_read(cx, &mut buf) {
                Poll::Ready(Ok(())) if closing.goes_on(buf.filled().len()) => {}
                Poll::Ready(_) => self.ended = true,
                Poll::Pending => {
                    ready!(closing.idle.as_mut().poll(cx));
                    self.ended = true;
                }
            }
        }
        Poll::Ready(())
    }
}

impl Closing {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            left: LINGER_OCTETS,
            end: now + LINGER,
            idle: Box::pin(sleep_until(now + LINGER_IDLE)),
        }
    }

    fn goes_on(&mut self, octets: usize) -> bool {
        let now = Instant::now();
        if octets == 0 || octets >= self.left || now >= self.end {
            return false;
        }
        self.left -= octets;
        let wake = self.end.min(now + LINGER_IDLE);
        self.idle.as_mut().reset(wake);
        true
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Lingering<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let room = buf.remaining();
        let read = ready!(Pin::new(&mut self.client).poll_read(cx, buf));
        if read.is_err() || (room > 0 && buf.filled().len() == before) {
            self.ended = true;
        }
        Poll::Ready(read)
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.client).poll_write(cx, octets)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.client).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.client.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.client).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.closing.is_none() {
            ready!(Pin::new(&mut self.client).poll_shutdown(cx))?;
        }
        self.poll_drain(cx).map(Ok)
    }
}
