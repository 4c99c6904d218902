//! What people do with credentials: add, rotate, look. All of it is checked before anything is
//! written.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ringfence_model::{CredentialName, Secret};
use ringfence_store::{CredentialRecord, Vault, VaultError};

use crate::credential::{
    Binding, Definition, DocumentError, Kind, Secrets, SecretsError, SettingsError,
};
use crate::fixed;
use crate::mint::{self, MintError};
use crate::source::SourceRef;

/// A credential to add.
#[derive(Debug)]
pub struct NewCredential {
    /// Its name.
    pub name: CredentialName,
    /// Its kind.
    pub kind: Kind,
    /// Where it may be sent.
    pub binding: Binding,
    /// Its public settings.
    pub settings: BTreeMap<String, String>,
    /// Its secret, or where that comes from at use.
    pub origin: Origin,
}

/// Where the secret of a credential is.
#[derive(Debug)]
pub enum Origin {
    /// In the vault from now on.
    Sealed(Secrets),
    /// Somewhere else.
    Source(SourceRef),
}

/// Why a credential was not added or rotated. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// Its settings are not those of its kind.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Its secrets are not those of its kind.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// What is stored cannot be read or written.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The vault refuses.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// No issuer could be asked with it.
    #[error(transparent)]
    Mint(#[from] MintError),
    /// What is stored does not make a request.
    #[error("a credential of kind {0} cannot be made of this")]
    Unusable(Kind),
}

/// Adds a credential.
///
/// # Errors
/// Where it is not complete, or there is one of that name.
pub async fn add(vault: &Vault, new: NewCredential) -> Result<Definition, CredentialsError> {
    let (secrets, source) = new.origin.parts();
    let mut definition = Definition {
        name: new.name,
        kind: new.kind,
        binding: new.binding,
        settings: new.settings,
        source,
        version: 1,
        created: Timestamp::now(),
        rotated: None,
        revoked: None,
    };
    check(&definition, &secrets)?;
    let document = definition.document()?;
    let record = vault
        .add(&definition.name, &document, &owned(&secrets))
        .await?;
    definition.version = record.version;
    definition.created = record.created;
    Ok(definition)
}

/// Gives a credential a new secret, and changes settings that belong to it, as the id of a key.
///
/// # Errors
/// Where there is none of that name, or it would not be complete.
pub async fn rotate(
    vault: &Vault,
    name: &CredentialName,
    settings: BTreeMap<String, String>,
    origin: Origin,
) -> Result<Definition, CredentialsError> {
    let definition = Definition::stored(&vault.credential(name).await?)?;
    change(vault, definition, settings, origin).await
}

async fn change(
    vault: &Vault,
    mut definition: Definition,
    settings: BTreeMap<String, String>,
    origin: Origin,
) -> Result<Definition, CredentialsError> {
    let (secrets, source) = origin.parts();
    definition.settings.extend(settings);
    definition.source = source;
    check(&definition, &secrets)?;
    let document = definition.document()?;
    let record = vault
        .rotate(&definition.name, Some(&document), &owned(&secrets))
        .await?;
    Ok(Definition::stored(&record)?)
}

/// Gives a credential new secrets and new settings, in place of all that it had.
///
/// # Errors
/// Where there is none of that name, or it would not be complete.
pub async fn renew(
    vault: &Vault,
    name: &CredentialName,
    settings: BTreeMap<String, String>,
    origin: Origin,
) -> Result<Definition, CredentialsError> {
    let mut definition = Definition::stored(&vault.credential(name).await?)?;
    definition.settings.clear();
    change(vault, definition, settings, origin).await
}

/// All credentials, with those that this version cannot read.
///
/// # Errors
/// Where the vault fails.
pub async fn list(
    vault: &Vault,
) -> Result<Vec<(CredentialRecord, Result<Definition, DocumentError>)>, VaultError> {
    let records = vault.credentials().await?;
    Ok(records
        .into_iter()
        .map(|record| {
            let definition = Definition::stored(&record);
            (record, definition)
        })
        .collect())
}

impl Origin {
    fn parts(self) -> (Secrets, Option<SourceRef>) {
        match self {
            Self::Sealed(secrets) => (secrets, None),
            Self::Source(source) => (Secrets::default(), Some(source)),
        }
    }
}

fn check(definition: &Definition, secrets: &Secrets) -> Result<(), CredentialsError> {
    let kind = definition.kind;
    kind.check(&definition.settings)?;
    if definition.source.is_some() {
        return match kind.is_minted() {
            true => Ok(mint::check_settings(definition)?),
            false => Ok(()),
        };
    }
    secrets.check(kind)?;
    if kind.is_minted() {
        return Ok(mint::check(definition, secrets)?);
    }
    let made = fixed::material(definition, secrets).map(drop);
    made.ok_or(CredentialsError::Unusable(kind))
}

fn owned(secrets: &Secrets) -> Vec<(String, Secret)> {
    secrets
        .iter()
        .map(|(name, secret)| (name.to_owned(), secret.clone()))
        .collect()
}

#[cfg(test)]
mod tests;
