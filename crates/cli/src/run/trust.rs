//! The authorities that clients in the sandbox trust: the system's, those that the configuration
//! adds, and the sandbox's own, which nothing outside of it trusts.

mod java;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result, anyhow, bail};
use ringfence_gateway::intercept::Authority;
use ringfence_sandbox::linux::Given;

use crate::failure::Failure;

/// What the sandbox is to trust. It is made for one sandbox, and in memory alone.
pub(super) struct Trust {
    /// The sandbox's own authority.
    pub(super) authority: Arc<Authority>,
    /// The files in which its clients find whom to trust.
    pub(super) files: Vec<Given>,
}

/// [`Trust`] that is being made while the launcher does other work.
pub(super) struct Making(JoinHandle<Result<Trust, Failure>>);

impl Trust {
    /// Begins to make it. `extra` are the files of the authorities that the configuration adds.
    pub(super) fn begin(extra: Vec<PathBuf>) -> Result<Making, Failure> {
        let thread = thread::Builder::new().name("trust".to_owned());
        let making = thread.spawn(move || Self::make(&extra));
        making.map(Making).map_err(Failure::internal)
    }

    fn make(extra: &[PathBuf]) -> Result<Self, Failure> {
        let authority = Authority::new().map_err(Failure::internal)?;
        let files = files(extra, authority.pem()).map_err(Failure::Usage)?;
        Ok(Self {
            authority: Arc::new(authority),
            files,
        })
    }
}

impl Making {
    /// Waits until it is made.
    pub(super) fn finish(self) -> Result<Trust, Failure> {
        let made = self.0.join();
        made.unwrap_or_else(|_| {
            Err(Failure::Internal(anyhow!(
                "the sandbox's trust is not made"
            )))
        })
    }
}

/// The bundle of all authorities, and where there is a Java runtime, in its form too.
fn files(extra: &[PathBuf], authority: &str) -> Result<Vec<Given>> {
    let bundle = bundle(extra, authority)?;
    let stores = java::stores();
    let java = (!stores.is_empty()).then(|| given(INSIDE_JAVA, &stores, java::store(&bundle)));
    let bundle = given(INSIDE, &SYSTEM.map(PathBuf::from), bundle);
    Ok([bundle].into_iter().chain(java).collect())
}

/// A file at `inside` and in place of those of `usual` that are there: some clients look nowhere
/// else.
fn given(inside: &str, usual: &[PathBuf], content: Vec<u8>) -> Given {
    let mut instead_of: Vec<PathBuf> = usual
        .iter()
        .filter_map(|path| fs::canonicalize(path).ok())
        .filter(|path| path.is_file())
        .collect();
    instead_of.sort();
    instead_of.dedup();
    Given {
        at: PathBuf::from(inside),
        instead_of,
        content,
    }
}

fn bundle(extra: &[PathBuf], authority: &str) -> Result<Vec<u8>> {
    let mut bundle = SYSTEM
        .iter()
        .find_map(|path| fs::read(path).ok())
        .unwrap_or_default();
    for path in extra {
        let added = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        if !added.windows(MARK.len()).any(|window| window == MARK) {
            bail!("{} holds no PEM certificate", path.display());
        }
        bundle.push(b'\n');
        bundle.extend_from_slice(&added);
    }
    bundle.push(b'\n');
    bundle.extend_from_slice(authority.as_bytes());
    Ok(bundle)
}

/// Where the bundle is in the sandbox.
pub(super) const INSIDE: &str = "/etc/ringfence/ca-bundle.pem";
/// Where it is in the form that Java reads.
const INSIDE_JAVA: &str = "/etc/ringfence/ca-bundle.jks";

const MARK: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// Where distributions keep the bundle of all trusted authorities.
const SYSTEM: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_sandboxs_authority_comes_last() {
        let authority = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let files = files(&[], authority).unwrap();
        let bundle = files.first().unwrap();
        assert_eq!(bundle.at, Path::new(INSIDE));
        assert!(bundle.content.ends_with(authority.as_bytes()));
    }

    #[test]
    fn every_sandbox_has_an_authority_of_its_own() {
        let make = || Trust::begin(Vec::new()).unwrap().finish().unwrap();
        let (one, other) = (make(), make());
        assert_ne!(one.authority.pem(), other.authority.pem());
        let ends = |trust: &Trust, pem: &str| trust.files[0].content.ends_with(pem.as_bytes());
        assert!(ends(&one, one.authority.pem()) && !ends(&one, other.authority.pem()));
    }

    #[test]
    fn a_file_without_a_certificate_is_no_authority() {
        let data = tempfile::tempdir().unwrap();
        let key = data.path().join("key.pem");
        fs::write(&key, "-----BEGIN PRIVATE KEY-----").unwrap();
        assert!(bundle(&[key], "").is_err());
    }
}
