//! Whole intercepted connections over loopback sockets: a client that trusts the sandbox's
//! authority on one side, a service on the other.

mod http1;
mod http2;
mod tls;

use std::sync::{Arc, Mutex};

use ::http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use ringfence_model::Destination;
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::task::TaskTracker;

use super::*;
use crate::Limits;
use crate::http::{RequestBody, ResponseBody, full};
use crate::relay::Ending;
use crate::stream::Buffered;
use crate::testing::pair;
use crate::wire::http::HttpError;

/// Says back what it was asked, and remembers it.
#[derive(Default)]
struct Echo {
    asked: Mutex<Vec<String>>,
}

impl Service for Echo {
    async fn call(&self, request: Request<RequestBody>) -> Response<ResponseBody> {
        let (head, body) = request.into_parts();
        let body = match body.collect().await {
            Ok(whole) => String::from_utf8(whole.to_bytes().to_vec()).unwrap(),
            Err(error) => format!("<{error}>"),
        };
        let mut fields: Vec<_> = head
            .headers
            .iter()
            .map(|(name, value)| format!("{name}={}", value.to_str().unwrap()))
            .collect();
        fields.sort();
        let asked = format!("{} {} [{}] {body}", head.method, head.uri, fields.join(" "));
        self.asked.lock().unwrap().push(asked.clone());
        Response::new(full(asked))
    }

    fn refuse(&self, error: HttpError) -> Response<ResponseBody> {
        let mut response = Response::new(full(format!("refused: {error}")));
        *response.status_mut() = StatusCode::from_u16(error.status()).unwrap();
        response
    }
}

impl Echo {
    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn destination(text: &str) -> Destination {
    text.parse().unwrap()
}

/// A server that intercepts one connection to `api.test`, and the client's side of it.
async fn intercepted<S: Service>(
    authority: &Arc<Authority>,
    service: Arc<S>,
    limits: Limits,
) -> (TcpStream, JoinHandle<Ending>) {
    let (client, server) = pair().await;
    let authority = Arc::clone(authority);
    let serving = TaskTracker::new().spawn(async move {
        let place = destination("api.test:443");
        let server = Buffered::new(server);
        let opened = accept(&authority, server, &place.host, &place, limits.head_timeout);
        match opened.await {
            Ok(opened) => opened.serve(&limits, service).await,
            Err(fault) => Ending::Broken(std::io::Error::other(fault.to_string())),
        }
    });
    (client, serving)
}

/// How a client that trusts `authority` speaks TLS with these protocols.
pub(crate) fn client_config(authority: &Authority, protocols: &[&str]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    let pem = authority.pem().as_bytes();
    roots
        .add(rustls::pki_types::CertificateDer::from_pem_slice(pem).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols
        .iter()
        .map(|name| name.as_bytes().to_vec())
        .collect();
    config
}

pub(crate) async fn connect(
    config: ClientConfig,
    name: &'static str,
    socket: TcpStream,
) -> std::io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(name).unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, socket)
        .await
}
