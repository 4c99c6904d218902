//! Serves an HTTP/1 connection, with or without TLS.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use ::http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::message::{Held, from_http1, words};
use super::service::Service;
use super::strict::Strict;
use super::turn::{Answering, Turn};
use crate::limits::{HTTP1_BUFFER, LINGER};
use crate::wire::http::HttpError;
use crate::wire::limits::HTTP_FIELDS;

/// Serves `client` to its end, also after it has become a WebSocket. `idle` is the longest wait
/// for a request.
pub(super) async fn serve<T, S>(
    client: Strict<T>,
    turn: Arc<Turn>,
    idle: Duration,
    service: Arc<S>,
) -> io::Result<()>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service,
{
    let _cut = Cut(Arc::clone(&turn));
    // In a box, so that a connection without a request does not keep the room for one.
    let answers =
        service_fn(|request| Box::pin(answer(Arc::clone(&service), Arc::clone(&turn), request)));
    let connection = Builder::new()
        .max_headers(HTTP_FIELDS + OWN_FIELDS)
        .max_buf_size(HTTP1_BUFFER)
        .header_read_timeout(None)
        .auto_date_header(false)
        .serve_connection(TokioIo::new(client), answers)
        .with_upgrades();
    tokio::pin!(connection);
    let served = tokio::select! {
        biased;
        served = &mut connection => served,
        // Also where the client does not read, so that the library does not look at the answer.
        error = turn.cut_short() => return Err(io::Error::other(error.to_string())),
        () = turn.activity().idle(idle) => {
            connection.as_mut().graceful_shutdown();
            timeout(LINGER, &mut connection).await.unwrap_or(Ok(()))
        }
    };
    served.map_err(|error| io::Error::other(words(&error)))?;
    if turn.switched() {
        turn.left().await;
    }
    Ok(())
}

async fn answer<S: Service>(
    service: Arc<S>,
    turn: Arc<Turn>,
    request: Request<Incoming>,
) -> Result<Response<Held<Answering>>, Infallible> {
    let (answering, fault, websocket) = turn.take();
    let mut response = match fault {
        Some(error) => service.refuse(error),
        None => service.call(from_http1(request, websocket)).await,
    };
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        if websocket {
            turn.switch();
        } else {
            response = service.refuse(HttpError::SwitchingProtocols);
        }
    }
    turn.hold(response.extensions_mut().remove());
    Ok(response.map(|body| Held::new(body, answering)))
}

/// Ends a switched connection together with the future that serves it.
struct Cut(Arc<Turn>);

impl Drop for Cut {
    fn drop(&mut self) {
        self.0.cut();
    }
}

/// Fields that [`super::strict`] writes beside those that were read.
const OWN_FIELDS: usize = 8;
