//! A new master key. The database changes in one transaction; where the key is in a file, the new
//! one lies beside the old one before that, and takes its name after. Whenever this is broken off,
//! one of the two files opens everything.

use std::path::{Path, PathBuf};

use sqlx::{Sqlite, Transaction};

use super::{Error, KeySource, MasterKey, Unlocked, Vault, prove};
use crate::credentials::{KeyRow, reseal};
use crate::error::StoreError;
use crate::{database, private};

/// What a change of the master key did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rekeyed {
    /// Credentials whose keys are sealed under the new master key.
    pub credentials: u64,
    /// The file that holds the new key; none where the key comes from elsewhere and must be
    /// changed there.
    pub file: Option<PathBuf>,
}

impl Vault {
    /// Seals the keys of all credentials under a new master key: the one that is given, else a
    /// random one. Running sandboxes go on.
    ///
    /// # Errors
    /// Where the key in force is missing or wrong, or a credential is damaged. The old key is in
    /// force then.
    pub async fn rekey(&self, given: Option<MasterKey>) -> Result<Rekeyed, Error> {
        let lock = database::lock(&self.data).await?;
        self.remember(None);
        let old = self.key_within(&lock).await?;
        let new = match (given, &self.source) {
            (Some(key), _) => key,
            (None, KeySource::File(_)) => MasterKey::generate().map_err(|_| Error::Random)?,
            (None, KeySource::Given { origin, .. }) => {
                let origin = origin.clone();
                return Err(Error::KeyNeeded { origin });
            }
        };
        let file = match &self.source {
            KeySource::File(path) => Some(path.clone()),
            KeySource::Given { .. } => None,
        };
        if let Some(path) = &file {
            new.write(&next(path))?;
        }
        let credentials = self.seal_under(&old, &new).await?;
        if let Some(path) = &file {
            name(&next(path), path)?;
        }
        self.forget_old_pages().await;
        Ok(Rekeyed { credentials, file })
    }

    async fn seal_under(&self, old: &Unlocked, new: &MasterKey) -> Result<u64, Error> {
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let count = reseal_all(&mut tx, &old.key, new).await?;
        let proof = prove(new)?;
        sqlx::query("UPDATE vault SET proof = $1 WHERE id = 1")
            .bind(&proof)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        let key = new.clone();
        self.remember(Some(std::sync::Arc::new(Unlocked { key, proof })));
        Ok(count)
    }
}

async fn reseal_all(
    tx: &mut Transaction<'static, Sqlite>,
    old: &MasterKey,
    new: &MasterKey,
) -> Result<u64, Error> {
    let rows: Vec<KeyRow> = sqlx::query_as(
        "SELECT id, name, version, revision, document, data_key FROM credentials
         WHERE data_key IS NOT NULL",
    )
    .fetch_all(&mut **tx)
    .await?;
    let mut count = 0;
    for row in rows {
        let sealed = reseal(&row, old, new)?;
        sqlx::query("UPDATE credentials SET data_key = $1 WHERE id = $2")
            .bind(sealed)
            .bind(&row.id)
            .execute(&mut **tx)
            .await?;
        count += 1;
    }
    Ok(count)
}

/// Where the key lies that takes the place of the one in `path`.
pub(super) fn next(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".next");
    path.with_file_name(name)
}

/// Gives the new key its name, durably.
pub(super) fn name(next: &Path, path: &Path) -> Result<(), StoreError> {
    std::fs::rename(next, path).map_err(StoreError::file(path))?;
    let directory = path.parent().unwrap_or(path);
    private::sync_directory(directory).map_err(StoreError::file(directory))
}
