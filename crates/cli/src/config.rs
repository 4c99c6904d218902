//! The configuration file. Precedence: flag, environment, file, default.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use ringfence_gateway::Config;

use crate::failure::Failure;
use crate::paths;

/// Reads the file that `--config` or `RINGFENCE_CONFIG` names, else the caller's own if there
/// is one. Relative paths in it start from its directory.
pub(crate) fn load(named: Option<&Path>) -> Result<Config, Failure> {
    let own = paths::config().map_err(Failure::usage)?.join("config.toml");
    let path = named.map_or(own, Path::to_owned);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && named.is_none() => {
            return Ok(Config::default());
        }
        Err(error) => {
            let error =
                anyhow::Error::new(error).context(format!("cannot read {}", path.display()));
            return Err(Failure::Usage(error));
        }
    };
    parse(&text, &path).map_err(Failure::Usage)
}

fn parse(text: &str, path: &Path) -> Result<Config> {
    // toml's error shows the line and column and marks the place.
    let mut config: Config =
        toml::from_str(text).with_context(|| format!("{} is not usable", path.display()))?;
    let directory = path.parent().map(Path::to_owned).unwrap_or_default();
    for root in &mut config.dial.extra_roots {
        *root = absolute(&directory, root)?;
    }
    Ok(config)
}

fn absolute(directory: &Path, path: &Path) -> Result<PathBuf> {
    let path = directory.join(path);
    fs::canonicalize(&path).with_context(|| format!("extra_roots: cannot read {}", path.display()))
}
