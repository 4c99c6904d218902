//! The authorities that clients in the sandbox trust: the system's, those that the configuration
//! adds, and the sandbox's own, which nothing outside of it trusts.

mod java;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};
use ringfence_model::RunId;

/// Files for the sandbox. It keeps what it was shown, so they are removed when it has been built.
pub(crate) struct Trust {
    directory: PathBuf,
    show: Vec<(PathBuf, PathBuf)>,
}

impl Trust {
    /// Writes them below `data`. `authority` is the certificate of the sandbox's own authority.
    pub(super) fn write(
        extra: &[PathBuf],
        authority: &str,
        data: &Path,
        run: RunId,
    ) -> Result<Self> {
        let bundle = bundle(extra, authority)?;
        let all = data.join("trust");
        sweep(&all);
        let directory = all.join(run.to_string());
        fs::create_dir_all(&directory)
            .with_context(|| format!("cannot make {}", directory.display()))?;
        let mut trust = Self {
            directory,
            show: Vec::new(),
        };
        trust.add("ca-bundle.pem", &bundle, INSIDE, &SYSTEM.map(PathBuf::from))?;
        let stores = java::stores();
        if !stores.is_empty() {
            let store = java::store(&bundle);
            trust.add("ca-bundle.jks", &store, INSIDE_JAVA, &stores)?;
        }
        Ok(trust)
    }

    /// What the sandbox is to be shown: from where, and where.
    pub(super) fn show(&self) -> &[(PathBuf, PathBuf)] {
        &self.show
    }

    /// Writes one file, to be shown at `inside` and in place of those of `usual` that are there:
    /// some clients look nowhere else.
    fn add(&mut self, name: &str, content: &[u8], inside: &str, usual: &[PathBuf]) -> Result<()> {
        let path = self.directory.join(name);
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
        let mut places: Vec<PathBuf> = usual
            .iter()
            .filter_map(|path| fs::canonicalize(path).ok())
            .filter(|path| path.is_file())
            .collect();
        places.sort();
        places.dedup();
        places.push(PathBuf::from(inside));
        let shown = places.into_iter().map(|place| (path.clone(), place));
        self.show.extend(shown);
        Ok(())
    }
}

impl Drop for Trust {
    fn drop(&mut self) {
        // What is left is swept by a later run.
        let _ = fs::remove_dir_all(&self.directory);
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

/// Removes what runs that were killed while they started have left.
fn sweep(directory: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let age = entry
            .metadata()
            .and_then(|meta| meta.modified())
            .map(|time| SystemTime::now().duration_since(time).unwrap_or_default());
        if age.is_ok_and(|age| age > LONGEST_START) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Where the bundle is in the sandbox.
pub(super) const INSIDE: &str = "/etc/ringfence/ca-bundle.pem";
/// Where it is in the form that Java reads.
const INSIDE_JAVA: &str = "/etc/ringfence/ca-bundle.jks";

const MARK: &[u8] = b"-----BEGIN CERTIFICATE-----";
const LONGEST_START: Duration = Duration::from_secs(60 * 60);

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
    use super::*;

    #[test]
    fn the_sandboxs_authority_comes_last_and_the_files_are_removed() {
        let data = tempfile::tempdir().unwrap();
        let authority = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let trust = Trust::write(&[], authority, data.path(), RunId::new()).unwrap();
        let inside = |(_, at): &&(PathBuf, PathBuf)| at == Path::new(INSIDE);
        let (from, _) = trust.show().iter().find(inside).unwrap().clone();
        assert!(fs::read_to_string(&from).unwrap().ends_with(authority));
        drop(trust);
        assert!(!from.exists());
    }

    #[test]
    fn a_file_without_a_certificate_is_no_authority() {
        let data = tempfile::tempdir().unwrap();
        let key = data.path().join("key.pem");
        fs::write(&key, "-----BEGIN PRIVATE KEY-----").unwrap();
        assert!(bundle(&[key], "").is_err());
    }
}
