//! The store: one SQLite database in the data directory, in a file that only its user can read.
//! The SQL keeps to what PostgreSQL understands as well.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::SqlitePool;

use crate::entry::Tip;
use crate::error::StoreError;
use crate::head::{self, Head};
use crate::key::AuditKey;
use crate::limits::CONNECTIONS;
use crate::{database, private, spool};

/// The events of every run, in a log that shows what was done to it. Clones share one pool.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) pool: SqlitePool,
    pub(crate) key: Arc<AuditKey>,
    data: PathBuf,
}

impl Store {
    /// Opens the store in the data directory, and makes what is missing of it.
    ///
    /// # Errors
    /// Where files are not the user's own, the database fails, or the log has lost its key.
    pub async fn open(data: &Path) -> Result<Self, StoreError> {
        private::directory(data)?;
        private::directory(&spool::folder(data))?;
        // SQLite has no lock of its own around migrations, and the key is made once.
        let _lock = database::lock(data).await?;
        let pool = database::open(data, CONNECTIONS).await?;
        let key = establish_key(&pool, &data.join("audit.key")).await?;
        Ok(Self {
            pool,
            key: Arc::new(key),
            data: data.to_owned(),
        })
    }

    /// The number of the last entry of the log, 0 for an empty one: where following starts.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn last_seq(&self) -> Result<u64, StoreError> {
        let last: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(seq), 0) FROM entries")
            .fetch_one(&self.pool)
            .await?;
        Ok(u64::try_from(last).unwrap_or(0))
    }

    /// Ends all work with the database.
    pub async fn close(self) {
        self.pool.close().await;
    }

    pub(crate) fn spools(&self) -> PathBuf {
        spool::folder(&self.data)
    }
}

/// Reads the key; makes one for a log that is new. A log without head but with a key was emptied
/// by somebody, and a log with entries but without key cannot be trusted: neither is made good.
async fn establish_key(pool: &SqlitePool, path: &Path) -> Result<AuditKey, StoreError> {
    if let Some(key) = AuditKey::read(path)? {
        return Ok(key);
    }
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await?;
    let signed = Head::stored(&mut tx).await?.map_or(0, |head| head.seq);
    let genesis = Tip::genesis();
    if signed != 0 || Tip::stored(&mut tx).await? != Some(genesis) {
        return Err(StoreError::KeyMissing(path.to_owned()));
    }
    let key = AuditKey::generate().map_err(StoreError::file(path))?;
    head::sign(&mut tx, &key, &genesis).await?;
    tx.commit().await?;
    // A crash before this line leaves an empty log whose head nobody can check; the next start
    // makes another key for it.
    key.write(path)?;
    Ok(key)
}

#[cfg(test)]
mod tests;
