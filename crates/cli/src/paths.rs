//! Where things are, by the XDG base directory specification.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

/// `$XDG_DATA_HOME/ringfence`: events, private copies, keys.
pub(crate) fn data() -> Result<PathBuf> {
    base("XDG_DATA_HOME", ".local/share")
}

/// `$XDG_CONFIG_HOME/ringfence`: the configuration and the person's own profiles.
pub(crate) fn config() -> Result<PathBuf> {
    base("XDG_CONFIG_HOME", ".config")
}

/// `$XDG_STATE_HOME/ringfence`: where servers work that are started for agents.
pub(crate) fn state() -> Result<PathBuf> {
    base("XDG_STATE_HOME", ".local/state")
}

/// `<data>/runs`: what single runs keep.
pub(crate) fn runs() -> Result<PathBuf> {
    Ok(data()?.join("runs"))
}

/// The caller's home directory.
pub(crate) fn home() -> Result<PathBuf> {
    let home = std::env::var_os("HOME").context("HOME is not set")?;
    let home = PathBuf::from(home);
    if !home.is_absolute() {
        bail!("HOME is not an absolute path");
    }
    Ok(home)
}

fn base(variable: &str, default: &str) -> Result<PathBuf> {
    // The specification says to ignore a relative path.
    let base = std::env::var_os(variable)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    let base = match base {
        Some(base) => base,
        None => home()?.join(default),
    };
    Ok(base.join("ringfence"))
}
