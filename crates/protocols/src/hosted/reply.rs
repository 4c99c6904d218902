//! What the gateway gets: responses of HTTP, and streams of events in them.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body::{Body, Frame as Piece};
use ringfence_gateway::http::{BodyError, ResponseBody, empty, full};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;

use super::limits::WHOLE_WAIT;
use super::process::{Answering, Process};
use super::router::Said;

/// The header that names a session.
pub(super) const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");

/// A response without a body.
pub(super) fn status(status: StatusCode) -> Response<ResponseBody> {
    let mut response = Response::new(empty());
    *response.status_mut() = status;
    response
}

/// A response that is one message.
pub(super) fn message(octets: Vec<u8>) -> Response<ResponseBody> {
    let mut response = Response::new(full(octets));
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// The response to one request: the answer, where it comes soon and alone, else a stream that ends
/// with it.
pub(super) async fn answer(
    process: &Arc<Process>,
    mut answering: Answering,
) -> Response<ResponseBody> {
    let first = timeout(WHOLE_WAIT, answering.stream.recv()).await;
    match first {
        Ok(Some(said)) if said.is_last => message(said.octets.clone()),
        Ok(None) => status(StatusCode::BAD_GATEWAY),
        first => events(Events {
            first: first.ok().flatten(),
            source: Source::Answer(answering),
            is_over: false,
            _process: Arc::clone(process),
        }),
    }
}

/// The response to who listens.
pub(super) fn listening(process: &Arc<Process>) -> Response<ResponseBody> {
    events(Events {
        first: None,
        source: Source::Listener(process.listen()),
        is_over: false,
        _process: Arc::clone(process),
    })
}

/// Names the session.
pub(super) fn in_session(
    mut response: Response<ResponseBody>,
    session: &str,
) -> Response<ResponseBody> {
    if let Ok(value) = HeaderValue::from_str(session) {
        response.headers_mut().insert(SESSION, value);
    }
    response
}

fn events(body: Events) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::new(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// A stream of events, each a message.
struct Events {
    first: Option<Said>,
    source: Source,
    is_over: bool,
    _process: Arc<Process>,
}

enum Source {
    Answer(Answering),
    Listener(UnboundedReceiver<Said>),
}

impl Body for Events {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Piece<Bytes>, BodyError>>> {
        let this = &mut *self;
        if this.is_over {
            return Poll::Ready(None);
        }
        let next = match this.first.take() {
            Some(said) => Poll::Ready(Some(said)),
            None => match &mut this.source {
                Source::Answer(answering) => answering.stream.poll_recv(cx),
                Source::Listener(stream) => stream.poll_recv(cx),
            },
        };
        next.map(|said| {
            let Some(said) = said else {
                this.is_over = true;
                return None;
            };
            this.is_over = said.is_last;
            Some(Ok(Piece::data(event(&said.octets))))
        })
    }
}

fn event(message: &[u8]) -> Bytes {
    let mut octets = Vec::with_capacity(message.len() + 32);
    octets.extend_from_slice(b"event: message\ndata: ");
    octets.extend_from_slice(message);
    octets.extend_from_slice(b"\n\n");
    octets.into()
}
