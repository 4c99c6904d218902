//! External sources: where the secret of a credential comes from at use, when it is not sealed in
//! the store. One file for each kind of source.

mod config;
pub(crate) mod file;
mod limits;
mod vault;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use ringfence_gateway::Outbound;
use ringfence_model::Secret;
use tokio::time::timeout;

pub use config::{SourceConfig, VaultAddress, VaultConfig};
pub use vault::VaultRef;

use crate::command;

/// A reference to a secret that is kept somewhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceRef {
    /// A field of a secret of HashiCorp Vault or OpenBao.
    Vault(VaultRef),
    /// A command and its arguments, separated by spaces; no shell reads it.
    Command(Vec<String>),
    /// A file, by its absolute path.
    File(PathBuf),
}

/// Why a source does not give the secret. It never repeats what the source gave, and an agent may
/// read it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The reference itself is not usable.
    #[error(
        "`{0}` is no source: use vault:MOUNT/PATH#FIELD, command:/PROGRAM ARGUMENTS or file:/PATH"
    )]
    Reference(String),
    /// It cannot be reached or does not answer.
    #[error("the source of the secret cannot be reached: {0}")]
    Unreachable(String),
    /// It answers, and not with a secret.
    #[error("the source did not give the secret: {0}")]
    Refused(String),
}

/// The sources of one gateway.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    config: SourceConfig,
    vault_token: Option<Secret>,
}

impl Sources {
    /// The environment variable that may hold the token for Vault.
    pub const VAULT_TOKEN: &str = "VAULT_TOKEN";

    /// Sources by this configuration. `vault_token` is the value of [`Self::VAULT_TOKEN`], which
    /// the caller read once.
    #[must_use]
    pub fn new(config: SourceConfig, vault_token: Option<Secret>) -> Self {
        let vault_token = vault_token.filter(|token| !token.expose().is_empty());
        Self {
            config,
            vault_token,
        }
    }

    /// How long a secret is used before its source is asked again.
    #[must_use]
    pub fn life(&self) -> Duration {
        self.config.life()
    }

    /// Asks a source for its secret.
    ///
    /// # Errors
    /// Where it cannot be reached, gives none, or the configuration does not have it.
    pub async fn resolve(
        &self,
        source: &SourceRef,
        outbound: &Outbound,
    ) -> Result<Secret, SourceError> {
        match source {
            SourceRef::Vault(wanted) => {
                let config = self.config.vault.as_ref().ok_or_else(|| {
                    refused("the configuration names no Vault: set sources.vault.address")
                })?;
                vault::read(config, self.vault_token.as_ref(), wanted, outbound).await
            }
            SourceRef::Command(words) => self.run(words).await,
            SourceRef::File(path) => file::read(path).await,
        }
    }

    async fn run(&self, words: &[String]) -> Result<Secret, SourceError> {
        if !self.config.allows(words) {
            return Err(refused("its command is not one of sources.commands"));
        }
        let printed = timeout(limits::COMMAND_WAIT, command::output(words)).await;
        let printed = printed.map_err(|_| refused("its command did not end in time"))?;
        printed.map_err(|error| refused(&error.to_string()))
    }
}

fn refused(why: &str) -> SourceError {
    SourceError::Refused(why.to_owned())
}

impl FromStr for SourceRef {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        let wrong = || SourceError::Reference(text.to_owned());
        let (kind, rest) = text.split_once(':').ok_or_else(wrong)?;
        match kind {
            "vault" => VaultRef::parse(rest).map(Self::Vault).ok_or_else(wrong),
            "command" if rest.starts_with('/') => Ok(Self::Command(
                rest.split_whitespace().map(str::to_owned).collect(),
            )),
            "file" if rest.starts_with('/') => Ok(Self::File(PathBuf::from(rest))),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for SourceRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vault(wanted) => write!(f, "vault:{wanted}"),
            Self::Command(words) => write!(f, "command:{}", words.join(" ")),
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests;
