//! Walks the entries of the log in bounded pages: numbers, hashes, head, and with each page what
//! the query tables say about it.

use ringfence_model::Record;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, SqliteConnection};

use super::Broken;
use super::projection::{Found, Page};
use crate::entry::{Entry, Tip};
use crate::error::StoreError;
use crate::head::Head;
use crate::key::AuditKey;
use crate::limits::PAGE_RECORDS;

/// Why a walk ended before the end of the log.
pub(super) enum Fault {
    Broken(Broken),
    Store(StoreError),
}

impl<E: Into<StoreError>> From<E> for Fault {
    fn from(error: E) -> Self {
        match error.into() {
            StoreError::Corrupt { seq, why } => Self::at(seq, why),
            error => Self::Store(error),
        }
    }
}

impl Fault {
    pub(super) fn at(seq: i64, why: impl Into<String>) -> Self {
        Self::Broken(Broken {
            spool: None,
            seq: u64::try_from(seq).unwrap_or(0),
            why: why.into(),
        })
    }
}

/// A walk over the log and where it has come to.
pub(super) struct Walk<'a> {
    db: &'a mut SqliteConnection,
    tip: Tip,
    found: Found,
}

impl<'a> Walk<'a> {
    /// Walks the whole log and returns its end.
    pub(super) async fn over(db: &'a mut SqliteConnection, key: &AuditKey) -> Result<Tip, Fault> {
        let mut walk = Self {
            db,
            tip: Tip::genesis(),
            found: Found::default(),
        };
        while walk.page().await? {}
        walk.finish(key).await
    }

    /// Checks the next page of entries; false at the end of the log.
    async fn page(&mut self) -> Result<bool, Fault> {
        let after = self.tip.seq;
        let rows = sqlx::query("SELECT * FROM entries WHERE seq > $1 ORDER BY seq LIMIT $2")
            .bind(after)
            .bind(PAGE_RECORDS)
            .fetch_all(&mut *self.db)
            .await?;
        let mut records = Vec::with_capacity(rows.len());
        for row in &rows {
            records.push(self.entry(row)?);
        }
        if records.is_empty() {
            return Ok(false);
        }
        let mut page = Page::load(self.db, after, self.tip.seq).await?;
        for (seq, record) in &records {
            page.check(self.db, *seq, record).await?;
        }
        self.found.add(page.found());
        Ok(true)
    }

    /// Checks that an entry is the next one, and what it says.
    fn entry(&mut self, row: &SqliteRow) -> Result<(i64, Record), Fault> {
        let expected = self.tip.seq + 1;
        let entry: Entry = decode(row, expected)?;
        if entry.seq != expected {
            return Err(Fault::at(expected, "the entry is missing"));
        }
        if entry.prev != self.tip.hash.to_string() {
            return Err(Fault::at(
                expected,
                "the entry does not follow the one before",
            ));
        }
        if entry.hash != entry.expected_hash().to_string() {
            return Err(Fault::at(expected, "the entry was changed"));
        }
        self.tip = entry.tip();
        Ok((entry.seq, crate::entry::parse(entry.seq, &entry.record)?))
    }

    async fn finish(self, key: &AuditKey) -> Result<Tip, Fault> {
        let Self { db, tip, found } = self;
        let stray: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM entries")
            .fetch_one(&mut *db)
            .await?;
        if stray != tip.seq {
            return Err(Fault::at(tip.seq, "there are entries outside the chain"));
        }
        if Found::stored(db).await? != found {
            return Err(Fault::at(
                tip.seq,
                "the query tables hold rows that no entry of the log accounts for",
            ));
        }
        let head = match Head::stored(db).await {
            Ok(Some(head)) => head,
            Ok(None) => return Err(Fault::at(tip.seq, "the signed head of the log is missing")),
            Err(error) => return Err(undecoded(error, tip.seq)),
        };
        match head.fault(key, &tip) {
            None => Ok(tip),
            Some(why) => Err(Fault::at(tip.seq, format!("the log: {why}"))),
        }
    }
}

/// Reads a row about entry `seq`. A value of another type than was stored is a change, not a
/// failure of the database.
pub(super) fn decode<T: for<'r> FromRow<'r, SqliteRow>>(
    row: &SqliteRow,
    seq: i64,
) -> Result<T, Fault> {
    T::from_row(row).map_err(|error| undecoded(error, seq))
}

pub(super) fn undecoded(error: sqlx::Error, seq: i64) -> Fault {
    match error {
        sqlx::Error::ColumnDecode { index, .. } => {
            Fault::at(seq, format!("column {index} holds what was never stored"))
        }
        sqlx::Error::Decode(_) => Fault::at(seq, "a column holds what was never stored"),
        error => Fault::Store(error.into()),
    }
}
