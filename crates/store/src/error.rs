//! What can go wrong with the store, by what the caller can do about it.

use std::io;
use std::path::{Path, PathBuf};

/// Why the store could not be opened, fed, asked or verified.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or directory could not be used.
    #[error("cannot use {}", path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file or directory is open to other users.
    #[error("{} is not safe to use: {why}", path.display())]
    Insecure {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The log has a signed head, but the key that signed it is gone.
    #[error("{} is missing, so the audit log cannot be checked or continued; put it back, or move the database aside to start a new log", .0.display())]
    KeyMissing(PathBuf),
    /// The log does not end where its signed head says, so nothing is added to it.
    #[error(
        "the audit log was tampered with: {0}; run `ringfence events verify`, then move the database aside to start a new log (spools are kept)"
    )]
    Tampered(&'static str),
    /// A stored row does not hold what was once stored.
    #[error("entry {seq} of the audit log cannot be read: {why}; run `ringfence events verify`")]
    Corrupt {
        /// Its number in the log.
        seq: i64,
        /// What is wrong with it.
        why: String,
    },
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// The tables could not be brought up to date.
    #[error("the database could not be brought up to date")]
    Migrate(#[from] sqlx::migrate::MigrateError),
}

impl StoreError {
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File {
            path: path.to_owned(),
            source,
        }
    }

    pub(crate) fn insecure(path: &Path) -> impl FnOnce(&'static str) -> Self {
        move |why| Self::Insecure {
            path: path.to_owned(),
            why,
        }
    }

    pub(crate) fn corrupt(seq: i64, why: impl ToString) -> Self {
        Self::Corrupt {
            seq,
            why: why.to_string(),
        }
    }
}
