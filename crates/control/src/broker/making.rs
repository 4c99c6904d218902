//! How a credential is made ready: its secret is opened or asked for, and where it has an issuer,
//! the issuer is asked.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ringfence_gateway::{CredentialError, Outbound};
use ringfence_model::CredentialName;
use ringfence_store::{OpenedCredential, Vault, VaultError};

use super::Inner;
use crate::cache::{Made, Ready, unavailable};
use crate::credential::{Definition, DocumentError, Kind, Secrets, SecretsError};
use crate::limits::UNKNOWN_LIFE;
use crate::{fixed, mint};

impl Inner {
    pub(super) async fn make(&self, vault: &Vault, name: &CredentialName) -> Made {
        let failed = |error: VaultError| match error {
            VaultError::Unknown(_) | VaultError::Revoked(_) => {
                CredentialError::Unknown(name.clone())
            }
            other => unavailable(name, other.to_string()),
        };
        let opened = vault.opened(name).await.map_err(failed)?;
        let definition = Definition::stored(&opened.record)
            .map_err(|error: DocumentError| unavailable(name, error.to_string()))?;
        if definition.kind != Kind::Oauth2RefreshToken {
            return self.make_of(vault, &opened, definition).await;
        }
        // A refresh token may be good for one use, so one process uses it at a time, and each sees
        // what the one before it was given.
        let turn = vault.turn().await.map_err(failed)?;
        let opened = vault.opened(name).await.map_err(failed)?;
        let made = self.make_of(vault, &opened, definition).await;
        drop(turn);
        made
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
            keep(vault, opened, secrets, &minted.replaced)
                .await
                .map_err(|_| unavailable(name, "what its issuer replaced could not be kept"))?;
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

/// Keeps what the issuer replaced. Where the credential was changed meanwhile, that counts.
async fn keep(
    vault: &Vault,
    opened: &OpenedCredential,
    mut secrets: Secrets,
    replaced: &Secrets,
) -> Result<(), VaultError> {
    for (name, secret) in replaced.iter() {
        secrets.set(name, secret.clone());
    }
    let secrets: Vec<_> = secrets
        .iter()
        .map(|(name, secret)| (name.to_owned(), secret.clone()))
        .collect();
    vault.replace(&opened.record, &secrets).await.map(drop)
}

/// How long it is until then.
fn remaining(expires: Timestamp) -> Duration {
    let left = expires.duration_since(Timestamp::now());
    Duration::try_from(left).unwrap_or_default()
}
