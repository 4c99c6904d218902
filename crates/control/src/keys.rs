//! Where the master key comes from: the environment, a command or a file, in this order.

use std::path::{Path, PathBuf};

use ringfence_model::Secret;
use ringfence_store::{KeyFormatError, KeySource, MasterKey};
use serde::Deserialize;

use crate::command::{self, CommandError};

/// The environment variable that holds the master key in base64.
pub const VARIABLE: &str = "RINGFENCE_MASTER_KEY";

/// The `[credentials]` table of the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeyConfig {
    /// A program and its arguments that print the master key in base64.
    pub master_key_command: Vec<String>,
    /// The file that holds it, by default `master.key` in the data directory.
    pub master_key_file: Option<PathBuf>,
}

/// Why there is no master key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The variable or what the command printed is no key.
    #[error("{0} does not hold a master key")]
    Format(String, #[source] KeyFormatError),
    /// The command gave nothing.
    #[error("master_key_command gave no master key")]
    Command(#[source] CommandError),
}

/// The master key's source for the data directory `data`. `variable` is the value of [`VARIABLE`],
/// which the caller read once.
///
/// # Errors
/// Where the variable or the command gives no key. A file is not looked at yet.
pub async fn source(
    config: &KeyConfig,
    variable: Option<&Secret>,
    data: &Path,
) -> Result<KeySource, KeyError> {
    if let Some(text) = variable {
        return Ok(given(VARIABLE, parsed(VARIABLE, text)?));
    }
    if !config.master_key_command.is_empty() {
        return Ok(given(COMMAND, commanded(config).await?));
    }
    let file = config.master_key_file.clone();
    Ok(KeySource::File(
        file.unwrap_or_else(|| data.join("master.key")),
    ))
}

/// What the command prints now; none where the key does not come from a command. A variable cannot
/// change in a process that runs.
///
/// # Errors
/// Where the command gives no key.
pub async fn asked_again(
    config: &KeyConfig,
    variable: Option<&Secret>,
) -> Result<Option<MasterKey>, KeyError> {
    if variable.is_some() || config.master_key_command.is_empty() {
        return Ok(None);
    }
    commanded(config).await.map(Some)
}

async fn commanded(config: &KeyConfig) -> Result<MasterKey, KeyError> {
    let printed = command::output(&config.master_key_command).await;
    parsed(COMMAND, &printed.map_err(KeyError::Command)?)
}

fn parsed(origin: &str, text: &Secret) -> Result<MasterKey, KeyError> {
    MasterKey::parse(text).map_err(|error| KeyError::Format(origin.to_owned(), error))
}

fn given(origin: &str, key: MasterKey) -> KeySource {
    KeySource::Given {
        origin: origin.to_owned(),
        key,
    }
}

const COMMAND: &str = "master_key_command";

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    #[tokio::test]
    async fn the_environment_comes_before_a_command_and_a_command_before_a_file() {
        let data = Path::new("/data");
        let mut config = KeyConfig::default();
        let found = source(&config, None, data).await.unwrap();
        assert!(matches!(found, KeySource::File(path) if path == data.join("master.key")));
        config.master_key_command = ["/bin/echo", KEY].map(str::to_owned).to_vec();
        let found = source(&config, None, data).await.unwrap();
        assert!(matches!(found, KeySource::Given { origin, .. } if origin == "master_key_command"));
        let variable = Secret::new(KEY);
        let found = source(&config, Some(&variable), data).await.unwrap();
        assert!(matches!(found, KeySource::Given { origin, .. } if origin == VARIABLE));
    }

    #[tokio::test]
    async fn what_is_no_key_is_refused_and_not_repeated() {
        let variable = Secret::new("aHVudGVyMg==");
        let found = source(&KeyConfig::default(), Some(&variable), Path::new("/data")).await;
        let error = found.unwrap_err();
        assert_eq!(
            error.to_string(),
            "RINGFENCE_MASTER_KEY does not hold a master key"
        );
    }
}
