//! What the parts of one intercepted connection know of each other: how many requests are under
//! way, and whose turn it is on an HTTP/1 connection, the client's or the answer's.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use crate::forward::Leash;
use crate::http::BodyError;
use crate::wire::http::HttpError;

/// The requests of one connection.
#[derive(Debug)]
pub(super) struct Activity {
    load: Mutex<Load>,
}

#[derive(Debug)]
struct Load {
    open: usize,
    /// Since when there is none.
    idle: Instant,
    served: bool,
    refused: Option<HttpError>,
}

/// One request that is under way, until it is dropped.
#[derive(Debug)]
pub(super) struct Busy(Arc<Activity>);

impl Default for Activity {
    fn default() -> Self {
        let load = Load {
            open: 0,
            idle: Instant::now(),
            served: false,
            refused: None,
        };
        Self {
            load: Mutex::new(load),
        }
    }
}

impl Activity {
    pub(super) fn begin(self: &Arc<Self>) -> Busy {
        let mut load = self.load();
        load.open += 1;
        load.served = true;
        drop(load);
        Busy(Arc::clone(self))
    }

    /// Notes that a request was not understood, so that the connection has to end.
    pub(super) fn refuse(&self, error: HttpError) {
        self.load().refused.get_or_insert(error);
    }

    pub(super) fn refused(&self) -> Option<HttpError> {
        self.load().refused
    }

    /// Whether there was a request at all.
    pub(super) fn served(&self) -> bool {
        self.load().served
    }

    /// Returns when no request was under way for `limit`. It looks from time to time, instead of
    /// being told of each request.
    pub(super) async fn idle(&self, limit: Duration) {
        loop {
            let idle = {
                let load = self.load();
                (load.open == 0).then_some(load.idle)
            };
            match idle {
                Some(since) if since.elapsed() >= limit => return,
                Some(since) => sleep_until(since + limit).await,
                None => sleep(limit).await,
            }
        }
    }

    /// Returns when a request was not understood. Polled after whatever may find that.
    pub(super) async fn unfit(&self) {
        poll_fn(|_| match self.refused() {
            Some(_) => Poll::Ready(()),
            None => Poll::Pending,
        })
        .await;
    }

    fn load(&self) -> MutexGuard<'_, Load> {
        self.load.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Busy {
    /// See [`Activity::refuse`].
    pub(super) fn refuse(&self, error: HttpError) {
        self.0.refuse(error);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut load = self.0.load();
        load.open -= 1;
        if load.open == 0 {
            load.idle = Instant::now();
        }
    }
}

/// Whose turn it is on an HTTP/1 connection.
#[derive(Debug, Default)]
pub(super) struct Turn {
    activity: Arc<Activity>,
    line: Mutex<Line>,
    gone: tokio::sync::Notify,
}

#[derive(Debug, Default)]
struct Line {
    /// The request that the library is about to hand out.
    delivered: Option<Delivered>,
    /// Whether a request has no whole answer yet.
    answering: bool,
    switched: bool,
    cut: bool,
    gone: bool,
    reader: Option<Waker>,
    /// Of the answer that is on its way.
    leash: Option<Leash>,
}

/// What the reader says of a request.
#[derive(Debug)]
pub(super) struct Delivered {
    /// Why it is no request that can be served.
    pub(super) fault: Option<HttpError>,
    /// Whether it asks for a WebSocket.
    pub(super) websocket: bool,
    /// Counts it.
    pub(super) busy: Busy,
}

/// What the reader may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Wait: the answer is not whole yet.
    Wait,
    /// Read another head.
    Head,
    /// Pass everything on as it is.
    Raw,
}

/// Held by an answer until it is whole or given up; then it is the client's turn.
#[derive(Debug)]
pub(super) struct Answering {
    turn: Arc<Turn>,
    _busy: Option<Busy>,
}

impl Turn {
    pub(super) fn new(activity: Arc<Activity>) -> Self {
        Self {
            activity,
            ..Self::default()
        }
    }

    pub(super) const fn activity(&self) -> &Arc<Activity> {
        &self.activity
    }

    /// For the reader: a request goes to the library.
    pub(super) fn deliver(&self, fault: Option<HttpError>, websocket: bool) {
        if let Some(error) = fault {
            self.activity.refuse(error);
        }
        let busy = self.activity.begin();
        let mut line = self.lock();
        line.answering = true;
        line.delivered = Some(Delivered {
            fault,
            websocket,
            busy,
        });
    }

    /// For the reader, once the request is delivered whole.
    pub(super) fn poll_next(&self, cx: &Context<'_>) -> Next {
        let mut line = self.lock();
        if line.switched {
            return Next::Raw;
        }
        if !line.answering {
            return Next::Head;
        }
        line.wait(cx);
        Next::Wait
    }

    /// For the answer: takes the request that was delivered.
    pub(super) fn take(self: &Arc<Self>) -> (Answering, Option<HttpError>, bool) {
        let delivered = self.lock().delivered.take();
        let (fault, websocket, busy) = match delivered {
            Some(request) => (request.fault, request.websocket, Some(request.busy)),
            // The library hands out what it was given, so this does not happen.
            None => (Some(HttpError::StartLine), false, None),
        };
        let turn = Arc::clone(self);
        (Answering { turn, _busy: busy }, fault, websocket)
    }

    /// For the answer: what it hangs on, until it is whole or given up.
    pub(super) fn hold(&self, leash: Option<Leash>) {
        self.lock().leash = leash;
    }

    /// Returns when the answer must not go on, with the reason. Polled after the answer.
    pub(super) async fn cut_short(&self) -> BodyError {
        poll_fn(|cx| {
            let leash = self.lock().leash.clone();
            leash.map_or(Poll::Pending, |leash| leash.poll_cut(cx))
        })
        .await
    }

    /// For the answer: from here on the connection is not HTTP any more.
    pub(super) fn switch(&self) {
        self.lock().switched = true;
    }

    pub(super) fn switched(&self) -> bool {
        self.lock().switched
    }

    /// Ends a connection that was switched, whoever holds it.
    pub(super) fn cut(&self) {
        let mut line = self.lock();
        line.cut = true;
        line.wake();
    }

    /// Pending, and woken by a cut; ready where it was cut.
    pub(super) fn poll_cut(&self, cx: &Context<'_>) -> Poll<()> {
        let mut line = self.lock();
        if line.cut {
            return Poll::Ready(());
        }
        line.wait(cx);
        Poll::Pending
    }

    /// The connection was dropped by its last holder.
    pub(super) fn leave(&self) {
        self.lock().gone = true;
        self.gone.notify_waiters();
    }

    /// Waits for that.
    pub(super) async fn left(&self) {
        loop {
            let gone = self.gone.notified();
            if self.lock().gone {
                return;
            }
            gone.await;
        }
    }

    /// Whether no request waits to be handed out.
    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
        self.lock().delivered.is_none()
    }

    fn lock(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    fn wait(&mut self, cx: &Context<'_>) {
        match &mut self.reader {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
    }

    fn wake(&mut self) {
        if let Some(waker) = self.reader.take() {
            waker.wake();
        }
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let mut line = self.turn.lock();
        line.answering = false;
        let leash = line.leash.take();
        line.wake();
        drop((line, leash));
    }
}
