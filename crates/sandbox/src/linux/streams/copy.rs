//! Copying between a stream outside and the sandbox's pipe, in a thread for each.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};

/// The copying of a command's output.
#[derive(Debug, Default)]
pub struct Copies {
    threads: Vec<JoinHandle<io::Result<()>>>,
    end: Option<End>,
}

/// Tells the threads that nobody writes any more.
#[derive(Debug)]
struct End {
    seen: Arc<OwnedFd>,
    _held: OwnedFd,
}

impl Copies {
    /// Starts to copy.
    pub(super) fn add(&mut self, from: OwnedFd, to: OwnedFd) -> io::Result<()> {
        if self.end.is_none() {
            let (seen, held) = pipe_with(PipeFlags::CLOEXEC)?;
            self.end = Some(End {
                seen: Arc::new(seen),
                _held: held,
            });
        }
        let seen = self.end.as_ref().map(|end| Arc::clone(&end.seen));
        self.threads.push(start(from, to, seen)?);
        Ok(())
    }

    /// Waits until all that was written is outside; the sandbox must have ended. Says why it is
    /// not, unless the reader outside went away.
    pub fn finish(&mut self) -> io::Result<()> {
        drop(self.end.take());
        let mut result = Ok(());
        for thread in self.threads.drain(..) {
            let copied = thread
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("the copying broke off")));
            result = result.and(copied);
        }
        result
    }
}

/// Copies input. Nobody waits for the end: a blocked read cannot be taken back.
pub(super) fn input(from: OwnedFd, to: OwnedFd) -> io::Result<()> {
    start(from, to, None).map(drop)
}

fn start(
    from: OwnedFd,
    to: OwnedFd,
    end: Option<Arc<OwnedFd>>,
) -> io::Result<JoinHandle<io::Result<()>>> {
    thread::Builder::new()
        .name("stream".to_owned())
        .spawn(move || match copy(&from, &to, end.as_deref()) {
            // A writer learns it by its own signal: the reading end is closed now.
            Err(Errno::PIPE) => Ok(()),
            result => Ok(result?),
        })
}

/// Copies until either side is closed, or the end was told and nothing more is there.
fn copy(from: &OwnedFd, to: &OwnedFd, end: Option<&OwnedFd>) -> Result<(), Errno> {
    let mut buffer = vec![0u8; BUFFER_OCTETS];
    while is_readable(from, to, end)? {
        match rustix::io::read(from, &mut buffer) {
            Ok(0) => break,
            Ok(length) => write_all(to, buffer.get(..length).unwrap_or_default())?,
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Waits until there is something to copy; false if there never will be.
fn is_readable(from: &OwnedFd, to: &OwnedFd, end: Option<&OwnedFd>) -> Result<bool, Errno> {
    loop {
        let mut ready = [
            PollFd::new(from, PollFlags::IN),
            // Errors are reported unasked: a pipe without a reader is one.
            PollFd::new(to, PollFlags::empty()),
            PollFd::from_borrowed_fd(end.unwrap_or(to).as_fd(), PollFlags::empty()),
        ];
        match poll(&mut ready, None) {
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error),
        }
        let [readable, closed, ended] = ready.map(|fd| !fd.revents().is_empty());
        if readable {
            return Ok(true);
        }
        if closed || ended {
            return Ok(false);
        }
    }
}

/// What is outside may have been made non-blocking by others that hold it.
fn write_all(to: &OwnedFd, mut octets: &[u8]) -> Result<(), Errno> {
    while !octets.is_empty() {
        match rustix::io::write(to, octets) {
            Ok(written) => octets = octets.get(written..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                let _ = poll(&mut [PollFd::new(to, PollFlags::OUT)], None);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// As much as a pipe holds.
const BUFFER_OCTETS: usize = 64 * 1024;
