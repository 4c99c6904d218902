//! What was sealed and is replaced or revoked leaves the disk: from the pages of the database by
//! `secure_delete`, and from the write-ahead log by emptying it.

use sqlx::{Connection, SqliteConnection};

use super::Vault;
use crate::limits::{BUSY_TIMEOUT, CHECKPOINT_WAIT};

impl Vault {
    /// Empties the write-ahead log. The change is in force already, so it is no fault where this
    /// cannot be done now, because another process reads from the log for long: the next change
    /// does it, or the last process that closes the database.
    pub(crate) async fn forget_old_pages(&self) {
        let Ok(mut db) = self.pool.acquire().await else {
            return;
        };
        let wait = set_wait(&mut db, CHECKPOINT_WAIT).await;
        let emptied = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(&mut *db)
            .await;
        drop((wait, emptied));
        if set_wait(&mut db, BUSY_TIMEOUT).await.is_err() {
            // A connection that would not wait as the others do is of no use.
            let _ = db.detach().close().await;
        }
    }
}

async fn set_wait(db: &mut SqliteConnection, wait: std::time::Duration) -> Result<(), sqlx::Error> {
    let statement = format!("PRAGMA busy_timeout = {}", wait.as_millis());
    sqlx::query(sqlx::AssertSqlSafe(statement))
        .execute(db)
        .await
        .map(drop)
}

#[cfg(test)]
mod tests;
