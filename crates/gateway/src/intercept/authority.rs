//! The authority of one sandbox: it signs the certificates by which the gateway speaks for the
//! hosts that it reads. It lives in memory for as long as the sandbox does and is trusted
//! nowhere else.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType,
};
use ringfence_model::Host;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{NoServerSessionStorage, ProducesTickets};
use rustls::sign::{CertifiedKey, SigningKey, SingleCertAndKey};
use rustls::{ServerConfig, version};

use super::leaves::Leaves;

/// Signs for the hosts of one sandbox.
pub struct Authority {
    pem: String,
    is_installed: bool,
    issuer: Issuer<'static, KeyPair>,
    /// One key for all hosts: whoever had it could speak for none that the sandbox does not
    /// already reach through this process.
    leaf_key: KeyPair,
    signer: Arc<dyn SigningKey>,
    provider: Arc<CryptoProvider>,
    tickets: Arc<dyn ProducesTickets>,
    leaves: Leaves<Arc<ServerConfig>>,
}

/// No certificate can be made.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The certificate could not be signed.
    #[error("a certificate of the sandbox's authority cannot be made")]
    Certificate(#[from] rcgen::Error),
    /// The TLS library does not take what was made for it.
    #[error("TLS with the sandbox's authority is not possible")]
    Tls(#[from] rustls::Error),
}

impl Authority {
    /// A new authority with a key of its own.
    ///
    /// # Errors
    /// Where the cryptographic library fails.
    pub fn new() -> Result<Self, AuthorityError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let params = authority_params();
        let pem = params.self_signed(&key)?.pem();
        let leaf_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(leaf_key.serialize_der()));
        Ok(Self {
            pem,
            is_installed: true,
            issuer: Issuer::new(params, key),
            signer: aws_lc_rs::sign::any_ecdsa_type(&der)?,
            leaf_key,
            provider: crate::tls::provider(),
            tickets: aws_lc_rs::Ticketer::new()?,
            leaves: Leaves::default(),
        })
    }

    /// The certificate that clients in the sandbox are to trust.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Says that clients may not trust it, since nobody has given it to them.
    #[must_use]
    pub const fn not_installed(mut self) -> Self {
        self.is_installed = false;
        self
    }

    /// Whether clients are there to trust it, so that a refusal may be said inside TLS.
    #[must_use]
    pub const fn is_installed(&self) -> bool {
        self.is_installed
    }

    /// How the gateway speaks TLS for `host`.
    pub(super) fn config(&self, host: &Host) -> Result<Arc<ServerConfig>, AuthorityError> {
        self.leaves.get(host, || self.sign(host))
    }

    fn sign(&self, host: &Host) -> Result<Arc<ServerConfig>, AuthorityError> {
        let leaf = leaf_params(host)?.signed_by(&self.leaf_key, &self.issuer)?;
        let chain = vec![leaf.der().clone()];
        let certified = CertifiedKey::new(chain, Arc::clone(&self.signer));
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&[&version::TLS13, &version::TLS12])?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        config.alpn_protocols = vec![HTTP2.to_vec(), b"http/1.1".to_vec()];
        // A ticket resumes only for the name that it was given for, and only in this sandbox.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.ticketer = Arc::clone(&self.tickets);
        config.ignore_client_order = true;
        Ok(Arc::new(config))
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

/// What strict verifiers ask of an authority: critical constraints and usages, and key
/// identifiers on both sides (RFC 5280, section 4.2).
fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named(NAME);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    valid_for(&mut params, AUTHORITY_LIFE);
    params
}

fn leaf_params(host: &Host) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.subject_alt_names = vec![match host {
        Host::Name(name) => SanType::DnsName(name.as_str().try_into()?),
        Host::Address(address) => SanType::IpAddress(*address),
    }];
    params.distinguished_name = named(LEAF_NAME);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    valid_for(&mut params, super::leaves::LEAF_LIFE);
    Ok(params)
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

/// From a little ago, for clocks that differ, to `life` from then.
fn valid_for(params: &mut CertificateParams, life: Duration) {
    let now = SystemTime::now();
    let since_epoch = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + since_epoch.saturating_sub(CLOCK_SKEW);
    params.not_after = params.not_before + life;
}

/// The ALPN name of HTTP/2 over TLS.
pub(super) const HTTP2: &[u8] = b"h2";
/// What people see where a certificate of it is shown.
const NAME: &str = "Ringfence sandbox";
const LEAF_NAME: &str = "Ringfence gateway";
const CLOCK_SKEW: Duration = Duration::from_secs(60 * 60);
/// Longer than any run should be.
const AUTHORITY_LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

#[cfg(test)]
mod tests;
