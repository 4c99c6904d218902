//! TLS toward upstreams. A certificate is verified against the system's authorities and those that
//! configuration adds, always; there is no way to skip it. What is wrong with one is said in words.

mod error;
mod identity;

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ringfence_model::Host;
use rustls::CipherSuite;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, client::danger::ServerCertVerifier};
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::config::ConfigError;
use crate::limits::TLS_CONFIGS;
pub use error::TlsError;
pub(crate) use identity::ClientIdentity;

/// The HTTP versions that are offered to an upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Offer {
    /// HTTP/1.1 alone.
    Http1,
    /// HTTP/2, else HTTP/1.1.
    Both,
}

/// What is needed to speak TLS with upstreams. The authorities of the system are read when the
/// first connection needs them.
pub(crate) struct UpstreamTls {
    extra_roots: Vec<CertificateDer<'static>>,
    verifier: OnceCell<Arc<Verifier>>,
    configs: Mutex<HashMap<Kind, Arc<ClientConfig>>>,
}

/// Connections of one kind share a configuration, and with it the sessions that can be resumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Kind {
    offer: Offer,
    identity: Option<[u8; 32]>,
}

impl UpstreamTls {
    /// Reads the authorities that configuration adds.
    ///
    /// # Errors
    /// Where a file of them cannot be used.
    pub(crate) fn new(extra_roots: &[impl AsRef<Path>]) -> Result<Self, ConfigError> {
        let mut roots = Vec::new();
        for path in extra_roots {
            roots.extend(read_roots(path.as_ref())?);
        }
        Ok(Self {
            extra_roots: roots,
            verifier: OnceCell::new(),
            configs: Mutex::default(),
        })
    }

    /// The handshake on a connection to `host`.
    pub(crate) async fn connect(
        &self,
        socket: TcpStream,
        host: &Host,
        (offer, identity): (Offer, Option<&ClientIdentity>),
        wait: Duration,
    ) -> Result<TlsStream<TcpStream>, TlsError> {
        let config = self.config(offer, identity).await?;
        let handshake = TlsConnector::from(config).connect(server_name(host)?, socket);
        match timeout(wait, handshake).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(TlsError::of(host, &error)),
            Err(_) => Err(TlsError::TimedOut(host.clone())),
        }
    }

    async fn config(
        &self,
        offer: Offer,
        identity: Option<&ClientIdentity>,
    ) -> Result<Arc<ClientConfig>, TlsError> {
        let kind = Kind {
            offer,
            identity: identity.map(ClientIdentity::fingerprint),
        };
        let configs = || self.configs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = configs().get(&kind) {
            return Ok(Arc::clone(config));
        }
        let verifier = self.verifier().await?;
        let config = Arc::new(build(verifier, offer, identity)?);
        let mut configs = configs();
        if configs.len() >= TLS_CONFIGS {
            configs.clear();
        }
        Ok(Arc::clone(configs.entry(kind).or_insert(config)))
    }

    async fn verifier(&self) -> Result<Arc<Verifier>, TlsError> {
        let build = || async {
            let extra = self.extra_roots.clone();
            let built = spawn_blocking(move || Verifier::new_with_extra_roots(extra, provider()));
            match built.await {
                Ok(Ok(verifier)) => Ok(Arc::new(verifier)),
                Ok(Err(error)) => Err(TlsError::Roots(error.to_string())),
                Err(error) => Err(TlsError::Roots(error.to_string())),
            }
        };
        self.verifier.get_or_try_init(build).await.cloned()
    }
}

/// The one implementation of cryptography that this program uses. AES-128 comes first, as in browsers:
/// its SHA-256 has help from the processor, where SHA-384 takes a measurable part of a handshake.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    let first = CipherSuite::TLS13_AES_128_GCM_SHA256;
    provider
        .cipher_suites
        .sort_by_key(|known| known.suite() != first);
    Arc::new(provider)
}

fn build(
    verifier: Arc<dyn ServerCertVerifier>,
    offer: Offer,
    identity: Option<&ClientIdentity>,
) -> Result<ClientConfig, TlsError> {
    let unusable = |error: rustls::Error| TlsError::Identity(error.to_string());
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let (chain, key) = identity.parts();
            builder
                .with_client_auth_cert(chain, key)
                .map_err(unusable)?
        }
    };
    let http1 = b"http/1.1".to_vec();
    config.alpn_protocols = match offer {
        Offer::Http1 => vec![http1],
        Offer::Both => vec![b"h2".to_vec(), http1],
    };
    Ok(config)
}

fn server_name(host: &Host) -> Result<ServerName<'static>, TlsError> {
    match host {
        Host::Address(address) => Ok(ServerName::IpAddress((*address).into())),
        Host::Name(name) => {
            ServerName::try_from(name.as_str().to_owned()).map_err(|error| TlsError::Handshake {
                host: host.clone(),
                reason: error.to_string(),
            })
        }
    }
}

fn read_roots(path: &Path) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let broken = |reason: String| ConfigError::ExtraRoot {
        path: path.to_owned(),
        reason,
    };
    let pem = fs::read(path).map_err(|error| broken(error.to_string()))?;
    let mut store = rustls::RootCertStore::empty();
    let mut roots = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| broken(error.to_string()))?;
        store
            .add(certificate.clone())
            .map_err(|error| broken(error.to_string()))?;
        roots.push(certificate);
    }
    if roots.is_empty() {
        return Err(broken("it holds no certificate in PEM".to_owned()));
    }
    Ok(roots)
}
