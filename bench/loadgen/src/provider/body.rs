//! The body of a streamed answer: its events at an even pace.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame};
use tokio::time::{Instant, Sleep, sleep_until};

use super::wire::Wire;
use crate::moment;

/// Events of text, one after each pause, the first at once; what a dialect puts before and after them goes with the first and the last.
pub struct Paced {
    wire: Wire,
    left: u32,
    is_begun: bool,
    pause: Duration,
    due: Pin<Box<Sleep>>,
}

impl Paced {
    pub fn new(wire: Wire, events: u32, pause: Duration) -> Self {
        Self {
            wire,
            left: events.max(1),
            is_begun: false,
            pause,
            due: Box::pin(sleep_until(Instant::now())),
        }
    }
}

impl Body for Paced {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        ready!(self.due.as_mut().poll(cx));
        let mut text = String::new();
        if !self.is_begun {
            self.is_begun = true;
            self.wire.begin(&mut text);
        }
        self.left -= 1;
        self.wire.event(&mut text, &moment::stamp());
        if self.left == 0 {
            self.wire.end(&mut text);
        }
        let next = self.due.deadline() + self.pause;
        self.due.as_mut().reset(next);
        Poll::Ready(Some(Ok(Frame::data(text.into()))))
    }
}
