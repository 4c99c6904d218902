//! Sends requests. Names and connections are those of the sandbox: all of them end at its gateway,
//! which decides on each request and puts credentials in. So there is nothing here that could be
//! kept from one request to the next, and nothing secret.

mod tls;

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, Method, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::error::CallError;
use crate::http::Base;
use crate::limits::{HEAD_OCTETS, REDIRECTS};

/// A request that is complete but for what the gateway adds.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) base: Base,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A response.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The media type, in lower case, without parameters.
    pub(crate) kind: String,
    pub(crate) body: Vec<u8>,
    /// Whether the body was longer.
    pub(crate) is_cut: bool,
    location: Option<String>,
}

/// Why there is no response.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unanswered {
    #[error("{0} cannot be reached: {1}")]
    Connect(String, std::io::Error),
    #[error("{0} did not answer as HTTP does: {1}")]
    Http(String, hyper::Error),
    #[error("{host} did not answer within {} s", .time.as_secs())]
    TimedOut { host: String, time: Duration },
    #[error("{0} answers in an encoding that was not asked for")]
    Encoded(String),
    #[error("{0}")]
    Trust(#[from] tls::TrustError),
}

impl From<Unanswered> for CallError {
    fn from(error: Unanswered) -> Self {
        Self(error.to_string())
    }
}

/// Sends requests.
#[derive(Debug)]
pub(crate) struct Client {
    tls: tls::Tls,
}

impl Client {
    /// `authorities` is the file with the authorities that the sandbox trusts.
    pub(crate) const fn new(authorities: Option<PathBuf>) -> Self {
        Self {
            tls: tls::Tls::new(authorities),
        }
    }

    /// Sends a request, follows redirects within its host where it only reads, and reads at most
    /// so many octets of the answer.
    pub(crate) async fn send(
        &self,
        mut request: Request,
        (time, octets): (Duration, usize),
    ) -> Result<Answer, Unanswered> {
        let host = request.base.authority();
        let exchange = async {
            let mut left = REDIRECTS;
            loop {
                let answer = self.exchange(&request, octets).await?;
                let next = answer.redirect(&request).filter(|_| left > 0);
                let Some(next) = next else { return Ok(answer) };
                request.target = next;
                left -= 1;
            }
        };
        match timeout(time, exchange).await {
            Ok(answer) => answer,
            Err(_) => Err(Unanswered::TimedOut { host, time }),
        }
    }

    async fn exchange(&self, request: &Request, octets: usize) -> Result<Answer, Unanswered> {
        let (host, port) = (request.base.host.as_str(), request.base.port);
        let name = host.trim_start_matches('[').trim_end_matches(']');
        #[expect(
            clippy::disallowed_methods,
            reason = "this runs inside of a sandbox, whose gateway takes every connection and decides"
        )]
        let socket = TcpStream::connect((name, port)).await;
        let socket = socket.map_err(|error| Unanswered::Connect(host.to_owned(), error))?;
        if request.base.is_https {
            let stream = self.tls.connect(name, socket).await?;
            return talk(stream, request, octets).await;
        }
        talk(socket, request, octets).await
    }
}

async fn talk<S>(stream: S, request: &Request, octets: usize) -> Result<Answer, Unanswered>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let host = || request.base.authority();
    let failed = |error| Unanswered::Http(host(), error);
    let mut message = http::Request::new(Full::new(request.body.clone()));
    *message.method_mut() = request.method.clone();
    *message.headers_mut() = request.headers.clone();
    let target = if request.target.is_empty() {
        "/"
    } else {
        &request.target
    };
    if let Ok(target) = target.parse() {
        *message.uri_mut() = target;
    }
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD_OCTETS)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(failed)?;
    let exchange = async {
        let response = sender.send_request(message).await.map_err(failed)?;
        read(response, octets, &host()).await
    };
    let mut exchange = std::pin::pin!(exchange);
    // The connection moves the octets; when it has ended, what came is still to be read.
    tokio::select! {
        biased;
        answer = &mut exchange => answer,
        _ = connection => exchange.await,
    }
}

async fn read(
    response: Response<Incoming>,
    octets: usize,
    host: &str,
) -> Result<Answer, Unanswered> {
    let (head, mut incoming) = response.into_parts();
    let text = |name| head.headers.get(name).and_then(|it| it.to_str().ok());
    if text(CONTENT_ENCODING).is_some_and(|it| !it.eq_ignore_ascii_case("identity")) {
        return Err(Unanswered::Encoded(host.to_owned()));
    }
    let kind = text(CONTENT_TYPE).and_then(|it| it.split(';').next());
    let kind = kind.unwrap_or_default().trim().to_ascii_lowercase();
    let location = text(LOCATION).map(str::to_owned);
    let (mut body, mut is_cut) = (Vec::new(), false);
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|error| Unanswered::Http(host.to_owned(), error))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        let room = octets.saturating_sub(body.len());
        body.extend_from_slice(data.get(..room).unwrap_or(&data));
        if data.len() > room {
            is_cut = true;
            break;
        }
    }
    Ok(Answer {
        status: head.status.as_u16(),
        kind,
        body,
        is_cut,
        location,
    })
}

impl Answer {
    /// Where a request that only reads goes on, where it is the same host.
    fn redirect(&self, request: &Request) -> Option<String> {
        let reads = matches!(request.method, Method::GET | Method::HEAD);
        if !reads || !matches!(self.status, 301 | 302 | 303 | 307 | 308) {
            return None;
        }
        let location = self.location.as_deref()?;
        let target = match Base::read(location) {
            Ok((base, target)) if base == request.base => target,
            Ok(_) => return None,
            // A path; what starts with two slashes is another host.
            Err(_) if location.starts_with('/') && !location.starts_with("//") => location,
            Err(_) => return None,
        };
        let target = target.split('#').next().unwrap_or_default();
        let is_plain = |octet: u8| octet.is_ascii_graphic() && octet != b'\\';
        let is_target = target.starts_with('/') && target.bytes().all(is_plain);
        is_target.then(|| target.to_owned())
    }

    /// An answer as if one had come.
    #[cfg(test)]
    pub(crate) fn of(status: u16, body: String) -> Self {
        Self {
            status,
            kind: "application/json".to_owned(),
            body: body.into_bytes(),
            is_cut: false,
            location: None,
        }
    }

    /// Where it leads, if it was not followed.
    pub(crate) fn location(&self) -> Option<&str> {
        self.location.as_deref()
    }

    pub(crate) fn is_json(&self) -> bool {
        self.kind == "application/json" || self.kind.ends_with("+json")
    }
}

#[cfg(test)]
mod tests;
