//! What an issuer replaced and the vault could not take: a new refresh token, while the old one is
//! used up. It is kept here, and the vault is tried again before the issuer is asked once more.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use ringfence_gateway::CredentialError;
use ringfence_model::{CredentialName, Secret};
use ringfence_store::{CredentialRecord, OpenedCredential, Vault, VaultError};

use crate::cache::unavailable;

/// What is still to be kept, for each credential the latest.
#[derive(Debug, Default)]
pub(super) struct Unsaved(Mutex<HashMap<CredentialName, Replaced>>);

#[derive(Debug, Clone)]
struct Replaced {
    /// The credential that it replaces the secrets of.
    of: CredentialRecord,
    secrets: Vec<(String, Secret)>,
}

impl Unsaved {
    /// Keeps what the issuer replaced in the vault. Where the credential was changed meanwhile, that
    /// counts.
    pub(super) async fn keep(
        &self,
        vault: &Vault,
        of: &CredentialRecord,
        secrets: Vec<(String, Secret)>,
    ) -> Result<(), CredentialError> {
        let name = of.name.clone();
        let of = of.clone();
        self.set(&name, Some(Replaced { of, secrets }));
        self.save(vault, &name).await
    }

    /// The credential as it is after what is still to be kept was kept.
    pub(super) async fn take_up(
        &self,
        vault: &Vault,
        opened: OpenedCredential,
    ) -> Result<OpenedCredential, CredentialError> {
        let name = opened.record.name.clone();
        if self.get(&name).is_none() {
            return Ok(opened);
        }
        self.save(vault, &name).await?;
        let reread = vault.opened(&name).await;
        reread.map_err(|error| unavailable(&name, error.to_string()))
    }

    async fn save(&self, vault: &Vault, name: &CredentialName) -> Result<(), CredentialError> {
        let Some(replaced) = self.get(name) else {
            return Ok(());
        };
        match vault.replace(&replaced.of, &replaced.secrets).await {
            Ok(_) | Err(VaultError::Unknown(_) | VaultError::Revoked(_)) => {
                self.set(name, None);
                Ok(())
            }
            Err(error) => Err(unavailable(
                name,
                format!("what its issuer replaced could not be kept yet: {error}"),
            )),
        }
    }

    fn get(&self, name: &CredentialName) -> Option<Replaced> {
        let unsaved = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        unsaved.get(name).cloned()
    }

    fn set(&self, name: &CredentialName, replaced: Option<Replaced>) {
        let mut unsaved = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match replaced {
            Some(replaced) => drop(unsaved.insert(name.clone(), replaced)),
            None => drop(unsaved.remove(name)),
        }
    }
}
