//! A socket that ends with who holds its other part. The library moves the octets of a connection
//! in a task of its own, which would else go on for as long as the server likes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_util::sync::{CancellationToken, DropGuard, WaitForCancellationFutureOwned};

/// The socket, and what was read of it already.
pub(super) struct Tethered {
    socket: TcpStream,
    ahead: Vec<u8>,
    gone: Pin<Box<WaitForCancellationFutureOwned>>,
}

/// Ends the socket when it is dropped.
pub(super) struct Tether {
    _guard: DropGuard,
}

impl Tethered {
    pub(super) fn new(socket: TcpStream, ahead: Vec<u8>) -> (Self, Tether) {
        let token = CancellationToken::new();
        let tethered = Self {
            socket,
            ahead,
            gone: Box::pin(token.clone().cancelled_owned()),
        };
        let tether = Tether {
            _guard: token.drop_guard(),
        };
        (tethered, tether)
    }

    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.gone.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::ConnectionAborted.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for Tethered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.check(cx)?;
        if this.ahead.is_empty() {
            return Pin::new(&mut this.socket).poll_read(cx, out);
        }
        let taken = this.ahead.len().min(out.remaining());
        let rest = this.ahead.split_off(taken);
        out.put_slice(&std::mem::replace(&mut this.ahead, rest));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tethered {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.socket).poll_write(cx, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn who_reads_is_woken_when_the_tether_is_gone() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        #[expect(clippy::disallowed_methods, reason = "a test dials its own listener")]
        let socket = TcpStream::connect(listener.local_addr().unwrap());
        let (mut tethered, tether) = Tethered::new(socket.await.unwrap(), b"ab".to_vec());
        let mut octets = [0; 1];
        tethered.read_exact(&mut octets).await.unwrap();
        assert_eq!(&octets, b"a");
        let reading = async move {
            tethered.read_exact(&mut octets).await.unwrap();
            tethered.read(&mut octets).await
        };
        let (read, ()) = tokio::join!(reading, async move {
            tokio::task::yield_now().await;
            drop(tether);
        });
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
    }
}
