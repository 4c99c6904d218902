//! Opaque values that go to an agent and come back: places in lists, states of requests, ids of
//! tasks. They are sealed (AES-256-GCM-SIV, RFC 8452) to one sandbox and one server, so that another
//! agent's are refused, and that nobody reads in them what a server has put there.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::limits::SEALED_OCTETS;

/// What a sealed value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sealed {
    /// A place in a list.
    Cursor,
    /// The state of a request that waits for input.
    State,
    /// The id of a task.
    Task,
    /// The id of a session.
    Session,
}

/// The key for the values of one sandbox and one server.
#[derive(Clone)]
pub struct Seal([u8; KEY_OCTETS]);

impl Seal {
    /// The seal of `scope` under a secret of the process.
    ///
    /// # Errors
    /// Where the secret is no key.
    pub fn new(secret: &[u8; 32], scope: &str) -> Option<Self> {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
        part(&mut mac, b"ringfence-mcp-seal-v2");
        part(&mut mac, scope.as_bytes());
        Some(Self(mac.finalize().into_bytes().into()))
    }

    /// The value as the agent gets it: a text that says nothing of it, because whoever made the value
    /// could have put anything into it. None for one that is too long.
    #[must_use]
    pub fn seal(&self, kind: Sealed, value: &str) -> Option<String> {
        if value.len() > SEALED_OCTETS {
            return None;
        }
        let mut octets = value.as_bytes().to_vec();
        let nonce = self
            .cipher()?
            .seal_in_place_append_tag(Aad::from(kind.octets()), &mut octets)
            .ok()?;
        let whole = [nonce.as_ref().as_slice(), &octets].concat();
        Some(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(whole)))
    }

    /// The value that was sealed. None for any other text.
    #[must_use]
    pub fn open(&self, kind: Sealed, sealed: &str) -> Option<String> {
        let sealed = sealed.strip_prefix(PREFIX)?;
        if sealed.len() > SEALED_OCTETS * 2 {
            return None;
        }
        let mut octets = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, rest) = octets.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let plain = self
            .cipher()?
            .open_in_place(nonce, Aad::from(kind.octets()), rest)
            .ok()?;
        String::from_utf8(plain.to_vec()).ok()
    }

    fn cipher(&self) -> Option<RandomizedNonceKey> {
        RandomizedNonceKey::new(&AES_256_GCM_SIV, &self.0).ok()
    }
}

impl Sealed {
    const fn octets(self) -> &'static [u8] {
        match self {
            Self::Cursor => b"cursor",
            Self::State => b"state",
            Self::Task => b"task",
            Self::Session => b"session",
        }
    }
}

/// Octets of a key.
const KEY_OCTETS: usize = 32;

/// With its length before it, so that two parts are never another two.
fn part(mac: &mut Hmac<Sha256>, part: &[u8]) {
    mac.update(&(part.len() as u64).to_be_bytes());
    mac.update(part);
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal")
    }
}

const PREFIX: &str = "rfs_";

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(scope: &str) -> Seal {
        Seal::new(&[7; 32], scope).unwrap()
    }

    #[test]
    fn what_was_sealed_is_opened_and_nothing_else() {
        let sealed = seal("a").seal(Sealed::Cursor, "page 2 \u{e9}").unwrap();
        let opened = seal("a").open(Sealed::Cursor, &sealed);
        assert_eq!(opened.unwrap(), "page 2 \u{e9}");
        assert_eq!(seal("a").open(Sealed::State, &sealed), None);
        assert_eq!(seal("b").open(Sealed::Cursor, &sealed), None);
        let other = Seal::new(&[8; 32], "a").unwrap();
        assert_eq!(other.open(Sealed::Cursor, &sealed), None);
        assert!(!sealed.contains("cGFnZQ"), "{sealed}");
        for at in 0..sealed.len() {
            let mut other = sealed.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'Q' } else { b'A' };
            let other = String::from_utf8(other).unwrap();
            assert_eq!(seal("a").open(Sealed::Cursor, &other), None, "{at}");
        }
        for text in [
            "",
            "page 2",
            "rfs_",
            "rfs_.",
            "rfs_cGFnZQ",
            "rfs_AAAAAAAAAAAAAAAA",
        ] {
            assert_eq!(seal("a").open(Sealed::Cursor, text), None, "{text}");
        }
    }

    #[test]
    fn a_long_value_is_not_sealed() {
        let long = "x".repeat(SEALED_OCTETS + 1);
        assert!(seal("a").seal(Sealed::State, &long).is_none());
    }
}
