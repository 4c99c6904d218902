//! Serves an HTTP/2 connection.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use ::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http2::Builder;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::linger::Lingering;
use super::message::{Held, streamed, words};
use super::place::Place;
use super::service::Service;
use super::streams::Streams;
use super::turn::{Activity, Busy};
use crate::http::RequestBody;
use crate::limits::{
    HTTP2_HEADER_OCTETS, HTTP2_RESETS, HTTP2_SEND_OCTETS, HTTP2_STREAMS, HTTP2_WINDOW, LINGER,
    LINGER_IDLE,
};
use crate::local::Tasks;
use crate::wire::http::{HttpError, read_http2};

/// Serves `client` to its end. `idle` is the longest wait for a request.
pub(super) async fn serve<T, S>(
    client: T,
    place: &Place,
    activity: &Arc<Activity>,
    idle: Duration,
    service: Arc<S>,
) -> io::Result<()>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service,
{
    let place = Arc::new(place.clone());
    let mut tasks = Tasks::default();
    let streams = Streams::new(tasks.inbox());
    let answers = {
        let (activity, streams) = (Arc::clone(activity), streams.clone());
        service_fn(move |request| {
            let held = (activity.begin(), streams.clone());
            answer(Arc::clone(&service), Arc::clone(&place), held, request)
        })
    };
    let connection = Builder::new(streams)
        .max_concurrent_streams(HTTP2_STREAMS)
        .max_header_list_size(HTTP2_HEADER_OCTETS)
        .max_pending_accept_reset_streams(HTTP2_RESETS)
        .max_local_error_reset_streams(HTTP2_RESETS)
        .max_send_buf_size(HTTP2_SEND_OCTETS)
        .initial_stream_window_size(HTTP2_WINDOW)
        .initial_connection_window_size(HTTP2_WINDOW * 4)
        .auto_date_header(false)
        .serve_connection(TokioIo::new(Lingering::new(client)), answers);
    tokio::pin!(connection);
    let mut driven = poll_fn(|cx| {
        let ended = connection.as_mut().poll(cx);
        tasks.poll(cx);
        ended.map_err(|error| io::Error::other(words(&error)))
    });
    let patience = tokio::select! {
        biased;
        served = &mut driven => return served,
        () = activity.unfit() => LINGER,
        () = activity.idle(idle) => LINGER_IDLE,
    };
    drop(driven);
    connection.as_mut().graceful_shutdown();
    let rest = poll_fn(|cx| {
        let ended = connection.as_mut().poll(cx);
        tasks.poll(cx);
        match ended {
            Poll::Ready(_) => Poll::Ready(()),
            Poll::Pending => Poll::Pending,
        }
    });
    let _ = timeout(patience, rest).await;
    Ok(())
}

async fn answer<S: Service>(
    service: Arc<S>,
    place: Arc<Place>,
    (busy, streams): (Busy, Streams),
    request: Request<Incoming>,
) -> Result<Response<Held<Busy>>, Infallible> {
    let mut response = match admit(request, &place) {
        Ok(request) => service.call(request).await,
        Err(error) => {
            busy.refuse(error);
            service.refuse(error)
        }
    };
    streams.hold(response.extensions_mut().remove());
    Ok(response.map(|body| Held::new(body, busy)))
}

/// The request in the form in which HTTP/1 brings it, for the host that was decided on.
fn admit(request: Request<Incoming>, place: &Place) -> Result<Request<RequestBody>, HttpError> {
    let (mut parts, body) = request.into_parts();
    let authority = read_http2(&mut parts, place.scheme)?;
    place.check_authority(&authority)?;
    Ok(Request::from_parts(parts, streamed(body)))
}
