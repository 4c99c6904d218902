//! Runs the streams of one HTTP/2 connection inside the future that serves it, so that none
//! outlives it.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use hyper::rt::Executor;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Takes tasks from the library; they run in [`Tasks`].
#[derive(Clone, Default)]
pub(super) struct Inbox(Arc<Mutex<Vec<Task>>>);

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, Vec<Task>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Inbox {
    fn execute(&self, task: F) {
        self.lock().push(Box::pin(task));
    }
}

/// The tasks of one connection.
#[derive(Default)]
pub(super) struct Tasks {
    inbox: Inbox,
    running: FuturesUnordered<Task>,
}

impl Tasks {
    pub(super) fn inbox(&self) -> Inbox {
        self.inbox.clone()
    }

    /// Polls the tasks until all wait. Call it after whatever may have added some.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) {
        loop {
            self.running.extend(self.inbox.lock().drain(..));
            match self.running.poll_next_unpin(cx) {
                Poll::Ready(Some(())) => {}
                Poll::Ready(None) | Poll::Pending if self.inbox.lock().is_empty() => return,
                Poll::Ready(None) | Poll::Pending => {}
            }
        }
    }
}
