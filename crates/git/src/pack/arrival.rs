//! How much of a pack lies in its file already, where it is read while it still arrives.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::PackError;

/// Says how much of a pack has arrived. One that is let go of before [`finish`](Self::finish) ends the
/// reading with [`PackError::Stopped`].
#[derive(Debug)]
pub struct Arriving(Arc<Shared>);

/// Knows how much of a pack has arrived, and waits for more.
#[derive(Debug, Clone)]
pub struct Arrived(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Clone, Copy)]
struct State {
    octets: u64,
    end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// More may come.
    Open,
    /// That was all.
    Reached,
    /// No more will come, and it was not all.
    Lost,
}

/// How much there is at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) octets: u64,
    pub(super) is_all: bool,
}

impl Arriving {
    /// A pack of which nothing has arrived.
    #[must_use]
    pub fn new() -> (Self, Arrived) {
        let shared = shared(0, End::Open);
        (Self(Arc::clone(&shared)), Arrived(shared))
    }

    /// So many octets from its beginning on lie in the file now.
    pub fn has(&self, octets: u64) {
        self.0.set(|state| state.octets = octets);
    }

    /// They are all of it.
    pub fn finish(&self) {
        self.0.set(|state| state.end = End::Reached);
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        self.0.set(|state| {
            if state.end == End::Open {
                state.end = End::Lost;
            }
        });
    }
}

impl Arrived {
    /// All of a pack of so many octets.
    #[must_use]
    pub fn whole(octets: u64) -> Self {
        Self(shared(octets, End::Reached))
    }

    pub(super) fn now(&self) -> Known {
        known(&self.0.lock())
    }

    /// Waits until there are more octets than these, or all.
    pub(super) fn beyond(&self, octets: u64) -> Result<Known, PackError> {
        self.wait(|state| state.octets > octets)
    }

    /// Waits for all of it.
    pub(super) fn all(&self) -> Result<u64, PackError> {
        Ok(self.wait(|_| false)?.octets)
    }

    fn wait(&self, is_enough: impl Fn(&State) -> bool) -> Result<Known, PackError> {
        let waits = |state: &mut State| state.end == End::Open && !is_enough(state);
        let waiting = self.0.changed.wait_while(self.0.lock(), waits);
        let state = waiting.unwrap_or_else(PoisonError::into_inner);
        match state.end {
            End::Lost => Err(PackError::Stopped),
            End::Open | End::Reached => Ok(known(&state)),
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }
}

fn shared(octets: u64, end: End) -> Arc<Shared> {
    Arc::new(Shared {
        state: Mutex::new(State { octets, end }),
        changed: Condvar::new(),
    })
}

fn known(state: &State) -> Known {
    Known {
        octets: state.octets,
        is_all: state.end == End::Reached,
    }
}
