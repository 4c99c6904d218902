//! A bounded pool of kernel pipes for `splice(2)`. A pipe comes back only when it is empty; one
//! that held bytes when its tunnel was cut is closed, so no byte can reach another tunnel.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};

use crate::limits::{LARGE_PIPES, PIPE_OCTETS, PIPES, PIPES_KEPT};

/// The pool.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pipes(Arc<Pool>);

#[derive(Debug, Default)]
struct Pool {
    kept: Mutex<Vec<Ends>>,
    in_use: AtomicUsize,
}

#[derive(Debug)]
struct Ends {
    reader: OwnedFd,
    writer: OwnedFd,
}

/// A pipe in use. Dropped, it is closed; [`Pipe::give_back`] keeps it.
#[derive(Debug)]
pub(super) struct Pipe {
    ends: Option<Ends>,
    pool: Arc<Pool>,
}

impl Pipes {
    /// An empty pipe, or none where the limit or the system's is reached.
    pub(super) fn take(&self) -> Option<Pipe> {
        if self.0.in_use.fetch_add(1, Ordering::Relaxed) >= PIPES {
            self.0.in_use.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        let pipe = Pipe {
            ends: self.0.kept().pop(),
            pool: Arc::clone(&self.0),
        };
        match pipe.ends {
            Some(_) => Some(pipe),
            None => pipe.opened(),
        }
    }

    #[cfg(test)]
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.0.in_use.load(Ordering::Relaxed), self.0.kept().len())
    }
}

impl Pool {
    fn kept(&self) -> std::sync::MutexGuard<'_, Vec<Ends>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pipe {
    pub(super) fn reader(&self) -> Option<&OwnedFd> {
        self.ends.as_ref().map(|ends| &ends.reader)
    }

    pub(super) fn writer(&self) -> Option<&OwnedFd> {
        self.ends.as_ref().map(|ends| &ends.writer)
    }

    /// Returns it to the pool. The caller has emptied it.
    pub(super) fn give_back(mut self) {
        let mut kept = self.pool.kept();
        if kept.len() < PIPES_KEPT {
            kept.extend(self.ends.take());
        }
        drop(kept);
    }

    fn opened(mut self) -> Option<Self> {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).ok()?;
        if self.pool.in_use.load(Ordering::Relaxed) <= LARGE_PIPES {
            // A user's pipes share a kernel quota; past it the default size has to do.
            let _ = fcntl_setpipe_size(&writer, PIPE_OCTETS);
        }
        self.ends = Some(Ends { reader, writer });
        Some(self)
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.pool.in_use.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pipes_are_bounded_and_only_empty_ones_come_back() {
        let pipes = Pipes::default();
        let mut taken: Vec<_> = (0..PIPES).map(|_| pipes.take().unwrap()).collect();
        assert!(pipes.take().is_none());
        taken.pop().unwrap().give_back();
        assert_eq!(pipes.counts(), (PIPES - 1, 1));
        drop(taken);
        assert_eq!(pipes.counts(), (0, 1));
        assert!(pipes.take().is_some());
    }
}
