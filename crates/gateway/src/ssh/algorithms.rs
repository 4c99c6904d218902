//! Which algorithms a connection may use: none with SHA-1, no cipher in CBC mode, and no
//! compression. `chacha20-poly1305` is not among them, because a peer without strict key exchange
//! would let somebody between drop packets (CVE-2023-48795); in the modes that are left, nobody can.

use std::borrow::Cow;

use russh::keys::Algorithm;
use russh::{Preferred, cipher, compression, kex, mac};

const KEX: &[kex::Name] = &[
    kex::MLKEM768X25519_SHA256,
    kex::CURVE25519,
    kex::CURVE25519_PRE_RFC_8731,
    kex::ECDH_SHA2_NISTP256,
    kex::ECDH_SHA2_NISTP384,
    kex::ECDH_SHA2_NISTP521,
    kex::DH_G16_SHA512,
    kex::DH_G18_SHA512,
    kex::DH_G14_SHA256,
    kex::EXTENSION_SUPPORT_AS_CLIENT,
    kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT,
];

const CIPHERS: &[cipher::Name] = &[
    cipher::AES_256_GCM,
    cipher::AES_128_GCM,
    cipher::AES_256_CTR,
    cipher::AES_192_CTR,
    cipher::AES_128_CTR,
];

const MACS: &[mac::Name] = &[
    mac::HMAC_SHA512_ETM,
    mac::HMAC_SHA256_ETM,
    mac::HMAC_SHA512,
    mac::HMAC_SHA256,
];

/// What is offered to a server that has keys of these kinds.
pub(super) fn preferred(host_keys: Vec<Algorithm>) -> Preferred {
    Preferred {
        kex: Cow::Borrowed(KEX),
        key: Cow::Owned(host_keys),
        host_key_certificates: Cow::Borrowed(&[]),
        cipher: Cow::Borrowed(CIPHERS),
        mac: Cow::Borrowed(MACS),
        compression: Cow::Borrowed(&[compression::NONE]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_weak_is_offered() {
        let offered = preferred(Vec::new());
        let names = offered.kex.iter().map(AsRef::<str>::as_ref);
        let names = names.chain(offered.cipher.iter().map(AsRef::as_ref));
        let names = names.chain(offered.mac.iter().map(AsRef::as_ref));
        for name in names {
            for weak in ["sha1", "cbc", "md5", "3des", "none", "group1-", "-96"] {
                assert!(!name.contains(weak), "{name}");
            }
        }
    }
}
