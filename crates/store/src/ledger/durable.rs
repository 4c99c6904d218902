//! Makes what was written to a ledger durable a moment later, so that no request waits for a disk.
//! What the kernel has taken survives the death of the process anyway.

use std::fs::File;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crate::limits::LEDGER_SYNC;

/// A thread that does so until it is dropped.
#[derive(Debug)]
pub(super) struct Syncer {
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct State {
    wanted: Mutex<Wanted>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Wanted {
    file: Option<Arc<File>>,
    is_waiting: bool,
    is_over: bool,
    /// The system could not make something durable that it had taken.
    has_failed: bool,
}

impl Syncer {
    /// Starts the thread.
    pub(super) fn start() -> io::Result<Self> {
        let state = Arc::new(State::default());
        let own = Arc::clone(&state);
        let thread = std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || own.work())?;
        Ok(Self {
            state,
            thread: Some(thread),
        })
    }

    /// The file was written.
    pub(super) fn written(&self, file: &Arc<File>) {
        let mut wanted = self.state.lock();
        wanted.file = Some(Arc::clone(file));
        if wanted.is_waiting {
            self.state.changed.notify_all();
        }
    }

    /// Whether something that was written may be lost, because the disk failed.
    pub(super) fn has_failed(&self) -> bool {
        self.state.lock().has_failed
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        self.state.lock().is_over = true;
        self.state.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl State {
    fn work(&self) {
        while let Some(file) = self.next() {
            if file.sync_data().is_err() {
                self.lock().has_failed = true;
            }
            let over = |wanted: &mut Wanted| !wanted.is_over;
            let pause = self
                .changed
                .wait_timeout_while(self.lock(), LEDGER_SYNC, over);
            drop(pause);
        }
    }

    /// The file that was written next; none where all is over.
    fn next(&self) -> Option<Arc<File>> {
        let mut wanted = self.lock();
        loop {
            if wanted.file.is_some() || wanted.is_over {
                return wanted.file.take();
            }
            wanted.is_waiting = true;
            let woken = self.changed.wait(wanted);
            wanted = woken.unwrap_or_else(PoisonError::into_inner);
            wanted.is_waiting = false;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Wanted> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
