//! Records as they are listed and followed: events, and between them the notices of what is not
//! an action.

use ringfence_model::{Notice, Record};
use serde::{Deserialize, Serialize};
use sqlx::{QueryBuilder, Sqlite};

use crate::entry;
use crate::error::StoreError;
use crate::events::{self, StoredEvent};
use crate::filter::Filter;
use crate::store::Store;

/// One answer of a listing. Its JSON is that of what it holds: only an event has an `action`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum StoredRecord {
    /// An action.
    Event(Box<StoredEvent>),
    /// Something that is not an action.
    Notice(StoredNotice),
}

/// A notice of the store. Its JSON is a promise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredNotice {
    /// Its number in the log.
    pub seq: u64,
    /// The notice.
    #[serde(flatten)]
    pub notice: Notice,
}

impl StoredRecord {
    /// Its number in the log.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        match self {
            Self::Event(event) => event.seq,
            Self::Notice(notice) => notice.seq,
        }
    }
}

impl Store {
    /// The newest records that the filter lets through, oldest first. With `after_seq` the next
    /// ones after it, in the order of the log: that is how a caller follows and pages.
    ///
    /// # Errors
    /// Where the database fails or a record cannot be read.
    pub async fn records(&self, filter: &Filter) -> Result<Vec<StoredRecord>, StoreError> {
        let mut query = listing("", filter);
        let rows: Vec<events::Row> = query.build_query_as().fetch_all(&self.pool).await?;
        let mut records = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        if filter.after_seq.is_none() {
            records.reverse();
        }
        Ok(records)
    }
}

impl Store {
    /// The newest notices that the filter lets through, oldest first; what it says of events counts
    /// for nothing.
    ///
    /// # Errors
    /// Where the database fails or a record cannot be read.
    pub async fn notices(&self, filter: &Filter) -> Result<Vec<StoredNotice>, StoreError> {
        let mut query = QueryBuilder::new(NOTICES);
        filter.narrow_records(&mut query);
        query.push(" ORDER BY e.time DESC, e.seq DESC LIMIT ");
        query.push_bind(i64::from(filter.answers()));
        let rows: Vec<events::Row> = query.build_query_as().fetch_all(&self.pool).await?;
        let read = rows.iter().rev().map(read).collect::<Result<Vec<_>, _>>()?;
        let notices = read.into_iter().filter_map(|record| match record {
            StoredRecord::Notice(notice) => Some(notice),
            StoredRecord::Event(_) => None,
        });
        Ok(notices.collect())
    }
}

const NOTICES: &str =
    "SELECT e.time, e.seq, o.record, NULL AS closed_seq, NULL AS closing FROM notices e
     JOIN entries o ON o.seq = e.seq
     WHERE 1 = 1";

fn read(row: &events::Row) -> Result<StoredRecord, StoreError> {
    match entry::parse(row.seq, &row.record)? {
        Record::Notice(notice) => Ok(StoredRecord::Notice(StoredNotice {
            seq: u64::try_from(row.seq).map_err(|error| StoreError::corrupt(row.seq, error))?,
            notice,
        })),
        Record::Opened(_) | Record::Closed(_) => {
            events::read(row).map(|event| StoredRecord::Event(Box::new(event)))
        }
    }
}

/// One statement, so that both kinds are of the same moment: a caller who follows misses neither.
fn listing(prefix: &'static str, filter: &Filter) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new(prefix);
    query.push(events::SELECT);
    filter.narrow(&mut query);
    if filter.admits_notices() {
        query.push(
            " UNION ALL SELECT e.time, e.seq, o.record, NULL, NULL FROM notices e
             JOIN entries o ON o.seq = e.seq
             WHERE 1 = 1",
        );
        filter.narrow_records(&mut query);
    }
    query.push(match filter.after_seq {
        Some(_) => " ORDER BY seq",
        None => " ORDER BY time DESC, seq DESC",
    });
    query.push(" LIMIT ").push_bind(i64::from(filter.answers()));
    query
}

#[cfg(test)]
mod tests;
