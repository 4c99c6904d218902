//! The client certificate of a credential, parsed.

use std::fmt;

use aws_lc_rs::digest::{Context, SHA256};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::TlsError;
use crate::pipeline::ClientCertificate;

/// A certificate chain and its key.
pub(crate) struct ClientIdentity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    fingerprint: [u8; 32],
}

impl ClientIdentity {
    /// Parses both.
    ///
    /// # Errors
    /// Where one of them is not what it should be; the words hold nothing of the key.
    pub(crate) fn new(certificate: &ClientCertificate) -> Result<Self, TlsError> {
        let broken = |what: &str| TlsError::Identity(format!("it holds no {what} in PEM"));
        let chain = CertificateDer::pem_slice_iter(&certificate.chain)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| broken("certificate"))?;
        if chain.is_empty() {
            return Err(broken("certificate"));
        }
        let key = PrivateKeyDer::from_pem_slice(certificate.key.expose())
            .map_err(|_| broken("private key"))?;
        Ok(Self {
            chain,
            key,
            fingerprint: fingerprint(certificate),
        })
    }

    /// Tells one identity from any other.
    pub(crate) const fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    pub(super) fn parts(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        (self.chain.clone(), self.key.clone_key())
    }
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientIdentity").finish_non_exhaustive()
    }
}

fn fingerprint(certificate: &ClientCertificate) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    context.update(&certificate.chain);
    context.update(&[0]);
    context.update(certificate.key.expose());
    let mut fingerprint = [0; 32];
    for (to, from) in fingerprint.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    fingerprint
}
