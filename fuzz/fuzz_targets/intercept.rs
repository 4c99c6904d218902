//! A whole intercepted connection: what the client sends reaches the service only as a request of one meaning, and whatever
//! it sends, the connection ends when the client has closed. The first octet chooses HTTP/1 without TLS, HTTP/1 in TLS, or
//! HTTP/2 with or without its preface.

#![no_main]

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use http::header::{CONNECTION, HOST, TRANSFER_ENCODING, UPGRADE};
use http_body_util::BodyExt;
use libfuzzer_sys::fuzz_target;
use ringfence_gateway::http::{RequestBody, ResponseBody, full};
use ringfence_gateway::intercept::{Authority, Service, accept, plain};
use ringfence_gateway::wire::http::HttpError;
use ringfence_gateway::{Buffered, Limits};
use ringfence_model::Destination;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsConnector;

fuzz_target!(|input: &[u8]| {
    let Some((kind, octets)) = input.split_first() else {
        return;
    };
    WORLD.runtime.block_on(async {
        let running = connection(kind % 4, octets);
        tokio::time::timeout(Duration::from_secs(4), running)
            .await
            .expect("the connection ends");
    });
});

struct World {
    runtime: Runtime,
    listener: TcpListener,
    authority: Authority,
    clients: [Arc<ClientConfig>; 2],
    destination: Destination,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let authority = Authority::new().unwrap();
    World {
        clients: ["http/1.1", "h2"].map(|protocol| client(&authority, protocol)),
        destination: "api.test:443".parse().unwrap(),
        runtime,
        listener,
        authority,
    }
});

fn client(authority: &Authority, protocol: &str) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let pem = authority.pem().as_bytes();
    roots
        .add(CertificateDer::from_pem_slice(pem).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    Arc::new(config)
}

async fn connection(kind: u8, octets: &[u8]) {
    let address = WORLD.listener.local_addr().unwrap();
    let (near, far) = tokio::join!(TcpStream::connect(address), WORLD.listener.accept());
    let (client, server) = (near.unwrap(), Buffered::new(far.unwrap().0));
    let serving = async {
        let limits = Limits::default();
        let opened = if kind == 0 {
            plain(server, &WORLD.destination)
        } else {
            let (host, limit) = (&WORLD.destination.host, limits.head_timeout);
            accept(&WORLD.authority, server, host, &WORLD.destination, limit)
                .await
                .unwrap()
        };
        opened.serve(&limits, Arc::new(Judge)).await;
    };
    let sending = async {
        let Some(config) = kind
            .checked_sub(1)
            .and_then(|kind| WORLD.clients.get(usize::from(kind).min(1)))
        else {
            return send(client, &[octets]).await;
        };
        let name = ServerName::try_from("api.test").unwrap();
        let stream = TlsConnector::from(Arc::clone(config))
            .connect(name, client)
            .await
            .unwrap();
        match kind {
            2 => send(stream, &[PREFACE, octets]).await,
            _ => send(stream, &[octets]).await,
        }
    };
    tokio::join!(serving, sending);
}

/// Sends and hears at the same time; the other side may close at any time.
async fn send(stream: impl AsyncRead + AsyncWrite, parts: &[&[u8]]) {
    let (mut from, mut to) = tokio::io::split(stream);
    let sending = async {
        for part in parts {
            let _ = to.write_all(part).await;
        }
        let _ = to.shutdown().await;
    };
    let hearing = async {
        let mut octets = [0; 4096];
        while let Ok(1..) = from.read(&mut octets).await {}
    };
    tokio::join!(sending, hearing);
}

/// Sees to it that only requests of one meaning come.
struct Judge;

impl Service for Judge {
    async fn call(&self, request: http::Request<RequestBody>) -> http::Response<ResponseBody> {
        let (head, body) = request.into_parts();
        assert_ne!(head.method, "CONNECT");
        assert!(head.uri.authority().is_none() && head.uri.scheme().is_none());
        let path = head.uri.path();
        assert!(path == "*" || path.starts_with('/'), "{path}");
        assert!(!path.contains("//") && path.split('/').all(|part| part != "." && part != ".."));
        assert!(!head.headers.contains_key(HOST) && !head.headers.contains_key(TRANSFER_ENCODING));
        let websocket = head
            .headers
            .get(UPGRADE)
            .is_some_and(|value| value == "websocket");
        assert!(websocket || !head.headers.contains_key(CONNECTION));
        let octets = body
            .collect()
            .await
            .map_or(0, |whole| whole.to_bytes().len());
        http::Response::new(full(octets.to_string()))
    }

    fn refuse(&self, error: HttpError) -> http::Response<ResponseBody> {
        let mut response = http::Response::new(full(error.to_string()));
        *response.status_mut() = http::StatusCode::from_u16(error.status()).unwrap();
        response
    }
}

/// With empty settings.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
