//! Tasks of one connection, which run inside the future that serves it: none outlives it, and no
//! thread has to wake another one for them.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use hyper::rt::Executor;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Takes tasks; they run in [`Tasks`], and are dropped where that is gone.
#[derive(Clone, Default)]
pub(crate) struct Inbox(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    tasks: Vec<Task>,
    closed: bool,
    /// Of who polls the tasks.
    waker: Option<Waker>,
}

/// The tasks of one connection.
#[derive(Default)]
pub(crate) struct Tasks {
    inbox: Inbox,
    running: FuturesUnordered<Task>,
}

impl Inbox {
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut waiting = self.lock();
        if waiting.closed {
            return;
        }
        waiting.tasks.push(Box::pin(task));
        let waker = waiting.waker.take();
        drop(waiting);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Inbox {
    fn execute(&self, task: F) {
        self.spawn(task);
    }
}

impl Tasks {
    pub(crate) fn inbox(&self) -> Inbox {
        self.inbox.clone()
    }

    /// Polls the tasks until all wait.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) {
        loop {
            let new = std::mem::take(&mut self.inbox.lock().tasks);
            self.running.extend(new);
            while let Poll::Ready(Some(())) = self.running.poll_next_unpin(cx) {}
            let mut waiting = self.inbox.lock();
            if waiting.tasks.is_empty() {
                match &mut waiting.waker {
                    Some(waker) => waker.clone_from(cx.waker()),
                    none => *none = Some(cx.waker().clone()),
                }
                return;
            }
        }
    }
}

/// What waits may hold the inbox, and would keep it for ever.
impl Drop for Tasks {
    fn drop(&mut self) {
        let mut waiting = self.inbox.lock();
        waiting.closed = true;
        let left = std::mem::take(&mut waiting.tasks);
        drop(waiting);
        drop(left);
    }
}
