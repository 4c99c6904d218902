//! The key that signs the head of the log. It is made on first use, kept in a file of mode 0600
//! and never leaves this crate.

use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use ringfence_model::Secret;
use rustix::rand::{GetRandomFlags, getrandom};
use sha2::Sha256;

use crate::digest::Digest;
use crate::error::StoreError;
use crate::private;

const OCTETS: usize = 32;

/// The key of HMAC-SHA256.
#[derive(Debug)]
pub(crate) struct AuditKey(Secret);

impl AuditKey {
    /// A new random key.
    pub(crate) fn generate() -> std::io::Result<Self> {
        let mut bytes = [0_u8; OCTETS];
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            filled += getrandom(rest, GetRandomFlags::empty())?;
        }
        Ok(Self(Secret::new(bytes)))
    }

    /// The key in the file, or none where there is no file.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, StoreError> {
        let Some(octets) = private::read_key(path, OCTETS)? else {
            return Ok(None);
        };
        if octets.len() != OCTETS {
            return Err(StoreError::insecure(path)("it does not hold a key"));
        }
        Ok(Some(Self(Secret::new(octets.as_slice()))))
    }

    /// Puts the key into its file. The caller holds the store's lock.
    pub(crate) fn write(&self, path: &Path) -> Result<(), StoreError> {
        private::write_key(path, self.0.expose())
    }

    /// The signature of a message.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Digest> {
        Some(Digest::from_bytes(
            self.mac(message)?.finalize().into_bytes().into(),
        ))
    }

    /// Whether the message was signed with this key; takes the same time for any answer.
    pub(crate) fn verifies(&self, message: &[u8], signature: &Digest) -> bool {
        self.mac(message)
            .is_some_and(|mac| mac.verify_slice(signature.as_bytes()).is_ok())
    }

    /// HMAC takes keys of any length, so this is always some.
    fn mac(&self, message: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose()).ok()?;
        mac.update(message);
        Some(mac)
    }
}
