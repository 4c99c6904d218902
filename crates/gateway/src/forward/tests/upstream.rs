//! Upstreams under the tests' control, with certificates of the tests' own authority.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

pub(crate) type Reply = Response<BoxBody<Bytes, Infallible>>;

/// An authority, whose certificate lies in a file.
pub(crate) struct Ca {
    issuer: CertifiedIssuer<'static, KeyPair>,
    file: tempfile::NamedTempFile,
}

/// A server that runs until it is dropped.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    /// Connections that were accepted.
    pub(crate) connections: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

/// What a request looked like when it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) trailers: Option<HeaderMap>,
    pub(crate) http2: bool,
}

/// What a server offers and asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaks {
    Http1,
    Http2,
    Both,
    /// HTTP/1.1, and it asks for a client certificate.
    Mutual,
}

impl Ca {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let name = format!("test authority {}", ringfence_model::EventId::new());
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), issuer.pem()).unwrap();
        Self { issuer, file }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.file.path().to_owned()
    }

    /// A certificate in PEM and its key.
    pub(crate) fn issue(&self, params: &CertificateParams) -> (String, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key)
    }

    fn acceptor(&self, names: &[&str], speaks: Speaks) -> TlsAcceptor {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        self.acceptor_with(&CertificateParams::new(names).unwrap(), speaks)
    }

    fn acceptor_with(&self, params: &CertificateParams, speaks: Speaks) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = if speaks == Speaks::Mutual {
            let mut roots = rustls::RootCertStore::empty();
            roots
                .add(CertificateDer::from(self.issuer.der().to_vec()))
                .unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let chain = vec![certificate.der().clone()];
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let mut config = builder.with_single_cert(chain, key).unwrap();
        config.alpn_protocols = match speaks {
            Speaks::Http1 | Speaks::Mutual => vec![b"http/1.1".to_vec()],
            Speaks::Http2 => vec![b"h2".to_vec()],
            Speaks::Both => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        };
        TlsAcceptor::from(Arc::new(config))
    }
}

impl Upstream {
    /// A server for `api.test` and `other.test` that answers every request by `reply`.
    pub(crate) async fn start<F, R>(ca: &Ca, speaks: Speaks, reply: F) -> Self
    where
        F: Fn(Seen) -> R + Clone + Send + Sync + 'static,
        R: Future<Output = Reply> + Send + 'static,
    {
        let acceptor = ca.acceptor(
            &["api.test", "other.test", "third.test", "github.com"],
            speaks,
        );
        Self::serve(acceptor, move |stream| {
            let reply = reply.clone();
            async move { answer(stream, reply).await }
        })
        .await
    }

    /// A server that is handed the raw stream inside TLS.
    pub(crate) async fn raw<F, R>(ca: &Ca, speaks: Speaks, talk: F) -> Self
    where
        F: Fn(TlsStream<TcpStream>) -> R + Clone + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        Self::serve(ca.acceptor(&["api.test", "other.test"], speaks), talk).await
    }

    /// A server with this certificate, which answers nothing.
    pub(crate) async fn with_certificate(ca: &Ca, params: &CertificateParams) -> Self {
        let acceptor = ca.acceptor_with(params, Speaks::Both);
        Self::serve(acceptor, |_| std::future::ready(())).await
    }

    /// A server that says these octets once it has read a head, and then reads on.
    pub(crate) async fn saying(ca: &Ca, octets: impl Into<Vec<u8>>) -> Self {
        let octets: Arc<[u8]> = octets.into().into();
        Self::raw(ca, Speaks::Http1, move |mut stream| {
            let octets = Arc::clone(&octets);
            async move {
                read_head(&mut stream).await;
                let _ = stream.write_all(&octets).await;
                let _ = stream.flush().await;
                let mut rest = Vec::new();
                let _ = stream.read_to_end(&mut rest).await;
            }
        })
        .await
    }

    async fn serve<F, R>(acceptor: TlsAcceptor, talk: F) -> Self
    where
        F: Fn(TlsStream<TcpStream>) -> R + Clone + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let (acceptor, talk) = (acceptor.clone(), talk.clone());
                open.spawn(greet(acceptor, socket, talk));
            }
        });
        Self {
            address,
            connections,
            _tasks: tasks,
        }
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn greet<F, R>(acceptor: TlsAcceptor, socket: TcpStream, talk: F)
where
    F: Fn(TlsStream<TcpStream>) -> R,
    R: Future<Output = ()>,
{
    if let Ok(stream) = acceptor.accept(socket).await {
        talk(stream).await;
    }
}

async fn answer<F, R>(stream: TlsStream<TcpStream>, reply: F)
where
    F: Fn(Seen) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Reply> + Send + 'static,
{
    let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let service = service_fn(move |request: Request<Incoming>| {
        let reply = reply.clone();
        async move {
            let seen = see(request, http2).await;
            Ok::<_, Infallible>(reply(seen).await)
        }
    });
    let io = TokioIo::new(stream);
    if http2 {
        let _ = http2::Builder::new(TokioExecutor::new())
            .serve_connection(io, service)
            .await;
    } else {
        let _ = http1::Builder::new().serve_connection(io, service).await;
    }
}

async fn see(request: Request<Incoming>, http2: bool) -> Seen {
    let (head, body) = request.into_parts();
    let collected = body.collect().await;
    let trailers = collected
        .as_ref()
        .ok()
        .and_then(|it| it.trailers().cloned());
    let body = collected.map(http_body_util::Collected::to_bytes);
    Seen {
        method: head.method.to_string(),
        target: head.uri.to_string(),
        headers: head.headers,
        body: body.unwrap_or_default(),
        trailers,
        http2,
    }
}

/// Reads to the end of a head.
pub(crate) async fn read_head(stream: &mut TlsStream<TcpStream>) -> Vec<u8> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(octet) => head.push(octet),
            Err(_) => break,
        }
    }
    head
}

pub(crate) fn body(octets: impl Into<Bytes>) -> BoxBody<Bytes, Infallible> {
    Full::new(octets.into()).boxed()
}

pub(crate) fn reply(octets: impl Into<Bytes>) -> Reply {
    Response::new(body(octets))
}
