//! The streams of one HTTP/2 connection, each a task of the library's. A stream whose answer must
//! not go on is dropped, which resets it: the library does not look at an answer that the client
//! takes nothing of.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use hyper::rt::Executor;

use crate::forward::Leash;
use crate::local::Inbox;

/// Starts the streams, and gets the leashes of their answers.
#[derive(Clone)]
pub(super) struct Streams {
    inbox: Inbox,
    /// Of the stream that is being polled.
    leash: Arc<Mutex<Option<Leash>>>,
}

/// A stream and what its answer hangs on.
struct Stream<F> {
    task: Pin<Box<F>>,
    leash: Option<Leash>,
    streams: Streams,
}

impl Streams {
    pub(super) fn new(inbox: Inbox) -> Self {
        let leash = Arc::default();
        Self { inbox, leash }
    }

    /// For an answer, while its stream is polled: what it hangs on.
    pub(super) fn hold(&self, leash: Option<Leash>) {
        *self.leash.lock().unwrap_or_else(PoisonError::into_inner) = leash;
    }

    fn held(&self) -> Option<Leash> {
        let mut leash = self.leash.lock().unwrap_or_else(PoisonError::into_inner);
        leash.take()
    }
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Streams {
    fn execute(&self, task: F) {
        self.inbox.spawn(Stream {
            task: Box::pin(task),
            leash: None,
            streams: self.clone(),
        });
    }
}

impl<F: Future<Output = ()>> Future for Stream<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let polled = self.task.as_mut().poll(cx);
        if let Some(leash) = self.streams.held() {
            self.leash = Some(leash);
        }
        if polled.is_ready() {
            return polled;
        }
        match &self.leash {
            Some(leash) => leash.poll_cut(cx).map(drop),
            None => Poll::Pending,
        }
    }
}
