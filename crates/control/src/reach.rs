//! How the vault of a machine is reached, and what its issuers and sources are reached by.

use std::path::PathBuf;

use ringfence_gateway::Config;
use ringfence_model::Secret;
use ringfence_store::{Vault, VaultError};

use crate::keys::{self, KeyConfig, KeyError};
use crate::source::Sources;

/// Where the vault is, and how it and the issuers are reached.
pub struct Reach {
    /// The data directory.
    pub data: PathBuf,
    /// Where the master key comes from.
    pub keys: KeyConfig,
    /// The value of [`keys::VARIABLE`].
    pub variable: Option<Secret>,
    /// How issuers and secret stores are reached.
    pub config: Config,
    /// Where secrets come from that are not in the vault.
    pub sources: Sources,
}

/// Why the vault is not usable.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no master key to be had.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The database or the key is not usable.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl Reach {
    /// The vault, not unlocked yet.
    ///
    /// # Errors
    /// Where there is no key to be had, or the database fails.
    pub async fn vault(&self) -> Result<Vault, OpenError> {
        let source = keys::source(&self.keys, self.variable.as_ref(), &self.data).await?;
        Ok(Vault::open(&self.data, source).await?)
    }
}
