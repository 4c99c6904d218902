//! Takes spools into the store. A record is taken in exactly once, whoever ingests and however
//! often; a spool whose writer is alive is taken in up to its last whole line and kept; one that
//! is finished and durably stored is removed. A spool that is not as it was written is taken in as
//! far as it is, the log says so by a finding, and the file is set aside for a person to look at.

mod source;

use std::io;
use std::path::{Path, PathBuf};

use ringfence_model::RunId;
use serde::Serialize;
use sqlx::SqliteConnection;

use self::source::{Source, Stop};
use crate::entry::{self, Entry, Tip};
use crate::error::StoreError;
use crate::project::project;
use crate::spool::{Break, Ending, Position, Spooled};
use crate::store::Store;
use crate::{head, spool};

/// What an ingestion did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Ingested {
    /// Records that were added to the log, findings about spools included.
    pub records: u64,
    /// Finished spools that were removed.
    pub removed: u64,
    /// Spools whose runs go on.
    pub live: u64,
    /// Spools that end in a part of a line, which was never acknowledged; set aside as `.torn`.
    pub torn: Vec<RunId>,
    /// Spools that are not as they were written; set aside as `.broken` once their run has ended.
    pub broken: Vec<BrokenSpool>,
    /// Spools of a version that this program does not know; left as they are.
    pub unsupported: Vec<RunId>,
}

/// A spool that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BrokenSpool {
    /// The run.
    pub run: RunId,
    /// The first record that is not as it was written.
    pub seq: u64,
    /// What is wrong with it.
    pub why: &'static str,
}

impl Store {
    /// Takes in what the spools hold. Call it before asking, as often as wanted.
    ///
    /// # Errors
    /// Where a file or the database fails, or the log was tampered with and is not continued.
    pub async fn ingest_spools(&self) -> Result<Ingested, StoreError> {
        let mut report = Ingested::default();
        for path in spool_files(&self.spools())? {
            if let Some(source) = Source::open(path)? {
                self.ingest(&source, &mut report).await?;
            }
        }
        Ok(report)
    }

    async fn ingest(&self, source: &Source, report: &mut Ingested) -> Result<(), StoreError> {
        if !source.finished && self.is_up_to_date(source).await? {
            report.live += 1;
            return Ok(());
        }
        loop {
            match self.ingest_batch(source, report).await? {
                Stop::Full => {}
                Stop::At(ending) => return source.settle(ending, report),
            }
        }
    }

    /// Following polls; a live spool that has nothing new must not cost a write transaction.
    async fn is_up_to_date(&self, source: &Source) -> Result<bool, StoreError> {
        let mut db = self.pool.acquire().await?;
        let position = entry::ingested(&mut db, source.run).await?;
        let octets = source.octets().map_err(StoreError::file(&source.path))?;
        Ok(position.map_or(0, |position| position.offset) == octets)
    }

    async fn ingest_batch(
        &self,
        source: &Source,
        report: &mut Ingested,
    ) -> Result<Stop, StoreError> {
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let before = head::trusted_tip(&mut tx, &self.key).await?;
        let position = entry::ingested(&mut tx, source.run).await?;
        let position = position.unwrap_or_else(|| Position::first(source.run));
        let (batch, mut stop) = source
            .read_batch(position)
            .map_err(StoreError::file(&source.path))?;
        let mut tip = before;
        for spooled in &batch {
            if !append(&mut tx, &mut tip, source.run, spooled).await? {
                stop = Stop::At(Ending::Broken(Break {
                    seq: spooled.seq,
                    why: "the record opens an event that was opened before",
                }));
                break;
            }
        }
        if let Stop::At(ending) = &stop {
            let next = position.seq + count(before, tip);
            source.find_fault(&mut tx, &mut tip, ending, next).await?;
        }
        if tip != before {
            head::sign(&mut tx, &self.key, &tip).await?;
            tx.commit().await?;
            report.records += count(before, tip);
        }
        Ok(stop)
    }
}

/// Adds a record to the log and to the query tables; false where it contradicts the log.
async fn append(
    db: &mut SqliteConnection,
    tip: &mut Tip,
    run: RunId,
    spooled: &Spooled,
) -> Result<bool, StoreError> {
    let entry = Entry::of_spool(tip, run, spooled);
    if !project(db, entry.seq, &spooled.record).await? {
        return Ok(false);
    }
    entry.insert(db).await?;
    *tip = entry.tip();
    Ok(true)
}

/// The spools in the folder, oldest run first: the ids in the names sort by time.
pub(crate) fn spool_files(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let list = || -> io::Result<Vec<PathBuf>> {
        std::fs::read_dir(folder)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect()
    };
    let mut files = list().map_err(StoreError::file(folder))?;
    files.retain(|path| spool::run_of(path).is_some());
    files.sort();
    Ok(files)
}

fn count(before: Tip, after: Tip) -> u64 {
    u64::try_from(after.seq - before.seq).unwrap_or(0)
}

#[cfg(test)]
mod tests;
