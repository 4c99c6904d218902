//! A socket and the bytes that were read from it ahead of their use. While it waits it holds
//! no buffer: reads go through the stack and only what came is kept.

use std::io;

use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::limits::{COPY_OCTETS, LINGER, LINGER_IDLE, LINGER_OCTETS};

/// A TCP connection with what was read of it and not used yet.
#[derive(Debug)]
pub struct Buffered {
    socket: TcpStream,
    ahead: Vec<u8>,
}

impl Buffered {
    /// Wraps a connection of which nothing was read.
    #[must_use]
    pub const fn new(socket: TcpStream) -> Self {
        Self {
            socket,
            ahead: Vec::new(),
        }
    }

    /// The connection itself, for writing.
    #[must_use]
    pub const fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// What was read and not used yet.
    #[must_use]
    pub fn ahead(&self) -> &[u8] {
        &self.ahead
    }

    /// Reads once and keeps what came; 0 is the end. At most one stack buffer per call, so
    /// the caller's bound on [`Buffered::ahead`] holds within [`COPY_OCTETS`].
    ///
    /// # Errors
    /// Those of the socket. Cancelling it loses nothing.
    pub async fn fill(&mut self) -> io::Result<usize> {
        let Self { socket, ahead } = self;
        fill(socket, ahead).await
    }

    /// Drops octets that were used from the front.
    pub fn consume(&mut self, octets: usize) {
        consume(&mut self.ahead, octets);
    }

    /// Takes what was read ahead; the memory goes with it.
    #[must_use]
    pub fn take_ahead(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.ahead)
    }

    /// Writes all of `octets`.
    ///
    /// # Errors
    /// Those of the socket.
    pub async fn write_all(&self, octets: &[u8]) -> io::Result<()> {
        write_all(&self.socket, octets).await
    }

    /// Sends the end of the stream; reading goes on.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn end(&self) -> io::Result<()> {
        shutdown_write(&self.socket)
    }

    /// Closes in the manner of RFC 9112, section 9.6: sends the end of the stream, and reads on
    /// within bounds until the other side has ended too. Octets that are left unread would
    /// reset the connection, and what was written last would be lost with it.
    pub async fn linger(mut self) {
        if self.end().is_ok() {
            let _ = timeout(LINGER, self.drain()).await;
        }
    }

    async fn drain(&mut self) {
        let mut left = LINGER_OCTETS;
        loop {
            self.ahead = Vec::new();
            match timeout(LINGER_IDLE, self.fill()).await {
                Ok(Ok(octets @ 1..)) if octets < left => left -= octets,
                _ => return,
            }
        }
    }

    /// The connection and what was read of it ahead.
    pub(crate) fn into_parts(self) -> (TcpStream, Vec<u8>) {
        (self.socket, self.ahead)
    }

    /// The socket to write to, and the reading side with its buffer.
    pub(crate) const fn split(&mut self) -> (&TcpStream, Reading<'_>) {
        let Self { socket, ahead } = self;
        (socket, Reading { socket, ahead })
    }
}

/// The reading side of a [`Buffered`], beside which its socket can be written to.
pub(crate) struct Reading<'a> {
    socket: &'a TcpStream,
    ahead: &'a mut Vec<u8>,
}

impl Reading<'_> {
    pub(crate) fn ahead(&self) -> &[u8] {
        self.ahead
    }

    pub(crate) async fn fill(&mut self) -> io::Result<usize> {
        fill(self.socket, self.ahead).await
    }

    pub(crate) fn consume(&mut self, octets: usize) {
        consume(self.ahead, octets);
    }

    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(self.ahead)
    }
}

async fn fill(socket: &TcpStream, ahead: &mut Vec<u8>) -> io::Result<usize> {
    loop {
        socket.readable().await?;
        match read_once(socket, ahead) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            result => return result,
        }
    }
}

/// The buffer lives on the stack of this call, not in the future that waits.
fn read_once(socket: &TcpStream, ahead: &mut Vec<u8>) -> io::Result<usize> {
    let mut buffer = [0; COPY_OCTETS];
    let read = socket.try_read(&mut buffer)?;
    ahead.extend_from_slice(buffer.get(..read).unwrap_or_default());
    Ok(read)
}

fn consume(ahead: &mut Vec<u8>, octets: usize) {
    if octets >= ahead.len() {
        *ahead = Vec::new();
    } else {
        ahead.drain(..octets);
    }
}

/// Writes all of `octets` to a shared socket.
pub(crate) async fn write_all(socket: &TcpStream, mut octets: &[u8]) -> io::Result<()> {
    while !octets.is_empty() {
        socket.writable().await?;
        match socket.try_write(octets) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => octets = octets.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Sends the end of the stream and keeps the other direction open.
pub(crate) fn shutdown_write(socket: &TcpStream) -> io::Result<()> {
    match rustix::net::shutdown(socket, rustix::net::Shutdown::Write) {
        // The peer has reset the connection: there is no one left to tell.
        Err(rustix::io::Errno::NOTCONN) | Ok(()) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Waits until the socket can be read, without reading.
pub(crate) async fn readable(socket: &TcpStream) -> io::Result<()> {
    socket.ready(Interest::READABLE).await.map(drop)
}

#[cfg(test)]
mod tests;
