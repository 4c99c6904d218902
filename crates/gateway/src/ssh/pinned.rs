//! The keys that a server must have one of.

use russh::keys::{Algorithm, HashAlg, PublicKey};

use super::error::SshError;

/// Keys of a server, as a profile pins them.
#[derive(Debug)]
pub(super) struct Pinned(Vec<PublicKey>);

/// Whether a text is a host key as in `ssh-ed25519 AAAA…`.
///
/// # Errors
/// [`SshError::Pinned`].
pub fn check_host_key(text: &str) -> Result<(), SshError> {
    read(text).map(drop)
}

impl Pinned {
    pub(super) fn new(keys: &[String]) -> Result<Self, SshError> {
        let keys: Vec<PublicKey> = keys.iter().map(|key| read(key)).collect::<Result<_, _>>()?;
        Ok(Self(keys))
    }

    pub(super) fn holds(&self, key: &PublicKey) -> bool {
        self.0.iter().any(|own| own.key_data() == key.key_data())
    }

    /// The kinds of them: a server that has others as well is to show one of these.
    pub(super) fn algorithms(&self) -> Vec<Algorithm> {
        let mut all = Vec::new();
        for key in &self.0 {
            let kinds = match key.algorithm() {
                Algorithm::Rsa { .. } => RSA.map(|hash| Algorithm::Rsa { hash }).to_vec(),
                other => vec![other],
            };
            all.extend(
                kinds
                    .into_iter()
                    .filter(|kind| !all.contains(kind))
                    .collect::<Vec<_>>(),
            );
        }
        all
    }
}

/// Never with SHA-1.
const RSA: [Option<HashAlg>; 2] = [Some(HashAlg::Sha512), Some(HashAlg::Sha256)];

fn read(text: &str) -> Result<PublicKey, SshError> {
    let wrong = |why: &str| SshError::Pinned(why.to_owned());
    let key = PublicKey::from_openssh(text).map_err(|error| wrong(&error.to_string()))?;
    match key.algorithm() {
        Algorithm::Ed25519 | Algorithm::Ecdsa { .. } | Algorithm::Rsa { .. } => Ok(key),
        other => Err(wrong(&format!(
            "keys of the kind {other} are not supported"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED25519: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

    #[test]
    fn a_key_is_pinned_by_what_it_is_and_not_by_its_comment() {
        let pinned = Pinned::new(&[ED25519.to_owned()]).unwrap();
        let same = PublicKey::from_openssh(&format!("{ED25519} root@host")).unwrap();
        assert!(pinned.holds(&same));
        assert_eq!(pinned.algorithms(), [Algorithm::Ed25519]);
        assert!(!Pinned::new(&[]).unwrap().holds(&same));
    }

    #[test]
    fn what_is_no_key_is_not_pinned() {
        for text in [
            "",
            "ssh-ed25519 AAAA",
            "ssh-ed25519",
            "AAAA",
            "ssh-dss AAAAB3NzaC1kc3M=",
        ] {
            assert!(check_host_key(text).is_err(), "{text}");
        }
        // The name of a kind that the key itself is not of.
        let wrong = ED25519.replace("ssh-ed25519 ", "ssh-rsa ");
        assert!(check_host_key(&wrong).is_err());
    }
}
