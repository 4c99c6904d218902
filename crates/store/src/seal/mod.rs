//! Sealing: AES-256-GCM-SIV (RFC 8452), with everything that says what the secret is as
//! authenticated data, so that a sealed value opens in its own place only. What is stored is
//! base64 of a version octet, the nonce, the ciphertext and the tag.

mod master;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ringfence_model::Secret;
use zeroize::Zeroizing;

pub use master::{KeyFormatError, KeySource, MasterKey};

/// Octets of a key.
pub(crate) const KEY_OCTETS: usize = 32;
const TAG_OCTETS: usize = 16;
/// The version octet of what this program writes.
const FORMAT: u8 = 1;
/// Keeps authenticated data of this use apart from that of any other.
const DOMAIN: &[u8] = b"ringfence/seal/1";

/// A value that does not open: another key, another place, or other octets than were sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DoesNotOpen;

/// Where a sealed value belongs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) table: &'a str,
    pub(crate) id: &'a str,
    pub(crate) field: &'a str,
    pub(crate) revision: i64,
    /// What else must be as it was; empty for nothing.
    pub(crate) context: &'a [u8],
}

impl Place<'_> {
    /// Each part behind its length, so that no two places have the same octets.
    fn octets(&self) -> Vec<u8> {
        let revision = self.revision.to_be_bytes();
        let parts = [
            DOMAIN,
            self.table.as_bytes(),
            self.id.as_bytes(),
            self.field.as_bytes(),
            &revision,
            self.context,
        ];
        let mut octets = Vec::new();
        for part in parts {
            octets.extend_from_slice(&(part.len() as u64).to_be_bytes());
            octets.extend_from_slice(part);
        }
        octets
    }
}

/// A new random key.
pub(crate) fn random_key() -> Result<Secret, DoesNotOpen> {
    let mut octets = Zeroizing::new([0; KEY_OCTETS]);
    aws_lc_rs::rand::fill(octets.as_mut_slice()).map_err(|_| DoesNotOpen)?;
    Ok(Secret::new(octets.as_slice()))
}

/// Seals `plain` for `place`. It fails only where the system gives no random octets.
pub(crate) fn seal(key: &Secret, place: &Place<'_>, plain: &[u8]) -> Result<String, DoesNotOpen> {
    let cipher = cipher(key)?;
    // With room for the tag, so that no octet of the plain text is left behind by moving it.
    let mut octets = Vec::with_capacity(plain.len() + TAG_OCTETS);
    octets.extend_from_slice(plain);
    let nonce = cipher
        .seal_in_place_append_tag(Aad::from(place.octets()), &mut octets)
        .map_err(|_| DoesNotOpen)?;
    let mut sealed = vec![FORMAT];
    sealed.extend_from_slice(nonce.as_ref());
    sealed.append(&mut octets);
    Ok(STANDARD.encode(sealed))
}

/// Opens what was sealed for `place` under `key`.
pub(crate) fn open(key: &Secret, place: &Place<'_>, sealed: &str) -> Result<Secret, DoesNotOpen> {
    let sealed = STANDARD.decode(sealed).map_err(|_| DoesNotOpen)?;
    let (format, sealed) = sealed.split_first().ok_or(DoesNotOpen)?;
    if *format != FORMAT {
        return Err(DoesNotOpen);
    }
    let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN).ok_or(DoesNotOpen)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| DoesNotOpen)?;
    let mut octets = Zeroizing::new(sealed.to_vec());
    let plain = cipher(key)?
        .open_in_place(nonce, Aad::from(place.octets()), octets.as_mut_slice())
        .map_err(|_| DoesNotOpen)?;
    Ok(Secret::new(&*plain))
}

fn cipher(key: &Secret) -> Result<RandomizedNonceKey, DoesNotOpen> {
    RandomizedNonceKey::new(&AES_256_GCM_SIV, key.expose()).map_err(|_| DoesNotOpen)
}

#[cfg(test)]
mod tests;
