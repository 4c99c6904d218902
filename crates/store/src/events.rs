//! Events as they are listed and exported: what a record of the log says, with its closing where
//! there is one.

use ringfence_model::{Closing, Event, EventId, Record};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, QueryBuilder, Sqlite};

use crate::entry;
use crate::error::StoreError;
use crate::filter::Filter;
use crate::store::Store;

/// One event of the store. Its JSON is a promise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredEvent {
    /// Its number in the log, rising in the order in which events were taken in.
    pub seq: u64,
    /// The event.
    #[serde(flatten)]
    pub event: Event,
    /// How it ended; none for a denial and for what goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing: Option<Closing>,
}

/// The order of an export.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Order {
    /// As the log took them in.
    Log,
    /// The oldest first, from this place on.
    From(Place),
}

/// A place in the order of time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    time: i64,
    seq: i64,
}

impl Place {
    /// Before every event.
    pub(crate) const START: Self = Self {
        time: i64::MIN,
        seq: i64::MIN,
    };

    /// The place behind an event.
    pub(crate) fn behind(event: &StoredEvent) -> Self {
        Self {
            time: event.event.time.as_microsecond(),
            seq: entry::saturating(event.seq).saturating_add(1),
        }
    }
}

impl Store {
    /// The event of this id; none where the store has none.
    ///
    /// # Errors
    /// Where the database fails or a record cannot be read.
    pub async fn event(&self, id: EventId) -> Result<Option<StoredEvent>, StoreError> {
        let mut query = QueryBuilder::new(SELECT);
        query.push(" AND e.id = ").push_bind(id.to_string());
        let row: Option<Row> = query.build_query_as().fetch_optional(&self.pool).await?;
        row.as_ref().map(read).transpose()
    }

    pub(crate) async fn listed(
        &self,
        filter: &Filter,
        order: Order,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let mut query = listing("", filter, order);
        let rows: Vec<Row> = query.build_query_as().fetch_all(&self.pool).await?;
        rows.iter().map(read).collect()
    }

    /// The place of the last of the `count` newest events that the filter lets through; none
    /// where there are fewer.
    pub(crate) async fn place_of_newest(
        &self,
        filter: &Filter,
        count: u32,
    ) -> Result<Option<Place>, StoreError> {
        let Some(before) = count.checked_sub(1) else {
            return Ok(None);
        };
        let mut query = QueryBuilder::new("SELECT e.time, e.seq FROM events e WHERE 1 = 1");
        filter.narrow(&mut query);
        query.push(" ORDER BY e.time DESC, e.seq DESC LIMIT 1 OFFSET ");
        query.push_bind(i64::from(before));
        let row: Option<(i64, i64)> = query.build_query_as().fetch_optional(&self.pool).await?;
        Ok(row.map(|(time, seq)| Place { time, seq }))
    }
}

/// An opening record, and the number and the record of the event's closing.
#[derive(Debug, FromRow)]
pub(crate) struct Row {
    pub(crate) seq: i64,
    pub(crate) record: String,
    closed_seq: Option<i64>,
    closing: Option<String>,
}

/// The columns of [`Row`], and the time for those who order by it.
pub(crate) const SELECT: &str =
    "SELECT e.time AS time, e.seq AS seq, o.record, e.closed_seq, c.record AS closing
     FROM events e
     JOIN entries o ON o.seq = e.seq
     LEFT JOIN entries c ON c.seq = e.closed_seq
     WHERE 1 = 1";

pub(crate) fn read(row: &Row) -> Result<StoredEvent, StoreError> {
    Ok(StoredEvent {
        seq: u64::try_from(row.seq).map_err(|error| StoreError::corrupt(row.seq, error))?,
        event: parse_opened(row.seq, &row.record)?,
        closing: parse_closed(row.closed_seq, row.closing.as_deref())?,
    })
}

pub(crate) fn parse_opened(seq: i64, record: &str) -> Result<Event, StoreError> {
    match entry::parse(seq, record)? {
        Record::Opened(event) => Ok(event),
        Record::Closed(_) | Record::Notice(_) => {
            Err(StoreError::corrupt(seq, "it does not open an event"))
        }
    }
}

pub(crate) fn parse_closed(
    seq: Option<i64>,
    record: Option<&str>,
) -> Result<Option<Closing>, StoreError> {
    let Some(seq) = seq else {
        return Ok(None);
    };
    match record.map(|record| entry::parse(seq, record)).transpose()? {
        Some(Record::Closed(closing)) => Ok(Some(closing)),
        _ => Err(StoreError::corrupt(seq, "it does not close an event")),
    }
}

fn listing(prefix: &'static str, filter: &Filter, order: Order) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new(prefix);
    query.push(SELECT);
    filter.narrow(&mut query);
    if let Order::From(place) = order {
        query.push(" AND (e.time, e.seq) >= (");
        query.push_bind(place.time).push(", ");
        query.push_bind(place.seq).push(")");
    }
    query.push(match order {
        Order::Log => " ORDER BY e.seq",
        Order::From(_) => " ORDER BY e.time, e.seq",
    });
    query.push(" LIMIT ").push_bind(i64::from(filter.answers()));
    query
}

#[cfg(test)]
mod tests;
