//! Requests of Ringfence's own, for the control side: token endpoints, secret stores and collectors.
//! No agent chooses where they lead or what they say. TLS is always verified, a redirect is an answer
//! like any other, and what comes back is bounded.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use http::header::{HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use http::{Method, Request, Response, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioIo, TokioTimer};
use ringfence_model::{Destination, Scheme, Secret};
use ringfence_policy::{AddressGrant, Cidr, CidrError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use crate::config::{Config, ConfigError};
use crate::dial::{DialError, Dialer};
use crate::http::authority;
use crate::limits::{OWN_EXCHANGE, OWN_HEADER_OCTETS, OWN_HEADERS, OWN_RESPONSE_OCTETS};
use crate::local::Tasks;
use crate::tls::{Offer, TlsError, UpstreamTls};

/// Sends requests of Ringfence's own. Clones share one configuration.
#[derive(Clone)]
pub struct Outbound {
    parts: Arc<Parts>,
    /// The addresses that it keeps to; none where the person who configures Ringfence has named all
    /// that it is sent to.
    addresses: Option<Arc<AddressGrant>>,
}

struct Parts {
    dialer: Dialer,
    tls: UpstreamTls,
}

/// One request.
#[derive(Debug, Clone)]
pub struct OwnRequest {
    /// For example `POST`.
    pub method: String,
    /// Where to.
    pub url: OwnUrl,
    /// Names and whole values, beyond `Host` and `Content-Length`.
    pub headers: Vec<(String, Secret)>,
    /// The body, often a secret itself.
    pub body: Secret,
}

/// Where a request leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnUrl {
    /// Plain text or TLS.
    pub scheme: Scheme,
    /// Host and port.
    pub destination: Destination,
    /// The path, and the query where there is one, encoded.
    pub path_and_query: String,
}

/// What came back.
#[derive(Clone)]
pub struct OwnResponse {
    /// The status code.
    pub status: u16,
    /// Names in lower case, and values that are text.
    pub headers: Vec<(String, String)>,
    /// The body, which may be a secret itself.
    pub body: Secret,
    /// What came after the body, as the headers. None over HTTP/1.
    pub trailers: Vec<(String, String)>,
}

impl fmt::Debug for OwnResponse {
    /// Shows the names of the headers only: their values may be secrets as well.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("OwnResponse")
            .field("status", &self.status)
            .field("headers", &names)
            .field("body", &self.body)
            .finish()
    }
}

/// Why nothing came back. The words hold no secret of the request.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// It cannot be written as HTTP.
    #[error("the request cannot be written: {0}")]
    Request(&'static str),
    /// There is no connection.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// There is no TLS connection.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// It broke off, or is not HTTP.
    #[error("no answer came: {0}")]
    Exchange(String),
    /// It is too long.
    #[error("the answer is longer than {OWN_RESPONSE_OCTETS} octets")]
    TooLarge,
    /// It took too long.
    #[error("no answer came in time")]
    TimedOut,
}

impl Outbound {
    /// For requests by this configuration: its host map, proxy, name servers and authorities.
    ///
    /// # Errors
    /// Where the configuration cannot be used.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        let tls = UpstreamTls::new(&config.dial.extra_roots)?;
        let dialer = Dialer::new(config.clone())?;
        let parts = Arc::new(Parts { dialer, tls });
        Ok(Self {
            parts,
            addresses: None,
        })
    }

    /// The same, but only for public addresses and those in `networks`, each `ADDRESS/PREFIX`: for
    /// places that somebody else names. What the host map names is the person's own word.
    ///
    /// # Errors
    /// Where a text is no network.
    pub fn within<'a>(&self, networks: impl Iterator<Item = &'a str>) -> Result<Self, CidrError> {
        let networks: Result<Vec<Cidr>, CidrError> = networks.map(str::parse).collect();
        Ok(Self {
            parts: Arc::clone(&self.parts),
            addresses: Some(Arc::new(AddressGrant::beside_public(&networks?))),
        })
    }

    /// Whether somebody else resolves the name of this destination: then nobody here can tell what
    /// kind of address it leads to.
    #[must_use]
    pub fn is_resolved_elsewhere(&self, destination: &Destination) -> bool {
        destination.host.name().is_some() && self.parts.dialer.is_proxied(destination)
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// See [`OutboundError`].
    pub async fn send(&self, request: OwnRequest) -> Result<OwnResponse, OutboundError> {
        timeout(OWN_EXCHANGE, self.send_by(request, Version::Http1))
            .await
            .map_err(|_| OutboundError::TimedOut)?
    }

    /// The same over HTTP/2, which an upstream in plain text has to speak without being asked.
    ///
    /// # Errors
    /// See [`OutboundError`].
    pub async fn send_http2(&self, request: OwnRequest) -> Result<OwnResponse, OutboundError> {
        timeout(OWN_EXCHANGE, self.send_by(request, Version::Http2))
            .await
            .map_err(|_| OutboundError::TimedOut)?
    }

    async fn send_by(
        &self,
        request: OwnRequest,
        version: Version,
    ) -> Result<OwnResponse, OutboundError> {
        let addresses = self.addresses.as_deref();
        self.parts.send(request, version, addresses).await
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    Http1,
    Http2,
}

impl Parts {
    async fn send(
        &self,
        request: OwnRequest,
        version: Version,
        addresses: Option<&AddressGrant>,
    ) -> Result<OwnResponse, OutboundError> {
        let url = request.url.clone();
        let mut request = write(request)?;
        if version == Version::Http2 {
            place_authority(&mut request, &url)?;
        }
        let dialled = match addresses {
            Some(addresses) => self.dialer.dial(&url.destination, addresses).await?,
            None => self.dialer.dial_configured(&url.destination).await?,
        };
        let (socket, ahead) = dialled.stream.into_parts();
        if !ahead.is_empty() {
            let reason = "it spoke before it was asked".to_owned();
            return Err(OutboundError::Exchange(reason));
        }
        match url.scheme {
            Scheme::Http => exchange_by(version, socket, request).await,
            Scheme::Https => {
                let host = &url.destination.host;
                let offer = match version {
                    Version::Http1 => Offer::Http1,
                    Version::Http2 => Offer::Both,
                };
                let connecting = self.tls.connect(socket, host, (offer, None), OWN_EXCHANGE);
                let stream = connecting.await?;
                let spoken = stream.get_ref().1.alpn_protocol();
                if version == Version::Http2 && spoken != Some(b"h2") {
                    let reason = "it does not speak HTTP/2".to_owned();
                    return Err(OutboundError::Exchange(reason));
                }
                exchange_by(version, stream, request).await
            }
        }
    }
}

fn write(request: OwnRequest) -> Result<Request<Full<Bytes>>, OutboundError> {
    let unusable = OutboundError::Request;
    if request.headers.len() > OWN_HEADERS {
        return Err(unusable("it has too many headers"));
    }
    let method = Method::from_bytes(request.method.as_bytes());
    let uri: Uri = request
        .url
        .path_and_query
        .parse()
        .map_err(|_| unusable("its path is not valid"))?;
    if uri.authority().is_some() || !uri.path().starts_with('/') {
        return Err(unusable("its path does not start with `/`"));
    }
    let mut written = Request::new(Full::new(Bytes::copy_from_slice(request.body.expose())));
    *written.method_mut() = method.map_err(|_| unusable("its method is not valid"))?;
    *written.uri_mut() = uri;
    let host = authority(&request.url.destination, request.url.scheme);
    let host = HeaderValue::try_from(host).map_err(|_| unusable("its host is not valid"))?;
    let headers = written.headers_mut();
    headers.insert(USER_AGENT, HeaderValue::from_static("ringfence"));
    for (name, value) in &request.headers {
        let name = HeaderName::try_from(name.as_str())
            .map_err(|_| unusable("the name of a header is not valid"))?;
        let mut value = HeaderValue::from_bytes(value.expose())
            .map_err(|_| unusable("the value of a header is not valid"))?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    headers.insert(HOST, host);
    Ok(written)
}

/// HTTP/2 has scheme and host in the target, in place of the header.
fn place_authority(request: &mut Request<Full<Bytes>>, url: &OwnUrl) -> Result<(), OutboundError> {
    let uri = Uri::builder()
        .scheme(url.scheme.as_str())
        .authority(authority(&url.destination, url.scheme))
        .path_and_query(url.path_and_query.as_str())
        .build();
    *request.uri_mut() = uri.map_err(|_| OutboundError::Request("its host is not valid"))?;
    request.headers_mut().remove(HOST);
    Ok(())
}

async fn exchange_by<S>(
    version: Version,
    stream: S,
    request: Request<Full<Bytes>>,
) -> Result<OwnResponse, OutboundError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    match version {
        Version::Http1 => exchange(stream, request).await,
        Version::Http2 => exchange_http2(stream, request).await,
    }
}

/// One exchange on a connection of its own, which ends with it.
async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<OwnResponse, OutboundError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broke = |error: hyper::Error| OutboundError::Exchange(error.to_string());
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(broke)?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(broke)?;
        read(response).await
    };
    tokio::pin!(answer, connection);
    tokio::select! {
        answer = &mut answer => answer,
        // The connection may be over before the last of the answer was taken from it.
        ended = &mut connection => {
            ended.map_err(broke)?;
            answer.await
        }
    }
}

/// The same over HTTP/2: the tasks of the connection run in here, and end with it.
async fn exchange_http2<S>(
    stream: S,
    request: Request<Full<Bytes>>,
) -> Result<OwnResponse, OutboundError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broke = |error: hyper::Error| OutboundError::Exchange(error.to_string());
    let mut tasks = Tasks::default();
    let shaking = http2::Builder::new(tasks.inbox())
        .timer(TokioTimer::new())
        .max_header_list_size(OWN_HEADER_OCTETS)
        .handshake(TokioIo::new(stream));
    let (mut sender, connection) = shaking.await.map_err(broke)?;
    tasks.inbox().spawn(async {
        // Its request learns of its fate as well.
        let _ = connection.await;
    });
    let answer = async {
        let response = sender.send_request(request).await.map_err(broke)?;
        read(response).await
    };
    tokio::pin!(answer);
    poll_fn(|cx| {
        tasks.poll(cx);
        match answer.as_mut().poll(cx) {
            Poll::Ready(answer) => Poll::Ready(answer),
            Poll::Pending => {
                // What was asked just now may be done at once.
                tasks.poll(cx);
                Poll::Pending
            }
        }
    })
    .await
}

async fn read(response: Response<Incoming>) -> Result<OwnResponse, OutboundError> {
    let (head, body) = response.into_parts();
    let body = Limited::new(body, OWN_RESPONSE_OCTETS).collect().await;
    let body = body.map_err(|error| {
        if error.is::<http_body_util::LengthLimitError>() {
            OutboundError::TooLarge
        } else {
            OutboundError::Exchange(error.to_string())
        }
    })?;
    Ok(OwnResponse {
        status: head.status.as_u16(),
        headers: texts(&head.headers),
        trailers: body.trailers().map(texts).unwrap_or_default(),
        body: Secret::new(body.to_bytes()),
    })
}

fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| value.to_str().map(str::to_owned).ok();
    let headers = headers.iter();
    headers
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), text(value)?)))
        .collect()
}

#[cfg(test)]
mod tests;
