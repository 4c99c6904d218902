//! Requests and answers on their way between the library and the [`Service`](super::Service).

use std::error::Error as _;
use std::pin::Pin;
use std::task::{Context, Poll};

use ::http::Request;
use ::http::header::{CONNECTION, EXPECT, HOST, TE, TRANSFER_ENCODING, UPGRADE};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use crate::http::{BodyError, RequestBody, ResponseBody};

/// A request that [`super::strict`] has read and written, without what speaks about the
/// connection.
pub(super) fn from_http1(request: Request<Incoming>, websocket: bool) -> Request<RequestBody> {
    let (mut parts, body) = request.into_parts();
    for name in [HOST, TRANSFER_ENCODING, EXPECT, TE] {
        parts.headers.remove(name);
    }
    if !websocket {
        parts.headers.remove(CONNECTION);
        parts.headers.remove(UPGRADE);
    }
    Request::from_parts(parts, streamed(body))
}

/// The body of a request as it comes.
pub(super) fn streamed(body: Incoming) -> RequestBody {
    RequestBody::new(body.map_err(|error| BodyError::Client(words(&error))))
}

/// What went wrong, from the first cause on.
pub(super) fn words(error: &hyper::Error) -> String {
    match error.source() {
        Some(cause) => cause.to_string(),
        None => error.to_string(),
    }
}

/// The body of an answer, and what is held until it is whole or given up.
pub(super) struct Held<H> {
    body: ResponseBody,
    _held: H,
}

impl<H> Held<H> {
    pub(super) const fn new(body: ResponseBody, held: H) -> Self {
        Self { body, _held: held }
    }
}

impl<H: Unpin> Body for Held<H> {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
