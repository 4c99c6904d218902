//! Requests to Ringfence itself, from whoever operates it: for example a scrape of its metrics. They
//! come on a listener of the host, never out of a sandbox. A connection serves one request, and all
//! of it is bounded: how many there are, how long one takes, how long its head is. A body is not read.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::limits::{OWN_ACCEPT_PAUSE, OWN_CONNECTIONS, OWN_HEAD_OCTETS, OWN_HEADERS, OWN_SERVED};

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnQuestion {
    /// For example `GET`.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The query, without `?`; empty where there is none.
    pub query: String,
    /// Names in lower case, and values that are text.
    pub headers: Vec<(String, String)>,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnAnswer {
    /// The status code.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(&'static str, &'static str)>,
    /// The body.
    pub body: String,
}

impl OwnQuestion {
    /// The value of a header that is there exactly once; none where it is there more often.
    #[must_use]
    pub fn header(&self, wanted: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(name, _)| name == wanted);
        let first = found.next();
        first
            .filter(|_| found.next().is_none())
            .map(|(_, value)| value.as_str())
    }
}

/// Serves a listener for as long as it is polled.
///
/// # Errors
/// Where the listener cannot be used.
pub async fn serve_own(
    listener: std::net::TcpListener,
    answer: impl Fn(&OwnQuestion) -> OwnAnswer + Send + Sync + 'static,
) -> io::Result<Infallible> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let answer = Arc::new(answer);
    let mut connections = JoinSet::new();
    loop {
        let is_room = connections.len() < OWN_CONNECTIONS;
        tokio::select! {
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if is_room => match accepted {
                Ok((client, _)) => {
                    let served = serve(client, Arc::clone(&answer));
                    connections.spawn(timeout(OWN_SERVED, served));
                }
                // Most likely there is no descriptor to be had right now.
                Err(_) => sleep(OWN_ACCEPT_PAUSE).await,
            },
        }
    }
}

async fn serve(client: TcpStream, answer: Arc<impl Fn(&OwnQuestion) -> OwnAnswer>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let answered = written(answer(&question(&request)));
        async move { Ok::<_, Infallible>(answered) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(OWN_SERVED)
        .max_buf_size(OWN_HEAD_OCTETS)
        .max_headers(OWN_HEADERS)
        .keep_alive(false)
        .serve_connection(TokioIo::new(client), service);
    // Whoever breaks off gets no answer; there is nobody to tell.
    let _ = connection.await;
}

fn question(request: &Request<Incoming>) -> OwnQuestion {
    let text = |value: &HeaderValue| value.to_str().map(str::to_owned).ok();
    let headers = request.headers().iter();
    OwnQuestion {
        method: request.method().as_str().to_owned(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        headers: headers
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), text(value)?)))
            .collect(),
    }
}

fn written(answer: OwnAnswer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(answer.body)));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        let name = HeaderName::from_static(name);
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

#[cfg(test)]
mod tests;
