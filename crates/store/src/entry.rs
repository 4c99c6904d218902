//! One entry of the store's log: a record, where it came from, and the hash that chains it to the
//! entry before.

use ringfence_model::{Record, RunId};
use sqlx::{FromRow, SqliteConnection};

use crate::digest::Digest;
use crate::error::StoreError;
use crate::spool::{Position, Spooled};

/// Where an entry came from.
pub(crate) const FROM_SPOOL: &str = "spool";
/// A finding of the store itself about a spool; `spool_seq` is the record that it is about.
pub(crate) const FROM_STORE: &str = "store";

/// A row of `entries`.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub(crate) struct Entry {
    pub(crate) seq: i64,
    pub(crate) source: String,
    pub(crate) run: String,
    pub(crate) spool_seq: i64,
    pub(crate) spool_hash: String,
    pub(crate) spool_end: i64,
    pub(crate) record: String,
    pub(crate) prev: String,
    pub(crate) hash: String,
}

/// The end of the log: the number and the hash of the last entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tip {
    pub(crate) seq: i64,
    pub(crate) hash: Digest,
}

impl Tip {
    /// The end of an empty log.
    pub(crate) fn genesis() -> Self {
        Self {
            seq: 0,
            hash: Digest::of(&[b"ringfence-store-v1\0"]),
        }
    }

    /// The end of the log as it is stored.
    pub(crate) async fn stored(db: &mut SqliteConnection) -> Result<Option<Self>, StoreError> {
        let last: Option<(i64, String)> =
            sqlx::query_as("SELECT seq, hash FROM entries ORDER BY seq DESC LIMIT 1")
                .fetch_optional(db)
                .await?;
        let Some((seq, hash)) = last else {
            return Ok(Some(Self::genesis()));
        };
        Ok(hash.parse().ok().map(|hash| Self { seq, hash }))
    }
}

impl Entry {
    /// The entry of a spool's record, after `tip`.
    pub(crate) fn of_spool(tip: &Tip, run: RunId, spooled: &Spooled) -> Self {
        Self {
            source: FROM_SPOOL.to_owned(),
            spool_seq: saturating(spooled.seq),
            spool_hash: spooled.hash.to_string(),
            spool_end: saturating(spooled.end),
            ..Self::bare(tip, run, spooled.text.clone())
        }
        .sealed()
    }

    /// The entry of a finding about record `spool_seq` of a spool, after `tip`.
    pub(crate) fn of_store(tip: &Tip, run: RunId, spool_seq: u64, record: String) -> Self {
        Self {
            source: FROM_STORE.to_owned(),
            spool_seq: saturating(spool_seq),
            ..Self::bare(tip, run, record)
        }
        .sealed()
    }

    fn bare(tip: &Tip, run: RunId, record: String) -> Self {
        Self {
            seq: tip.seq + 1,
            source: String::new(),
            run: run.to_string(),
            spool_seq: 0,
            spool_hash: String::new(),
            spool_end: 0,
            record,
            prev: tip.hash.to_string(),
            hash: String::new(),
        }
    }

    fn sealed(mut self) -> Self {
        self.hash = self.expected_hash().to_string();
        self
    }

    /// The hash that belongs to what the entry says; `prev` is taken as it is written.
    pub(crate) fn expected_hash(&self) -> Digest {
        Digest::of_framed(&[
            self.prev.as_bytes(),
            &self.seq.to_be_bytes(),
            self.source.as_bytes(),
            self.run.as_bytes(),
            &self.spool_seq.to_be_bytes(),
            self.spool_hash.as_bytes(),
            &self.spool_end.to_be_bytes(),
            self.record.as_bytes(),
        ])
    }

    /// The end of a log that ends in this entry.
    pub(crate) fn tip(&self) -> Tip {
        Tip {
            seq: self.seq,
            hash: self.expected_hash(),
        }
    }

    /// Adds the entry to the log.
    pub(crate) async fn insert(&self, db: &mut SqliteConnection) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO entries (seq, source, run, spool_seq, spool_hash, spool_end, record, prev, hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(self.seq)
        .bind(&self.source)
        .bind(&self.run)
        .bind(self.spool_seq)
        .bind(&self.spool_hash)
        .bind(self.spool_end)
        .bind(&self.record)
        .bind(&self.prev)
        .bind(&self.hash)
        .execute(db)
        .await?;
        Ok(())
    }
}

/// How far the spool of a run was taken in; none where nothing of it was.
pub(crate) async fn ingested(
    db: &mut SqliteConnection,
    run: RunId,
) -> Result<Option<Position>, StoreError> {
    let last: Option<(i64, i64, String, i64)> = sqlx::query_as(
        "SELECT seq, spool_seq, spool_hash, spool_end FROM entries
         WHERE run = $1 AND source = $2 ORDER BY spool_seq DESC LIMIT 1",
    )
    .bind(run.to_string())
    .bind(FROM_SPOOL)
    .fetch_optional(db)
    .await?;
    let Some((seq, spool_seq, hash, end)) = last else {
        return Ok(None);
    };
    let corrupt = |why| StoreError::corrupt(seq, why);
    Ok(Some(Position {
        seq: u64::try_from(spool_seq).map_err(|_| corrupt("spool_seq is negative"))? + 1,
        prev: hash
            .parse()
            .map_err(|_| corrupt("spool_hash is not a digest"))?,
        offset: u64::try_from(end).map_err(|_| corrupt("spool_end is negative"))?,
    }))
}

/// Whether the store already found fault with a record of a run's spool.
pub(crate) async fn is_found(
    db: &mut SqliteConnection,
    run: RunId,
    spool_seq: u64,
) -> Result<bool, StoreError> {
    let seq: Option<i64> = sqlx::query_scalar(
        "SELECT seq FROM entries WHERE run = $1 AND source = $2 AND spool_seq = $3",
    )
    .bind(run.to_string())
    .bind(FROM_STORE)
    .bind(saturating(spool_seq))
    .fetch_optional(db)
    .await?;
    Ok(seq.is_some())
}

/// The record of an entry.
pub(crate) fn parse(seq: i64, record: &str) -> Result<Record, StoreError> {
    serde_json::from_str(record).map_err(|error| StoreError::corrupt(seq, error))
}

/// The database counts in signed numbers; nothing that is counted here comes near the end of them.
pub(crate) fn saturating(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
