//! A client's socket for libraries that read it themselves, starting with what was read ahead. What
//! it moves is counted for the event of the connection.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::queue::Queue;
use crate::pipeline::{Meter, Subject};
use crate::stream::Buffered;

/// A connection whose first octets are read once more.
pub(super) struct Replay {
    ahead: Queue,
    socket: TcpStream,
    counter: Counter,
}

/// Counts what a client sent and received.
enum Counter {
    /// Until it is known for whom.
    Own(Meter),
    Of(Arc<Subject>),
}

impl Counter {
    fn meter(&self) -> &Meter {
        match self {
            Self::Own(meter) => meter,
            Self::Of(subject) => subject.meter(),
        }
    }
}

impl Replay {
    pub(super) fn new(client: Buffered) -> Self {
        let (socket, ahead) = client.into_parts();
        Self {
            ahead: Queue::new(ahead),
            socket,
            counter: Counter::Own(Meter::default()),
        }
    }

    /// Counts for this connection, also what has moved already.
    pub(super) fn count_for(&mut self, connection: &Arc<Subject>) {
        let before = self.counter.meter();
        connection.meter().add_sent(before.sent());
        connection.meter().add_received(before.received());
        self.counter = Counter::Of(Arc::clone(connection));
    }

    fn written(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(octets)) = &written {
            self.counter.meter().add_received(*octets as u64);
        }
        written
    }
}

impl AsyncRead for Replay {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        if self.ahead.give(buf, usize::MAX) == 0 {
            ready!(Pin::new(&mut self.socket).poll_read(cx, buf))?;
        }
        let octets = buf.filled().len() - before;
        self.counter.meter().add_sent(octets as u64);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Replay {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(cx, octets);
        self.written(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(cx, parts);
        self.written(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
