//! The configuration file. Precedence: flag, environment, file, default.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use ringfence_control::keys::KeyConfig;
use ringfence_control::metrics::MetricsConfig;
use ringfence_control::source::SourceConfig;
use ringfence_control::traces::TraceConfig;
use ringfence_gateway::{Config, DialConfig, Limits};
use serde::Deserialize;

use crate::failure::Failure;
use crate::paths;

/// What the configuration says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    /// The gateway's part.
    pub(crate) gateway: Config,
    /// Where the master key comes from.
    pub(crate) keys: KeyConfig,
    /// Where secrets come from that are not in the store.
    pub(crate) sources: SourceConfig,
    /// Where traces are sent.
    pub(crate) traces: TraceConfig,
    /// Where metrics are served.
    pub(crate) metrics: MetricsConfig,
}

impl Settings {
    /// The programs and scripts that it has run outside of any sandbox.
    pub(crate) fn programs(&self) -> Vec<PathBuf> {
        let commands = self.sources.commands.iter();
        let words = commands.chain([&self.keys.master_key_command]).flatten();
        let paths = words.map(PathBuf::from);
        paths.filter(|path| path.is_absolute()).collect()
    }

    /// The files that it names and that hold secrets.
    pub(crate) fn secret_files(&self) -> Vec<PathBuf> {
        let vault = self.sources.vault.as_ref();
        let token = vault.and_then(|vault| vault.token_file.clone());
        let key = self.keys.master_key_file.clone();
        let headers = self.traces.headers_file.clone();
        key.into_iter().chain(token).chain(headers).collect()
    }
}

/// The file's tables.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    dial: DialConfig,
    limits: Limits,
    credentials: KeyConfig,
    sources: SourceConfig,
    traces: TraceConfig,
    metrics: MetricsConfig,
}

/// Reads the file that `--config` or `RINGFENCE_CONFIG` names, else the caller's own if there
/// is one. Relative paths in it start from its directory.
pub(crate) fn settings(named: Option<&Path>) -> Result<Settings, Failure> {
    let own = paths::config().map_err(Failure::usage)?.join("config.toml");
    let path = named.map_or(own, Path::to_owned);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && named.is_none() => {
            return Ok(Settings::default());
        }
        Err(error) => {
            let error =
                anyhow::Error::new(error).context(format!("cannot read {}", path.display()));
            return Err(Failure::Usage(error));
        }
    };
    parse(&text, &path).map_err(Failure::Usage)
}

fn parse(text: &str, path: &Path) -> Result<Settings> {
    // toml's error shows the line and column and marks the place.
    let mut file: File =
        toml::from_str(text).with_context(|| format!("{} is not usable", path.display()))?;
    let directory = path.parent().map(Path::to_owned).unwrap_or_default();
    for root in &mut file.dial.extra_roots {
        *root = absolute(&directory, root)?;
    }
    if let Some(key) = &mut file.credentials.master_key_file {
        *key = directory.join(&*key);
    }
    if let Some(token) = file
        .sources
        .vault
        .as_mut()
        .and_then(|vault| vault.token_file.as_mut())
    {
        *token = directory.join(&*token);
    }
    if let Some(headers) = &mut file.traces.headers_file {
        *headers = directory.join(&*headers);
    }
    Ok(Settings {
        gateway: Config {
            dial: file.dial,
            limits: file.limits,
            deaf: !file.traces.agents.are_heard(),
            ..Config::default()
        },
        keys: file.credentials,
        sources: file.sources,
        traces: file.traces,
        metrics: file.metrics,
    })
}

fn absolute(directory: &Path, path: &Path) -> Result<PathBuf> {
    let path = directory.join(path);
    fs::canonicalize(&path).with_context(|| format!("extra_roots: cannot read {}", path.display()))
}
