//! The private key of a credential, parsed. Who gets it out of here is the handshake alone.

use std::fmt;
use std::sync::Arc;

use ringfence_model::Secret;
use russh::keys::{Algorithm, Error, HashAlg, PrivateKey, decode_secret_key};

use super::error::SshKeyError;
use crate::limits::SSH_KEY_BITS;
use crate::pipeline::SshKey;

/// Who a server is told that it speaks with, and the key that proves it.
pub(crate) struct SshIdentity {
    user: String,
    key: Arc<PrivateKey>,
}

impl SshIdentity {
    /// Parses the key.
    ///
    /// # Errors
    /// Where it cannot be used; the words hold nothing of it.
    pub(crate) fn new(given: &SshKey) -> Result<Self, SshKeyError> {
        Ok(Self {
            user: given.user.clone(),
            key: Arc::new(read(&given.key)?),
        })
    }

    pub(super) fn user(&self) -> &str {
        &self.user
    }

    pub(super) fn key(&self) -> Arc<PrivateKey> {
        Arc::clone(&self.key)
    }
}

impl fmt::Debug for SshIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SshIdentity").finish_non_exhaustive()
    }
}

/// Whether a text is a private key that servers can be reached with. Says its kind and
/// fingerprint, which are public.
///
/// # Errors
/// Why it is not.
pub fn check_ssh_key(text: &Secret) -> Result<String, SshKeyError> {
    let key = read(text)?;
    let fingerprint = key.public_key().fingerprint(HashAlg::Sha256);
    Ok(format!("{} {fingerprint}", key.algorithm()))
}

fn read(text: &Secret) -> Result<PrivateKey, SshKeyError> {
    let text = std::str::from_utf8(text.expose()).map_err(|_| SshKeyError::Unreadable)?;
    let text = text.trim_start();
    if !text.starts_with("-----BEGIN ") {
        let is_public = ["ssh-", "ecdsa-", "sk-"]
            .iter()
            .any(|kind| text.starts_with(kind));
        return Err(if is_public {
            SshKeyError::Public
        } else {
            SshKeyError::Unreadable
        });
    }
    // In the older form a header says so, in PKCS #8 the first line.
    if text.contains("ENCRYPTED") {
        return Err(SshKeyError::Encrypted);
    }
    let key = decode_secret_key(text, None).map_err(|error| match error {
        Error::KeyIsEncrypted => SshKeyError::Encrypted,
        Error::UnsupportedKeyType {
            key_type_string, ..
        } => SshKeyError::Kind(key_type_string),
        _ => SshKeyError::Unreadable,
    })?;
    check(&key)?;
    Ok(key)
}

fn check(key: &PrivateKey) -> Result<(), SshKeyError> {
    match key.algorithm() {
        Algorithm::Ed25519 | Algorithm::Ecdsa { .. } => Ok(()),
        Algorithm::Rsa { .. } => {
            let public = key.public_key().key_data();
            let bits = public.rsa().map_or(0, |key| key.key_size());
            let is_long = bits >= SSH_KEY_BITS;
            is_long.then_some(()).ok_or(SshKeyError::Short)
        }
        other => Err(SshKeyError::Kind(other.to_string())),
    }
}

#[cfg(test)]
mod tests;
