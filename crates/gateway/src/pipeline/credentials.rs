//! The port to the credentials: what a permitted request is authenticated with. The gateway asks
//! for it after the decision, once for each request, and keeps nothing of it longer.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use ringfence_model::{CredentialName, Destination, Scheme, Secret};
use tokio::sync::watch;

/// What a credential is wanted for.
#[derive(Debug, Clone, Copy)]
pub struct Need<'a> {
    /// The credential that the rule names.
    pub name: &'a CredentialName,
    /// The upstream of the request.
    pub destination: &'a Destination,
    /// Plain text or TLS.
    pub scheme: Scheme,
    /// The canonical path of the request, without query.
    pub path: &'a str,
}

/// A credential made ready for one upstream.
#[derive(Debug)]
pub struct Material {
    /// Whose it is.
    pub name: CredentialName,
    /// The version of the stored credential: it grows when the credential is rotated.
    pub version: u64,
    /// What a request is given. In this order.
    pub injections: Vec<Injection>,
    /// What a token that stands in a request is replaced with; none for a credential that has no
    /// single value, as a signing key.
    pub value: Option<Secret>,
    /// The values that must never reach the agent: this one's and, where it was minted, those that
    /// it was minted with.
    pub secrets: Vec<Secret>,
    /// Whether it was minted from another secret, so that a fresh one may be had after a 401.
    pub minted: bool,
}

/// One thing that a request is given.
#[derive(Debug, Clone)]
pub enum Injection {
    /// A header, in place of any that the agent sent by that name.
    Header {
        /// Its name in lower case.
        name: String,
        /// Its whole value.
        value: Secret,
    },
    /// A parameter of the query, in place of any of that name.
    Query {
        /// Its name, decoded.
        name: String,
        /// Its value, not yet percent-encoded.
        value: Secret,
    },
    /// A signature by AWS Signature Version 4 over the request as it is sent.
    SigV4(SigV4),
    /// A client certificate for the TLS handshake with the upstream.
    Certificate(ClientCertificate),
    /// A key for the SSH handshake with the upstream.
    SshKey(SshKey),
}

/// What AWS Signature Version 4 signs with.
#[derive(Debug, Clone)]
pub struct SigV4 {
    /// The public part of the key.
    pub access_key: String,
    /// The secret part of the key.
    pub secret_key: Secret,
    /// The token of temporary keys.
    pub session_token: Option<Secret>,
    /// For example `eu-central-1`.
    pub region: String,
    /// For example `s3`.
    pub service: String,
}

/// A client certificate and its key, in PEM.
#[derive(Debug, Clone)]
pub struct ClientCertificate {
    /// The certificate and those between it and its authority.
    pub chain: Vec<u8>,
    /// The private key.
    pub key: Secret,
}

/// A user and the private key that proves it, as OpenSSH writes keys or in PEM.
#[derive(Debug, Clone)]
pub struct SshKey {
    /// The user, for most git servers `git`.
    pub user: String,
    /// The private key.
    pub key: Secret,
}

/// Why there is no material. The words may be shown to the agent, so they hold no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// There is none of that name, or it was revoked.
    #[error("there is no credential `{0}`")]
    Unknown(CredentialName),
    /// It is not for this upstream.
    #[error("the credential `{name}` is not for {upstream}")]
    NotFor {
        /// The credential.
        name: CredentialName,
        /// The upstream in words.
        upstream: String,
    },
    /// Its source or its issuer does not give it out now.
    #[error("the credential `{name}` cannot be had: {reason}")]
    Unavailable {
        /// The credential.
        name: CredentialName,
        /// Why, in words.
        reason: String,
    },
}

/// A future of the port.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where the gateway gets credentials from.
pub trait Credentials: Send + Sync {
    /// The material for one request. Fast where it is at hand; minting is single-flight.
    fn material<'a>(&'a self, need: Need<'a>)
    -> Answer<'a, Result<Arc<Material>, CredentialError>>;

    /// Whether there are credentials at all. Then every response that can be read is searched for
    /// those that were given out, and requests ask for responses that can be read.
    fn in_use(&self) -> bool;

    /// The upstream did not accept `material`: if it was minted, the next call mints anew.
    fn rejected(&self, material: &Material);

    /// Grows with every change of any credential.
    fn changes(&self) -> watch::Receiver<u64>;

    /// Whether `material` is of the version in force.
    fn is_current(&self, material: &Material) -> bool;
}

/// The port of a gateway that has no credentials: a rule that names one denies.
#[derive(Debug)]
pub struct NoCredentials(watch::Sender<u64>);

impl Default for NoCredentials {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Credentials for NoCredentials {
    fn material<'a>(
        &'a self,
        need: Need<'a>,
    ) -> Answer<'a, Result<Arc<Material>, CredentialError>> {
        let unknown = CredentialError::Unknown(need.name.clone());
        Box::pin(std::future::ready(Err(unknown)))
    }

    fn in_use(&self) -> bool {
        false
    }

    fn rejected(&self, _: &Material) {}

    fn changes(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }

    fn is_current(&self, _: &Material) -> bool {
        false
    }
}
