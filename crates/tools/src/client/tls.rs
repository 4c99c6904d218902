//! TLS to the gateway of the sandbox, by the authorities that the sandbox trusts and no others.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TrustError {
    #[error("no authorities are known: SSL_CERT_FILE is not set, as `ringfence run` sets it")]
    NotSet,
    #[error("the authorities in {} cannot be read", .0.display())]
    Unreadable(PathBuf),
    #[error("TLS cannot be set up: {0}")]
    Setup(rustls::Error),
    #[error("{0} is no name that a certificate can have")]
    Name(String),
    #[error("TLS with {0}: {1}")]
    Handshake(String, std::io::Error),
}

/// The authorities, read when they are first needed.
#[derive(Debug)]
pub(super) struct Tls {
    authorities: Option<PathBuf>,
    config: OnceCell<Arc<ClientConfig>>,
}

impl Tls {
    pub(super) const fn new(authorities: Option<PathBuf>) -> Self {
        Self {
            authorities,
            config: OnceCell::const_new(),
        }
    }

    pub(super) async fn connect(
        &self,
        host: &str,
        socket: TcpStream,
    ) -> Result<TlsStream<TcpStream>, TrustError> {
        let config = self
            .config
            .get_or_try_init(|| async { self.read() })
            .await?;
        let name = ServerName::try_from(host.to_owned());
        let name = name.map_err(|_| TrustError::Name(host.to_owned()))?;
        let handshake = TlsConnector::from(Arc::clone(config)).connect(name, socket);
        let failed = |error| TrustError::Handshake(host.to_owned(), error);
        handshake.await.map_err(failed)
    }

    fn read(&self) -> Result<Arc<ClientConfig>, TrustError> {
        let path = self.authorities.as_ref().ok_or(TrustError::NotSet)?;
        let unreadable = || TrustError::Unreadable(path.clone());
        let certificates = CertificateDer::pem_file_iter(path).map_err(|_| unreadable())?;
        let mut roots = RootCertStore::empty();
        let (added, _) = roots.add_parsable_certificates(certificates.flatten());
        if added == 0 {
            return Err(unreadable());
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TrustError::Setup)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Arc::new(config))
    }
}
