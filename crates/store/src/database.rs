//! The one SQLite database in the data directory, in a file that only its user can read.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::error::StoreError;
use crate::limits::BUSY_TIMEOUT;
use crate::private;

/// Opens the database and makes what is missing of it. The caller holds the [`lock`].
pub(crate) async fn open(data: &Path, connections: u32) -> Result<SqlitePool, StoreError> {
    let file = data.join("store.db");
    private::open_or_create(&file).map_err(StoreError::file(&file))?;
    let options = SqliteConnectOptions::new()
        .filename(&file)
        .journal_mode(SqliteJournalMode::Wal)
        // A spool is removed once its records are committed, so a commit must be durable.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        // What was sealed and is replaced does not stay in free pages.
        .pragma("secure_delete", "ON")
        .pragma("trusted_schema", "OFF");
    let pool = SqlitePoolOptions::new()
        .max_connections(connections)
        .connect_with(options)
        .await?;
    sqlx::migrate!().run(&pool).await?;
    Ok(pool)
}

/// Waits for the lock of the data directory, which SQLite has no equal of: for migrations and for
/// keys, which are made once.
pub(crate) async fn lock(data: &Path) -> Result<File, StoreError> {
    lock_file(data.join("store.lock")).await
}

/// Waits for the lock that a file stands for. It ends when the file is closed.
pub(crate) async fn lock_file(path: PathBuf) -> Result<File, StoreError> {
    let locked = path.clone();
    let wait = move || {
        let file = private::open_or_create(&locked)?;
        private::lock(&file).map(|()| file)
    };
    tokio::task::spawn_blocking(wait)
        .await
        .unwrap_or_else(|panic| Err(io::Error::other(panic)))
        .map_err(StoreError::file(&path))
}
