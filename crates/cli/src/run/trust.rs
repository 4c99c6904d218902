//! The authorities that clients in the sandbox trust: the system's, and those that the
//! configuration adds.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// Writes a bundle below `data` if the configuration adds authorities, and returns its path.
pub(super) fn bundle(extra: &[PathBuf], data: &Path) -> Result<Option<PathBuf>> {
    if extra.is_empty() {
        return Ok(None);
    }
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
    let directory = data.join("trust");
    fs::create_dir_all(&directory)
        .with_context(|| format!("cannot make {}", directory.display()))?;
    let path = directory.join("ca-bundle.pem");
    if fs::read(&path).is_ok_and(|present| present == bundle) {
        return Ok(Some(path));
    }
    // Replaced whole, because other runs may be reading it.
    let fresh = directory.join(format!("ca-bundle.{}", std::process::id()));
    fs::write(&fresh, &bundle).with_context(|| format!("cannot write {}", fresh.display()))?;
    fs::rename(&fresh, &path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(Some(path))
}

/// Where the bundle is in the sandbox.
pub(super) const INSIDE: &str = "/etc/ringfence/ca-bundle.pem";

const MARK: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// Where distributions keep the bundle of all trusted authorities.
const SYSTEM: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
