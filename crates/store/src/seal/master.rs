//! The master key: where it comes from and how it is kept in a file. It seals the keys of records,
//! nothing else.

use std::fmt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use ringfence_model::Secret;
use zeroize::Zeroizing;

use super::{KEY_OCTETS, random_key};
use crate::error::StoreError;
use crate::private;

/// Longest text that is looked at for a key.
const TEXT_OCTETS: usize = 128;

/// The key that the keys of records are sealed under.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey(Secret);

/// A text that is no master key. It is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a master key is 32 octets in base64")]
pub struct KeyFormatError;

/// Where the master key comes from.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// A file of its own, by default `master.key` in the data directory; made on first use.
    File(PathBuf),
    /// Given from outside.
    Given {
        /// Where from, for messages, for example `RINGFENCE_MASTER_KEY`.
        origin: String,
        /// The key.
        key: MasterKey,
    },
}

impl MasterKey {
    /// Reads a key in base64, of either alphabet, with or without padding and a line end.
    ///
    /// # Errors
    /// Where it is not 32 octets in base64.
    pub fn parse(text: &Secret) -> Result<Self, KeyFormatError> {
        let text = text.expose().trim_ascii();
        if text.len() > TEXT_OCTETS {
            return Err(KeyFormatError);
        }
        let engines = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD];
        let mut decoded = engines.iter().filter_map(|engine| engine.decode(text).ok());
        let octets = Zeroizing::new(decoded.next().ok_or(KeyFormatError)?);
        if octets.len() != KEY_OCTETS {
            return Err(KeyFormatError);
        }
        Ok(Self(Secret::new(octets.as_slice())))
    }

    /// A new random key; none where the system gives no random octets.
    pub(crate) fn generate() -> std::io::Result<Self> {
        random_key()
            .map(Self)
            .map_err(|_| std::io::Error::other("the system gives no random octets"))
    }

    pub(crate) const fn secret(&self) -> &Secret {
        &self.0
    }

    /// The key in the file, or none where there is no file.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, StoreError> {
        let Some(text) = private::read_key(path, TEXT_OCTETS)? else {
            return Ok(None);
        };
        let key = Self::parse(&Secret::new(text.as_slice()));
        key.map(Some)
            .map_err(|_| StoreError::insecure(path)("it does not hold a master key"))
    }

    /// Puts the key into a file, durable before this returns. The caller holds the store's lock.
    pub(crate) fn write(&self, path: &Path) -> Result<(), StoreError> {
        let mut text = Zeroizing::new(STANDARD.encode(self.0.expose()));
        text.push('\n');
        private::write_key(path, text.as_bytes())
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}
