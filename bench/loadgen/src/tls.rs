//! TLS on the client side. Certificates are not verified: this measures, it protects nothing.

use std::sync::Arc;

use anyhow::Result;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme,
};

use crate::target::Target;

/// Makes full handshakes; no session is resumed.
#[derive(Clone)]
pub struct Connector(Arc<ClientConfig>);

/// The protocols that can be offered in the handshake, one at a time.
pub const HTTP1: &[u8] = b"http/1.1";
pub const HTTP2: &[u8] = b"h2";

impl Connector {
    /// Offers this protocol and no other.
    pub fn new(protocol: &[u8]) -> Result<Self> {
        let provider = aws_lc_rs::default_provider();
        let schemes = provider
            .signature_verification_algorithms
            .supported_schemes();
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AcceptAny(schemes)))
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        config.alpn_protocols = vec![protocol.to_vec()];
        Ok(Self(Arc::new(config)))
    }

    /// A handshake over an open connection.
    pub async fn connect(&self, stream: TcpStream) -> Result<TlsStream<TcpStream>> {
        let connector = tokio_rustls::TlsConnector::from(Arc::clone(&self.0));
        Ok(connector.connect(name(), stream).await?)
    }

    /// The octets of a real `ClientHello`.
    pub fn client_hello(&self) -> Result<Vec<u8>> {
        let mut connection = ClientConnection::new(Arc::clone(&self.0), name())?;
        let mut octets = Vec::new();
        connection.write_tls(&mut octets)?;
        Ok(octets)
    }
}

fn name() -> ServerName<'static> {
    ServerName::try_from(Target::NAME).expect("the name is a constant")
}

#[derive(Debug)]
struct AcceptAny(Vec<SignatureScheme>);

impl ServerCertVerifier for AcceptAny {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.clone()
    }
}
