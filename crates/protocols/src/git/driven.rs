//! A response body that is made while the client waits: first progress, for people, then what the
//! work comes to. The work does not wait for its reader, so that one who does not read holds nothing
//! up; it ends when the body is dropped.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame};
use ringfence_gateway::http::{BodyError, ResponseBody};
use ringfence_git::wire::sideband::{self, Band};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::JoinSet;
use tokio::time::{Duration, Instant};

/// Says to a client how far its push is.
pub(super) struct Progress {
    lines: Sender<Bytes>,
    is_quiet: bool,
    said: std::sync::Mutex<Option<Instant>>,
}

/// Lines of progress that wait to be read; more are left out.
const WAITING_LINES: usize = 16;

/// The least time between two lines about the same.
const BETWEEN_LINES: Duration = Duration::from_secs(1);

impl Progress {
    /// A progress, and where what it says is read.
    pub(super) fn channel(is_quiet: bool) -> (Self, Receiver<Bytes>) {
        let (lines, read) = mpsc::channel(WAITING_LINES);
        let progress = Self {
            lines,
            is_quiet,
            said: std::sync::Mutex::new(None),
        };
        (progress, read)
    }

    /// Says a line now.
    pub(super) fn say(&self, line: &str) {
        if self.is_quiet {
            return;
        }
        let mut out = Vec::new();
        sideband::write_text(Band::Message, format!("{line}\n").as_bytes(), &mut out);
        self.pass(out.into());
    }

    /// Says a line if none was said for a while.
    pub(super) fn say_sometimes(&self, line: impl FnOnce() -> String) {
        let mut said = self
            .said
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let is_due = said.is_none_or(|said| said.elapsed() >= BETWEEN_LINES);
        if is_due {
            *said = Some(Instant::now());
            drop(said);
            self.say(&line());
        }
    }

    /// Passes on packets of the upstream's.
    pub(super) fn pass(&self, packets: Bytes) {
        // A client that reads slowly is not waited for: progress is not the result.
        let _ = self.lines.try_send(packets);
    }
}

/// The body that `work` makes, after what it says on its way.
pub(super) fn driven<F, W>(is_quiet: bool, work: F) -> ResponseBody
where
    F: FnOnce(Progress) -> W,
    W: Future<Output = ResponseBody> + Send + 'static,
{
    let (progress, said) = Progress::channel(is_quiet);
    let mut working = JoinSet::new();
    working.spawn(work(progress));
    ResponseBody::new(Driven {
        said,
        state: State::Working(working),
    })
}

struct Driven {
    said: Receiver<Bytes>,
    state: State,
}

enum State {
    /// One task, which ends with this.
    Working(JoinSet<ResponseBody>),
    Done(ResponseBody),
}

impl Body for Driven {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        if let State::Working(work) = &mut this.state
            && let Poll::Ready(done) = work.poll_join_next(cx)
        {
            let Some(Ok(body)) = done else {
                let reason = "the work on the push broke off".to_owned();
                return Poll::Ready(Some(Err(BodyError::Refused(reason))));
            };
            this.state = State::Done(body);
        }
        if let Poll::Ready(Some(line)) = this.said.poll_recv(cx) {
            return Poll::Ready(Some(Ok(Frame::data(line))));
        }
        match &mut this.state {
            State::Working(_) => Poll::Pending,
            State::Done(body) => Pin::new(body).poll_frame(cx),
        }
    }
}
