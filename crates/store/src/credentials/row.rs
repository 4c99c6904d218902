//! Rows of the vault's tables: how a credential is sealed into them and read back.

use jiff::Timestamp;
use ringfence_model::Secret;
use sqlx::{FromRow, SqliteConnection};

use super::CredentialRecord;
use crate::limits::{MOST_FIELDS, SEALED_OCTETS};
use crate::seal::{self, MasterKey, Place};
use crate::vault::{Unlocked, VaultError};

/// A row of `credentials`.
#[derive(FromRow)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) version: i64,
    pub(super) revision: i64,
    pub(super) document: String,
    pub(super) data_key: Option<String>,
    pub(super) created: i64,
    pub(super) rotated: Option<i64>,
    pub(super) revoked: Option<i64>,
}

impl Row {
    pub(super) fn record(self) -> Option<CredentialRecord> {
        Some(CredentialRecord {
            id: self.id,
            name: self.name.parse().ok()?,
            version: u64::try_from(self.version).ok()?,
            revision: u64::try_from(self.revision).ok()?,
            document: self.document,
            created: time(self.created)?,
            rotated: self.rotated.and_then(time),
            revoked: self.revoked.and_then(time),
        })
    }

    fn key_row(&self) -> KeyRow {
        KeyRow {
            id: self.id.clone(),
            name: self.name.clone(),
            version: self.version,
            revision: self.revision,
            document: self.document.clone(),
            data_key: self.data_key.clone().unwrap_or_default(),
        }
    }

    pub(super) fn open_key(&self, master: &MasterKey) -> Result<Secret, VaultError> {
        self.key_row().open(master)
    }

    pub(super) async fn insert(&self, db: &mut SqliteConnection) -> Result<(), VaultError> {
        sqlx::query(
            "INSERT INTO credentials (id, name, version, revision, document, created)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(&self.id)
        .bind(&self.name)
        .bind(self.version)
        .bind(self.revision)
        .bind(&self.document)
        .bind(self.created)
        .execute(db)
        .await?;
        Ok(())
    }
}

/// What the key of a record is sealed together with.
#[derive(FromRow)]
pub(crate) struct KeyRow {
    pub(crate) id: String,
    name: String,
    version: i64,
    revision: i64,
    document: String,
    data_key: String,
}

impl KeyRow {
    fn context(&self) -> Vec<u8> {
        // A name has no line end, a number neither, so this has one reading.
        format!("{}\n{}\n{}", self.name, self.version, self.document).into_bytes()
    }

    fn open(&self, master: &MasterKey) -> Result<Secret, VaultError> {
        let context = self.context();
        let opened = seal::open(master.secret(), &self.place(&context), &self.data_key);
        opened.map_err(|_| match self.name.parse() {
            Ok(name) => VaultError::Damaged(name),
            Err(_) => VaultError::TooMany("a stored credential has no valid name"),
        })
    }

    fn seal(&self, master: &MasterKey, key: &Secret) -> Result<String, VaultError> {
        let context = self.context();
        let sealed = seal::seal(master.secret(), &self.place(&context), key.expose());
        sealed.map_err(|_| VaultError::Random)
    }

    fn place<'a>(&'a self, context: &'a [u8]) -> Place<'a> {
        Place {
            table: "credentials",
            id: &self.id,
            field: "data_key",
            revision: self.revision,
            context,
        }
    }
}

/// The key of a record, sealed under a new master key.
pub(crate) fn reseal(row: &KeyRow, old: &MasterKey, new: &MasterKey) -> Result<String, VaultError> {
    row.seal(new, &row.open(old)?)
}

/// Writes the row with a new key, and the secrets under it in place of those that were there.
pub(super) async fn write_sealed(
    db: &mut SqliteConnection,
    unlocked: &Unlocked,
    row: &mut Row,
    secrets: &[(String, Secret)],
) -> Result<(), VaultError> {
    let is_short = |(_, secret): &(String, Secret)| secret.expose().len() <= SEALED_OCTETS;
    if secrets.len() > MOST_FIELDS || !secrets.iter().all(is_short) {
        return Err(VaultError::TooMany("a secret is too long to be kept"));
    }
    let key = seal::random_key().map_err(|_| VaultError::Random)?;
    row.data_key = Some(row.key_row().seal(&unlocked.key, &key)?);
    sqlx::query(
        "UPDATE credentials SET version = $1, revision = $2, document = $3, data_key = $4,
                                rotated = $5 WHERE id = $6",
    )
    .bind(row.version)
    .bind(row.revision)
    .bind(&row.document)
    .bind(&row.data_key)
    .bind(row.rotated)
    .bind(&row.id)
    .execute(&mut *db)
    .await?;
    sqlx::query("DELETE FROM credential_secrets WHERE credential = $1")
        .bind(&row.id)
        .execute(&mut *db)
        .await?;
    for (field, secret) in secrets {
        let place = field_place(&row.id, field, row.revision);
        let sealed = seal::seal(&key, &place, secret.expose()).map_err(|_| VaultError::Random)?;
        sqlx::query(
            "INSERT INTO credential_secrets (credential, field, sealed) VALUES ($1, $2, $3)",
        )
        .bind(&row.id)
        .bind(field)
        .bind(sealed)
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

pub(super) fn field_place<'a>(id: &'a str, field: &'a str, revision: i64) -> Place<'a> {
    Place {
        table: "credential_secrets",
        id,
        field,
        revision,
        context: b"",
    }
}

fn time(microseconds: i64) -> Option<Timestamp> {
    Timestamp::from_microsecond(microseconds).ok()
}
