//! What went wrong between the gateway and an upstream before any HTTP, in words that say who has
//! to do what.

use std::io;

use ringfence_model::Host;
use rustls::{AlertDescription, CertificateError, Error};

/// Why there is no TLS connection to an upstream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// The upstream's certificate does not prove that it is the upstream.
    #[error("the certificate of {host} {reason}")]
    Certificate {
        /// The upstream.
        host: Host,
        /// What is wrong with it, as the end of a sentence.
        reason: String,
    },
    /// The handshake failed for another reason.
    #[error("the TLS handshake with {host} failed: {reason}")]
    Handshake {
        /// The upstream.
        host: Host,
        /// What went wrong.
        reason: String,
    },
    /// The upstream speaks none of the HTTP versions that were offered.
    #[error("{0} speaks none of the HTTP versions that were offered")]
    NoProtocol(Host),
    /// It took too long.
    #[error("the TLS handshake with {0} took too long")]
    TimedOut(Host),
    /// No authority is known, so that no certificate can be verified.
    #[error("the certificate authorities cannot be read: {0}")]
    Roots(String),
    /// The client certificate of the credential cannot be used.
    #[error("the client certificate of the credential cannot be used: {0}")]
    Identity(String),
}

impl TlsError {
    pub(super) fn of(host: &Host, error: &io::Error) -> Self {
        let inner = error.get_ref();
        let host = host.clone();
        match inner.and_then(|inner| inner.downcast_ref::<Error>()) {
            Some(Error::InvalidCertificate(problem)) => Self::Certificate {
                host,
                reason: words(problem),
            },
            Some(
                Error::AlertReceived(AlertDescription::NoApplicationProtocol)
                | Error::NoApplicationProtocol,
            ) => Self::NoProtocol(host),
            Some(other) => Self::Handshake {
                host,
                reason: other.to_string(),
            },
            None => Self::Handshake {
                host,
                reason: error.to_string(),
            },
        }
    }
}

fn words(problem: &CertificateError) -> String {
    match problem {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "is not valid yet".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "is for another name".to_owned()
        }
        CertificateError::UnknownIssuer => {
            "comes from an authority that is not known; a person can add it to `[dial] extra_roots`"
                .to_owned()
        }
        CertificateError::Revoked => "was revoked".to_owned(),
        CertificateError::BadSignature => {
            "was not signed by the authority that it names".to_owned()
        }
        other => format!("is not valid: {other}"),
    }
}
