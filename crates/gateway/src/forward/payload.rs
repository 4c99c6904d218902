//! The body of a request on its way to an upstream: as it comes from the agent, or whole where it
//! was read before.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use ringfence_model::ReasonCode;

use super::fault::Fault;
use super::watch::{Cut, Watch};
use crate::http::{BodyError, RequestBody};

/// A request body that was not sent yet.
pub(super) enum Payload {
    /// It is here. It can be sent more than once.
    Whole(Bytes),
    /// It comes as the agent sends it.
    Stream(RequestBody),
}

/// Why the body of a request was cut while it was sent.
#[derive(Debug)]
pub(super) enum Broken {
    /// The agent broke off, or sent what is not valid.
    Client(String),
    /// It is longer than its rule allows.
    TooLarge(u64),
    /// It may not go on.
    Cut(Cut),
}

/// How far a body got, and why no further; its sender keeps it up to date.
#[derive(Debug, Default)]
pub(super) struct Progress {
    broken: OnceLock<Broken>,
    whole: AtomicBool,
}

/// A request body that is being sent.
pub(super) struct Outgoing {
    source: Source,
    watch: Watch,
    left: Option<(u64, u64)>,
    progress: Arc<Progress>,
    cut: Option<Pin<Box<dyn Future<Output = Cut> + Send>>>,
    begun: bool,
}

enum Source {
    Whole(Option<Bytes>),
    Stream(RequestBody),
}

impl Payload {
    /// What is there to send.
    pub(super) fn new(body: RequestBody) -> Self {
        if body.is_end_stream() {
            Self::Whole(Bytes::new())
        } else {
            Self::Stream(body)
        }
    }

    /// Its octets, where they are known.
    pub(super) fn octets(&self) -> Option<u64> {
        match self {
            Self::Whole(octets) => Some(octets.len() as u64),
            Self::Stream(body) => body.size_hint().exact(),
        }
    }

    /// The body, where it is here.
    pub(super) const fn whole(&self) -> Option<&Bytes> {
        match self {
            Self::Whole(octets) => Some(octets),
            Self::Stream(_) => None,
        }
    }

    /// Whether it can be read whole within `limit`, as far as its announced length tells.
    pub(super) fn announces_at_most(&self, limit: u64) -> bool {
        self.octets().is_some_and(|octets| octets <= limit)
    }

    /// Reads all of it. Trailers of the agent's are dropped.
    ///
    /// # Errors
    /// Where it is longer than `limit`, or the agent breaks off.
    pub(super) async fn hold(&mut self, limit: u64) -> Result<&Bytes, Fault> {
        if self.octets().is_some_and(|octets| octets > limit) {
            return Err(too_large(limit));
        }
        if let Self::Stream(body) = self {
            let body = std::mem::replace(body, crate::http::empty());
            let most = usize::try_from(limit).unwrap_or(usize::MAX);
            let read = Limited::new(body, most).collect().await;
            *self = Self::Whole(read.map_err(|error| unreadable(&*error, limit))?.to_bytes());
        }
        match self {
            Self::Whole(octets) => Ok(octets),
            Self::Stream(_) => Err(Fault::Client("the body cannot be read".to_owned())),
        }
    }

    /// Puts another body in its place.
    pub(super) fn replace(&mut self, octets: Vec<u8>) {
        *self = Self::Whole(octets.into());
    }

    /// The same once more, where that is possible.
    pub(super) fn again(&self) -> Option<Self> {
        self.whole().cloned().map(Self::Whole)
    }

    /// The body as it is sent, with at most `limit` octets.
    pub(super) fn send(self, watch: Watch, limit: Option<u64>) -> Outgoing {
        let source = match self {
            Self::Whole(octets) if octets.is_empty() => Source::Whole(None),
            Self::Whole(octets) => Source::Whole(Some(octets)),
            Self::Stream(body) => Source::Stream(body),
        };
        let outgoing = Outgoing {
            source,
            watch,
            left: limit.map(|limit| (limit, limit)),
            progress: Arc::default(),
            cut: None,
            begun: false,
        };
        if outgoing.is_end_stream() {
            outgoing.end();
        }
        outgoing
    }
}

impl Progress {
    /// Why it stopped, where it did.
    pub(super) fn broken(&self) -> Option<&Broken> {
        self.broken.get()
    }

    /// Whether all of it was sent.
    pub(super) fn is_whole(&self) -> bool {
        self.whole.load(Ordering::Relaxed)
    }
}

impl Outgoing {
    /// Where it will say how far it got.
    pub(super) fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    fn stop(&self, broken: Broken) -> BodyError {
        let error = match &broken {
            Broken::Client(reason) => BodyError::Client(reason.clone()),
            Broken::TooLarge(limit) => BodyError::TooLarge { limit: *limit },
            Broken::Cut(_) => BodyError::TimedOut,
        };
        // The first cause is the cause.
        let _ = self.progress.broken.set(broken);
        error
    }

    fn end(&self) {
        self.progress.whole.store(true, Ordering::Relaxed);
    }

    fn count(&mut self, octets: u64) -> Result<(), BodyError> {
        self.watch.subject.meter().add_sent(octets);
        let Some((limit, left)) = self.left else {
            return Ok(());
        };
        let Some(left) = left.checked_sub(octets) else {
            return Err(self.stop(Broken::TooLarge(limit)));
        };
        self.left = Some((limit, left));
        Ok(())
    }

    /// Looks whether the exchange was cut: from the second frame on, so that a short body costs
    /// nothing.
    fn poll_cut(&mut self, cx: &mut Context<'_>) -> Option<BodyError> {
        if !std::mem::replace(&mut self.begun, true) {
            return None;
        }
        let watch = &self.watch;
        let cut = self
            .cut
            .get_or_insert_with(|| Box::pin(watch.clone().cut()));
        match cut.as_mut().poll(cx) {
            Poll::Ready(cut) => Some(self.stop(Broken::Cut(cut))),
            Poll::Pending => None,
        }
    }
}

impl Source {
    /// The next data. Trailers go nowhere: nobody decided on them, and some servers take them for
    /// fields of the head.
    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let body = match self {
            Self::Whole(octets) => {
                return Poll::Ready(octets.take().map(|all| Ok(Frame::data(all))));
            }
            Self::Stream(body) => body,
        };
        loop {
            match ready!(Pin::new(&mut *body).poll_frame(cx)) {
                Some(Ok(frame)) if !frame.is_data() => {}
                polled => return Poll::Ready(polled),
            }
        }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        if let Some(error) = this.poll_cut(cx) {
            return Poll::Ready(Some(Err(error)));
        }
        match this.source.poll_data(cx) {
            Poll::Pending => {
                if this.cut.is_none() && this.begun {
                    // The first wait is the first reason to be told of a cut.
                    if let Some(error) = this.poll_cut(cx) {
                        return Poll::Ready(Some(Err(error)));
                    }
                }
                Poll::Pending
            }
            Poll::Ready(Some(Ok(frame))) => {
                let octets = frame.data_ref().map_or(0, |data| data.len() as u64);
                let counted = this.count(octets);
                if this.is_end_stream() {
                    this.end();
                }
                Poll::Ready(Some(counted.map(|()| frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                Poll::Ready(Some(Err(this.stop(Broken::Client(error.to_string())))))
            }
            Poll::Ready(None) => {
                this.end();
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Whole(octets) => octets.is_none(),
            Source::Stream(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Whole(octets) => {
                SizeHint::with_exact(octets.as_ref().map_or(0, |octets| octets.len() as u64))
            }
            Source::Stream(body) => body.size_hint(),
        }
    }
}

/// The refusal of a body that is too long to be read whole.
pub(super) fn too_large(limit: u64) -> Fault {
    let reason = format!("the request body is longer than {limit} octets");
    Fault::refused(ReasonCode::LimitReached, reason)
}

fn unreadable(error: &(dyn std::error::Error + Send + Sync + 'static), limit: u64) -> Fault {
    if error.is::<LengthLimitError>() {
        return too_large(limit);
    }
    Fault::Client(format!("the client broke off: {error}"))
}
