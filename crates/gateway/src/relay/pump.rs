//! One direction of a tunnel.

use std::io;

use rustix::pipe::{SpliceFlags, splice};
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::task::coop::consume_budget;

use super::pipes::{Pipe, Pipes};
use crate::limits::{COPY_OCTETS, PIPE_OCTETS};
use crate::pipeline::Meter;
use crate::stream::{readable, shutdown_write, write_all};

/// Which counter of a meter counts.
#[derive(Clone, Copy)]
pub(super) enum Way<'a> {
    /// From the agent.
    Up(&'a Meter),
    /// To the agent.
    Down(&'a Meter),
}

impl Way<'_> {
    fn count(self, octets: usize) {
        match self {
            Self::Up(meter) => meter.add_sent(octets as u64),
            Self::Down(meter) => meter.add_received(octets as u64),
        }
    }
}

/// A wake-up that moves this much expects more: the next one splices.
const BULK_OCTETS: usize = COPY_OCTETS / 2;

/// Moves bytes until `from` ends, then ends `to`.
pub(super) async fn pump(
    pipes: &Pipes,
    from: &TcpStream,
    to: &TcpStream,
    way: Way<'_>,
) -> io::Result<()> {
    let mut last = 0;
    loop {
        consume_budget().await;
        readable(from).await?;
        let pipe = if last >= BULK_OCTETS {
            pipes.take()
        } else {
            None
        };
        let moved = match pipe {
            Some(pipe) => splice_all(pipe, from, to, way).await?,
            None => copy(from, to, way).await?,
        };
        match moved {
            Moved::End => return shutdown_write(to),
            Moved::Octets(octets) => last = octets,
            Moved::Nothing => {}
        }
    }
}

enum Moved {
    End,
    Nothing,
    /// The octets of the last read.
    Octets(usize),
}

/// Reads once; what the other side does not take at once waits on the heap.
async fn copy(from: &TcpStream, to: &TcpStream, way: Way<'_>) -> io::Result<Moved> {
    match copy_now(from, to) {
        Ok((0, _)) => Ok(Moved::End),
        Ok((octets, left)) => {
            way.count(octets - left.len());
            if !left.is_empty() {
                write_all(to, &left).await?;
                way.count(left.len());
            }
            Ok(Moved::Octets(octets))
        }
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Moved::Nothing),
        Err(error) => Err(error),
    }
}

/// The octets read, and those of them that were not written.
fn copy_now(from: &TcpStream, to: &TcpStream) -> io::Result<(usize, Vec<u8>)> {
    let mut buffer = [0; COPY_OCTETS];
    let read = from.try_read(&mut buffer)?;
    let octets = buffer.get(..read).unwrap_or_default();
    let written = if read == 0 { 0 } else { write_now(to, octets)? };
    Ok((read, octets.get(written..).unwrap_or_default().to_vec()))
}

fn write_now(to: &TcpStream, octets: &[u8]) -> io::Result<usize> {
    match to.try_write(octets) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
        result => result,
    }
}

/// Moves all that is there through `pipe`, which is kept only when it ends up empty.
async fn splice_all(
    pipe: Pipe,
    from: &TcpStream,
    to: &TcpStream,
    way: Way<'_>,
) -> io::Result<Moved> {
    let mut last = None;
    loop {
        let read = from.try_io(Interest::READABLE, || fill(from, &pipe));
        match read {
            Ok(0) => {
                pipe.give_back();
                return Ok(Moved::End);
            }
            Ok(octets) => {
                drain(&pipe, to, octets, way).await?;
                last = Some(octets);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                pipe.give_back();
                return Ok(last.map_or(Moved::Nothing, Moved::Octets));
            }
            Err(error) => return Err(error),
        }
        consume_budget().await;
    }
}

async fn drain(pipe: &Pipe, to: &TcpStream, mut octets: usize, way: Way<'_>) -> io::Result<()> {
    while octets > 0 {
        match to.try_io(Interest::WRITABLE, || empty(pipe, to, octets)) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                way.count(written);
                octets -= written;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => to.writable().await?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn fill(from: &TcpStream, pipe: &Pipe) -> io::Result<usize> {
    let writer = pipe.writer().ok_or(io::ErrorKind::BrokenPipe)?;
    Ok(splice(from, None, writer, None, PIPE_OCTETS, flags())?)
}

fn empty(pipe: &Pipe, to: &TcpStream, octets: usize) -> io::Result<usize> {
    let reader = pipe.reader().ok_or(io::ErrorKind::BrokenPipe)?;
    Ok(splice(reader, None, to, None, octets, flags())?)
}

const fn flags() -> SpliceFlags {
    SpliceFlags::MOVE.union(SpliceFlags::NONBLOCK)
}
