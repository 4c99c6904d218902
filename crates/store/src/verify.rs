//! Walks the log and everything that is drawn from it, and says where it is not what was once
//! written. What that proves, and what it does not, stands at the head of this crate.

mod projection;
mod waiting;
mod walk;

use std::path::PathBuf;

use ringfence_model::RunId;
use serde::Serialize;

use self::walk::{Fault, Walk};
use crate::digest::Digest;
use crate::entry;
use crate::error::StoreError;
use crate::ingest::spool_files;
use crate::spool;
use crate::store::Store;

/// What a verification found. Its JSON is a promise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum Verification {
    /// All is as it was written.
    Verified(Verified),
    /// Something is not.
    Broken(Broken),
}

/// A log that is as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Entries in the log.
    pub count: u64,
    /// The hash of the last one; kept elsewhere, it also shows a log that was replaced.
    pub head: Digest,
    /// Records in spools that are not taken in yet.
    pub pending: u64,
    /// Spools that were set aside because they did not end well; the log has a finding on each.
    pub set_aside: Vec<PathBuf>,
}

/// The first thing that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Broken {
    /// The run whose spool it is in; none where it is in the log itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spool: Option<RunId>,
    /// The number of the entry of the log, or of the record of the spool.
    pub seq: u64,
    /// What is wrong with it.
    pub why: String,
}

impl Store {
    /// Verifies the log, its signed head, the query tables and the spools that are there.
    ///
    /// # Errors
    /// Where files or the database cannot be read at all. What can be read and is wrong is no
    /// error but [`Verification::Broken`].
    pub async fn verify(&self) -> Result<Verification, StoreError> {
        match self.verify_all().await {
            Ok(verified) => Ok(Verification::Verified(verified)),
            Err(Fault::Broken(broken)) => Ok(Verification::Broken(broken)),
            Err(Fault::Store(error)) => Err(error),
        }
    }

    async fn verify_all(&self) -> Result<Verified, Fault> {
        // One transaction, so that an ingestion in between is not taken for a change.
        let mut tx = self.pool.begin().await.map_err(StoreError::from)?;
        let tip = Walk::over(&mut tx, &self.key).await?;
        let mut pending = 0;
        for path in spool_files(&self.spools())? {
            let Some(run) = spool::run_of(&path) else {
                continue;
            };
            let position = entry::ingested(&mut tx, run).await?;
            let check = move || waiting::check(&path, run, position);
            pending += tokio::task::spawn_blocking(check)
                .await
                .unwrap_or_else(|panic| Err(StoreError::corrupt(0, panic).into()))?;
        }
        Ok(Verified {
            count: u64::try_from(tip.seq).unwrap_or(0),
            head: tip.hash,
            pending,
            set_aside: set_aside(self)?,
        })
    }
}

fn set_aside(store: &Store) -> Result<Vec<PathBuf>, StoreError> {
    let folder = store.spools();
    let list = || -> std::io::Result<Vec<PathBuf>> {
        std::fs::read_dir(&folder)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect()
    };
    let mut files = list().map_err(StoreError::file(&folder))?;
    files.retain(|path| {
        path.extension()
            .is_some_and(|kind| kind == "torn" || kind == "broken")
    });
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests;
