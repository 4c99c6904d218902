//! What an open response hangs on: its permit, its upstream connection, and the watch that takes
//! them back. The body of the response polls it, and so does whoever serves the client: a body
//! that the client does not read is not polled at all, and must end nevertheless.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use ringfence_model::Outcome;

use super::lease::Lease;
use super::watch::{Cut, Watch};
use crate::http::BodyError;
use crate::pipeline::Permit;

/// Polled beside the response that it belongs to; see [`Leash::poll_cut`].
#[derive(Clone)]
pub(crate) struct Leash(Arc<Held>);

struct Held {
    watch: Watch,
    state: Mutex<State>,
}

enum State {
    /// The response is under way, and watched once there was a first look.
    Open(Box<Open>, Option<Pin<Box<dyn Future<Output = Cut> + Send>>>),
    /// It came to an end of its own.
    Over,
    /// It must not go on.
    Cut(Cut),
}

/// What is held until the response is over.
pub(super) struct Open {
    pub(super) permit: Permit,
    pub(super) lease: Option<Lease>,
    pub(super) status: u16,
    pub(super) followed: Vec<String>,
}

impl Leash {
    pub(super) fn new(watch: Watch, open: Open) -> Self {
        let state = State::Open(Box::new(open), None);
        Self(Arc::new(Held {
            watch,
            state: Mutex::new(state),
        }))
    }

    pub(super) fn watch(&self) -> &Watch {
        &self.0.watch
    }

    /// Pending for as long as the response may go on, and for ever once it is over. Else the event
    /// is closed and the upstream connection given up, and the client must not get more of it.
    pub(crate) fn poll_cut(&self, cx: &mut Context<'_>) -> Poll<BodyError> {
        let mut state = self.lock();
        let watched = match &mut *state {
            State::Over => return Poll::Pending,
            State::Cut(cut) => return Poll::Ready(words(cut)),
            State::Open(_, watched) => watched,
        };
        let watched = watched.get_or_insert_with(|| Box::pin(self.watch().clone().cut()));
        let Poll::Ready(cut) = watched.as_mut().poll(cx) else {
            return Poll::Pending;
        };
        let error = words(&cut);
        let before = std::mem::replace(&mut *state, State::Cut(cut.clone()));
        drop(state);
        if let State::Open(open, _) = before {
            open.end(cut);
        }
        Poll::Ready(error)
    }

    /// Why the response was cut, without a look at the watch.
    pub(super) fn cut(&self) -> Option<BodyError> {
        match &*self.lock() {
            State::Cut(cut) => Some(words(cut)),
            State::Open(..) | State::Over => None,
        }
    }

    /// For whoever ends the response; nothing where it was cut or is over.
    pub(super) fn release(&self) -> Option<Box<Open>> {
        let mut state = self.lock();
        if let State::Open(..) = *state
            && let State::Open(open, _) = std::mem::replace(&mut *state, State::Over)
        {
            return Some(open);
        }
        None
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn end(self, cut: Cut) {
        match cut {
            // The head is gone: there is nothing left to say to the agent.
            Cut::Revoked(decision) | Cut::Changed(decision) => drop(self.permit.revoke(*decision)),
            Cut::Quiet => self.permit.finish(Outcome::TimedOut),
        }
    }
}

impl fmt::Debug for Leash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Leash").finish_non_exhaustive()
    }
}

fn words(cut: &Cut) -> BodyError {
    match cut {
        Cut::Revoked(decision) | Cut::Changed(decision) => BodyError::Revoked(decision.clone()),
        Cut::Quiet => BodyError::TimedOut,
    }
}
