//! The `[sources]` table of the configuration.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::limits::LIFE;
use crate::endpoint::Endpoint;

/// How external sources are reached, and which commands may be one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SourceConfig {
    /// How many seconds a secret is used before its source is asked again.
    pub cache_seconds: u64,
    /// The commands that `command:` may name: a program by its whole path and the arguments that
    /// must come first.
    pub commands: Vec<Vec<String>>,
    /// The server that `vault:` means.
    pub vault: Option<VaultConfig>,
}

/// A HashiCorp Vault or an OpenBao.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultConfig {
    /// For example `https://vault.example.com:8200`.
    pub address: VaultAddress,
    /// The namespace, where it has some.
    #[serde(default)]
    pub namespace: Option<String>,
    /// The file that holds the token, unless the environment does.
    #[serde(default)]
    pub token_file: Option<PathBuf>,
}

/// The address of a server: HTTPS, or HTTP to an address of this machine itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct VaultAddress(pub(super) Endpoint);

impl TryFrom<String> for VaultAddress {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match Endpoint::parse_near(&text) {
            Ok(endpoint) => Ok(Self(endpoint)),
            Err(error) => Err(format!("sources.vault.address: {error}")),
        }
    }
}

impl SourceConfig {
    /// How long a secret is used before its source is asked again.
    #[must_use]
    pub fn life(&self) -> Duration {
        Duration::from_secs(self.cache_seconds)
    }

    /// Whether these words may be run: they start with those of one of the commands.
    pub(super) fn allows(&self, words: &[String]) -> bool {
        let is_start = |start: &Vec<String>| !start.is_empty() && words.starts_with(start);
        self.commands.iter().any(is_start)
    }
}

impl Default for SourceConfig {
    fn default() -> Self {
        Self {
            cache_seconds: LIFE.as_secs(),
            commands: Vec::new(),
            vault: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn a_command_starts_with_the_words_of_one_that_is_listed() {
        let config = SourceConfig {
            commands: vec![
                words("/usr/bin/pass show"),
                words("/opt/secret"),
                Vec::new(),
            ],
            ..SourceConfig::default()
        };
        for (command, is_allowed) in [
            ("/usr/bin/pass show agents/web", true),
            ("/opt/secret", true),
            ("/opt/secret a b", true),
            ("/usr/bin/pass", false),
            ("/usr/bin/pass rm show", false),
            ("/usr/bin/pass shows", false),
            ("/bin/sh -c /opt/secret", false),
            ("", false),
        ] {
            assert_eq!(config.allows(&words(command)), is_allowed, "{command}");
        }
        assert!(!SourceConfig::default().allows(&words("/opt/secret")));
    }

    #[test]
    fn a_configuration_is_read_strictly() {
        let read = |text: &str| serde_json::from_str::<SourceConfig>(text);
        let vault = r#"{"vault":{"address":"https://vault.acme.test:8200","namespace":"team"}}"#;
        assert_eq!(read(vault).unwrap().life(), LIFE);
        for text in [
            r#"{"vault":{"address":"http://vault.acme.test:8200"}}"#,
            r#"{"vault":{"address":"vault.acme.test"}}"#,
            r#"{"vault":{"address":"https://vault.acme.test","token":"hvs.x"}}"#,
            r#"{"vaults":{}}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
