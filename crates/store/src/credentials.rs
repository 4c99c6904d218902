//! Credentials at rest. Every write is one transaction: a rotation that is broken off leaves the
//! old secret or the new one, never none and never a mixture.

mod row;

use jiff::Timestamp;
use ringfence_model::{CredentialName, Secret};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::limits::MOST_CREDENTIALS;
use crate::seal;
use crate::vault::{Vault, VaultError};
use row::{Row, field_place, write_sealed};

pub(crate) use row::{KeyRow, reseal};

/// A credential without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialRecord {
    /// Its id, new with each `add`.
    pub id: String,
    /// Its name.
    pub name: CredentialName,
    /// Grows with each rotation, and when a revoked name is added again.
    pub version: u64,
    /// Grows with each sealing.
    pub revision: u64,
    /// Its public part, in a form that the store does not read.
    pub document: String,
    /// When it was added.
    pub created: Timestamp,
    /// When it was last rotated.
    pub rotated: Option<Timestamp>,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
}

/// A credential with its secrets.
#[derive(Debug, Clone)]
pub struct OpenedCredential {
    /// The credential.
    pub record: CredentialRecord,
    /// Its secrets by the name of their field.
    pub secrets: Vec<(String, Secret)>,
}

impl Vault {
    /// All credentials, revoked ones as well, by name.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn credentials(&self) -> Result<Vec<CredentialRecord>, VaultError> {
        let rows: Vec<Row> = sqlx::query_as("SELECT * FROM credentials ORDER BY name LIMIT $1")
            .bind(MOST_CREDENTIALS)
            .fetch_all(&self.pool)
            .await?;
        // A name that no version of this program writes cannot be asked for either.
        Ok(rows.into_iter().filter_map(Row::record).collect())
    }

    /// One credential.
    ///
    /// # Errors
    /// Where there is none of that name, or the database fails.
    pub async fn credential(&self, name: &CredentialName) -> Result<CredentialRecord, VaultError> {
        let mut db = self.pool.acquire().await?;
        let row = stored(&mut db, name).await?;
        row.and_then(Row::record)
            .ok_or_else(|| VaultError::Unknown(name.clone()))
    }

    /// One credential with its secrets.
    ///
    /// # Errors
    /// Where there is none, it was revoked, the master key is missing or wrong, or what is stored
    /// is not what was sealed.
    pub async fn opened(&self, name: &CredentialName) -> Result<OpenedCredential, VaultError> {
        let (mut tx, unlocked) = self.begin("BEGIN").await?;
        let stored = live(&mut tx, name).await?;
        let key = stored.open_key(&unlocked.key)?;
        let sealed: Vec<(String, String)> = sqlx::query_as(
            "SELECT field, sealed FROM credential_secrets WHERE credential = $1 ORDER BY field",
        )
        .bind(&stored.id)
        .fetch_all(&mut *tx)
        .await?;
        tx.rollback().await?;
        let mut secrets = Vec::with_capacity(sealed.len());
        for (field, sealed) in sealed {
            let place = field_place(&stored.id, &field, stored.revision);
            let opened = seal::open(&key, &place, &sealed);
            let secret = opened.map_err(|_| VaultError::Damaged(name.clone()))?;
            secrets.push((field, secret));
        }
        let record = stored.record();
        let record = record.ok_or_else(|| VaultError::Unknown(name.clone()))?;
        Ok(OpenedCredential { record, secrets })
    }

    /// Adds a credential. A name that was revoked may be used again.
    ///
    /// # Errors
    /// Where there is one of that name.
    pub async fn add(
        &self,
        name: &CredentialName,
        document: &str,
        secrets: &[(String, Secret)],
    ) -> Result<CredentialRecord, VaultError> {
        let (mut tx, unlocked) = self.begin(WRITE).await?;
        let before = stored(&mut tx, name).await?;
        if let Some(before) = &before {
            if before.revoked.is_none() {
                return Err(VaultError::Exists(name.clone()));
            }
            remove(&mut tx, &before.id).await?;
        }
        let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM credentials")
            .fetch_one(&mut *tx)
            .await?;
        if count >= i64::from(MOST_CREDENTIALS) {
            return Err(VaultError::TooMany("there are too many credentials"));
        }
        let mut fresh = Row {
            id: Uuid::now_v7().to_string(),
            name: name.to_string(),
            version: before.map_or(1, |before| before.version.saturating_add(1)),
            revision: 1,
            document: document.to_owned(),
            data_key: None,
            created: Timestamp::now().as_microsecond(),
            rotated: None,
            revoked: None,
        };
        fresh.insert(&mut tx).await?;
        write_sealed(&mut tx, &unlocked, &mut fresh, secrets).await?;
        self.commit(tx).await?;
        fresh
            .record()
            .ok_or_else(|| VaultError::Unknown(name.clone()))
    }

    /// Gives a credential new secrets, and a new public part where one is given: a new version.
    ///
    /// # Errors
    /// Where there is none of that name, or it was revoked.
    pub async fn rotate(
        &self,
        name: &CredentialName,
        document: Option<&str>,
        secrets: &[(String, Secret)],
    ) -> Result<CredentialRecord, VaultError> {
        let (mut tx, unlocked) = self.begin(WRITE).await?;
        let mut stored = live(&mut tx, name).await?;
        stored.version = stored.version.saturating_add(1);
        stored.revision = stored.revision.saturating_add(1);
        stored.rotated = Some(Timestamp::now().as_microsecond());
        if let Some(document) = document {
            document.clone_into(&mut stored.document);
        }
        write_sealed(&mut tx, &unlocked, &mut stored, secrets).await?;
        self.commit(tx).await?;
        self.forget_old_pages().await;
        stored
            .record()
            .ok_or_else(|| VaultError::Unknown(name.clone()))
    }

    /// Keeps secrets that an issuer replaced, as a refresh token that can be used once: the
    /// version stays. False where the credential was changed since `seen` was read.
    ///
    /// # Errors
    /// Where it is gone, or the master key is.
    pub async fn replace(
        &self,
        seen: &CredentialRecord,
        secrets: &[(String, Secret)],
    ) -> Result<bool, VaultError> {
        let (mut tx, unlocked) = self.begin(WRITE).await?;
        let mut stored = live(&mut tx, &seen.name).await?;
        if stored.id != seen.id || i64::try_from(seen.revision) != Ok(stored.revision) {
            return Ok(false);
        }
        stored.revision = stored.revision.saturating_add(1);
        write_sealed(&mut tx, &unlocked, &mut stored, secrets).await?;
        // Nobody needs to know: what was minted before stays valid.
        tx.commit().await?;
        self.forget_old_pages().await;
        Ok(true)
    }

    /// Revokes a credential: its secrets are removed, its name and history stay.
    ///
    /// # Errors
    /// Where there is none of that name. One that was revoked before is no error.
    pub async fn revoke(&self, name: &CredentialName) -> Result<(), VaultError> {
        // No key is needed: who lost it can still revoke.
        let mut tx = self.pool.begin_with(WRITE).await?;
        let stored = stored(&mut tx, name).await?;
        let stored = stored.ok_or_else(|| VaultError::Unknown(name.clone()))?;
        sqlx::query("DELETE FROM credential_secrets WHERE credential = $1")
            .bind(&stored.id)
            .execute(&mut *tx)
            .await?;
        sqlx::query(
            "UPDATE credentials SET data_key = NULL, revoked = COALESCE(revoked, $1) WHERE id = $2",
        )
        .bind(Timestamp::now().as_microsecond())
        .bind(&stored.id)
        .execute(&mut *tx)
        .await?;
        self.commit(tx).await?;
        self.forget_old_pages().await;
        Ok(())
    }
}

async fn stored(
    db: &mut SqliteConnection,
    name: &CredentialName,
) -> Result<Option<Row>, sqlx::Error> {
    sqlx::query_as("SELECT * FROM credentials WHERE name = $1")
        .bind(name.as_str())
        .fetch_optional(db)
        .await
}

/// A credential that can be used.
async fn live(db: &mut SqliteConnection, name: &CredentialName) -> Result<Row, VaultError> {
    match stored(db, name).await? {
        None => Err(VaultError::Unknown(name.clone())),
        Some(row) if row.revoked.is_some() => Err(VaultError::Revoked(name.clone())),
        Some(row) => Ok(row),
    }
}

async fn remove(db: &mut SqliteConnection, id: &str) -> Result<(), VaultError> {
    for statement in [
        "DELETE FROM credential_secrets WHERE credential = $1",
        "DELETE FROM credentials WHERE id = $1",
    ] {
        sqlx::query(statement).bind(id).execute(&mut *db).await?;
    }
    Ok(())
}

const WRITE: &str = "BEGIN IMMEDIATE";

#[cfg(test)]
mod tests;
