//! How a credential is made ready: its secret is opened or asked for, and where it has an issuer,
//! the issuer is asked.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ringfence_gateway::{CredentialError, Outbound};
use ringfence_model::{CredentialName, Secret};
use ringfence_store::{OpenedCredential, Vault, VaultError};
use tokio::time::timeout;

use super::Inner;
use crate::cache::{Made, Ready, unavailable};
use crate::credential::{Definition, DocumentError, Secrets, SecretsError};
use crate::limits::{MINT_WAIT, UNKNOWN_LIFE};
use crate::{fixed, keys, mint};

impl Inner {
    pub(super) async fn make(&self, vault: &Vault, name: &CredentialName) -> Made {
        let opened = in_time(name, self.opened(vault, name)).await?;
        let definition = definition(&opened)?;
        if !definition.kind.is_used_up() {
            return in_time(name, self.make_of(vault, &opened, definition)).await;
        }
        // A refresh token may be good for one use, so one process uses it at a time, and each sees
        // what the one before it was given.
        let turn = in_time(name, async {
            vault.turn().await.map_err(|error| failed(name, &error))
        });
        let turn = turn.await?;
        let opened = in_time(name, self.opened(vault, name)).await?;
        // From here on it goes to its end, whoever waits and however long: what the issuer gives
        // out it gives out once. Each step has a bound of its own.
        let opened = self.unsaved.take_up(vault, opened).await?;
        let definition = self::definition(&opened)?;
        let made = self.make_of(vault, &opened, definition).await;
        drop(turn);
        made
    }

    /// The credential with its secrets. Where the master key was changed, and comes from a command,
    /// that is asked again.
    async fn opened(
        &self,
        vault: &Vault,
        name: &CredentialName,
    ) -> Result<OpenedCredential, CredentialError> {
        let mut opened = vault.opened(name).await;
        if let Err(VaultError::KeyChanged { .. }) = &opened {
            let reach = &self.reach;
            let asked = keys::asked_again(&reach.keys, reach.variable.as_ref()).await;
            if let Some(key) = asked.map_err(|error| unavailable(name, error.to_string()))? {
                opened = match vault.unlock_with(key).await {
                    Ok(()) => vault.opened(name).await,
                    Err(error) => Err(error),
                };
            }
        }
        opened.map_err(|error| failed(name, &error))
    }

    async fn make_of(
        &self,
        vault: &Vault,
        opened: &OpenedCredential,
        definition: Definition,
    ) -> Made {
        let name = &definition.name;
        let secrets = self.secrets(&definition, opened).await?;
        if !definition.kind.is_minted() {
            let mut material = fixed::material(&definition, &secrets)
                .ok_or_else(|| unavailable(name, "a part of it is missing"))?;
            material.minted = definition.source.is_some();
            return Ok(Arc::new(Ready {
                life: material.minted.then(|| self.reach.sources.life()),
                material: Arc::new(material),
                binding: definition.binding,
                host: None,
            }));
        }
        let outbound = self.outbound(name).await?;
        let minted = mint::prepare(&definition, &secrets, outbound)
            .await
            .map_err(|error| unavailable(name, error.to_string()))?;
        if !minted.replaced.is_empty() {
            let replaced = with(secrets, &minted.replaced);
            self.unsaved.keep(vault, &opened.record, replaced).await?;
        }
        Ok(Arc::new(Ready {
            material: Arc::new(minted.material),
            binding: definition.binding,
            host: minted.host,
            life: Some(minted.expires.map_or(UNKNOWN_LIFE, remaining)),
        }))
    }

    /// What issuers are asked through, made when the first one is.
    pub(super) async fn outbound(
        &self,
        name: &CredentialName,
    ) -> Result<&Outbound, CredentialError> {
        let outbound = self
            .outbound
            .get_or_try_init(|| std::future::ready(Outbound::new(&self.reach.config)));
        outbound
            .await
            .map_err(|error| unavailable(name, error.to_string()))
    }

    async fn secrets(
        &self,
        definition: &Definition,
        opened: &OpenedCredential,
    ) -> Result<Secrets, CredentialError> {
        let (name, kind) = (&definition.name, definition.kind);
        let unusable = |error: SecretsError| unavailable(name, error.to_string());
        let secrets = match &definition.source {
            None => Secrets::named(kind, opened.secrets.clone()).map_err(unusable)?,
            Some(source) => {
                let outbound = self.outbound(name).await?;
                let given = self.reach.sources.resolve(source, outbound).await;
                let given = given.map_err(|error| unavailable(name, error.to_string()))?;
                Secrets::read(kind, &given).map_err(unusable)?
            }
        };
        secrets.check(kind).map_err(unusable)?;
        Ok(secrets)
    }
}

fn definition(opened: &OpenedCredential) -> Result<Definition, CredentialError> {
    let unreadable = |error: DocumentError| unavailable(&opened.record.name, error.to_string());
    Definition::stored(&opened.record).map_err(unreadable)
}

fn failed(name: &CredentialName, error: &VaultError) -> CredentialError {
    match error {
        VaultError::Unknown(_) | VaultError::Revoked(_) => CredentialError::Unknown(name.clone()),
        other => unavailable(name, other.to_string()),
    }
}

async fn in_time<T>(
    name: &CredentialName,
    doing: impl Future<Output = Result<T, CredentialError>>,
) -> Result<T, CredentialError> {
    let done = timeout(MINT_WAIT, doing).await;
    done.unwrap_or_else(|_| Err(unavailable(name, "it took too long")))
}

/// The secrets with those that the issuer replaced.
fn with(mut secrets: Secrets, replaced: &Secrets) -> Vec<(String, Secret)> {
    for (name, secret) in replaced.iter() {
        secrets.set(name, secret.clone());
    }
    let owned = |(name, secret): (&str, &Secret)| (name.to_owned(), secret.clone());
    secrets.iter().map(owned).collect()
}

/// How long it is until then.
fn remaining(expires: Timestamp) -> Duration {
    let left = expires.duration_since(Timestamp::now());
    Duration::try_from(left).unwrap_or_default()
}
