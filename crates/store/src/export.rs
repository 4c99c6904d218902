//! Export of events as JSON values, in bounded pages.

mod ocsf;

use serde_json::Value;

use crate::error::StoreError;
use crate::events::{Order, Place, StoredEvent};
use crate::filter::Filter;
use crate::limits::PAGE_RECORDS;
use crate::store::Store;

/// The form of the exported values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// [`StoredEvent`] as it is.
    Jsonl,
    /// Open Cybersecurity Schema Framework 1.3.0: Network Activity and HTTP Activity.
    Ocsf,
}

/// An export that is under way. Events that are taken in meanwhile are exported too, up to its
/// limit.
#[derive(Debug)]
pub struct Export {
    store: Store,
    format: Format,
    filter: Filter,
    left: Option<u32>,
    next: Next,
}

/// Where the next page begins.
#[derive(Debug, Clone, Copy)]
enum Next {
    /// In the order of the log, behind the filter's `after_seq`.
    Log,
    /// At the oldest of so many newest events, which is not known yet.
    Newest(u32),
    /// Here in the order of time.
    Place(Place),
}

impl Store {
    /// Starts an export of all events that the filter lets through, in the order of the log. A
    /// limit of the filter is the number of events to export, the newest, oldest first, or, with
    /// `after_seq`, the next in the log; without one, all are.
    #[must_use]
    pub fn export(&self, filter: &Filter, format: Format) -> Export {
        let next = match (filter.limit, filter.after_seq) {
            (Some(count), None) => Next::Newest(count),
            _ => Next::Log,
        };
        let mut narrowed = filter.clone();
        if matches!(next, Next::Log) {
            narrowed.after_seq.get_or_insert(0);
        }
        Export {
            store: self.clone(),
            format,
            left: filter.limit,
            filter: narrowed,
            next,
        }
    }
}

impl Export {
    /// The next values; an empty page is the end.
    ///
    /// # Errors
    /// Where the database fails or a record cannot be read.
    pub async fn next_page(&mut self) -> Result<Vec<Value>, StoreError> {
        let size = self
            .left
            .map_or(PAGE_RECORDS, |left| left.min(PAGE_RECORDS));
        self.filter.limit = Some(size);
        let events = self.store.listed(&self.filter, self.order().await?).await?;
        if let Some(last) = events.last() {
            match self.next {
                Next::Log => self.filter.after_seq = Some(last.seq),
                _ => self.next = Next::Place(Place::behind(last)),
            }
        }
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(u32::try_from(events.len()).unwrap_or(u32::MAX));
        }
        events
            .iter()
            .map(|event| self.format.value(event))
            .collect()
    }

    async fn order(&self) -> Result<Order, StoreError> {
        Ok(match self.next {
            Next::Log => Order::Log,
            Next::Place(place) => Order::From(place),
            Next::Newest(count) => {
                let place = self.store.place_of_newest(&self.filter, count).await?;
                Order::From(place.unwrap_or(Place::START))
            }
        })
    }
}

impl Format {
    fn value(self, event: &StoredEvent) -> Result<Value, StoreError> {
        match self {
            Self::Jsonl => serde_json::to_value(event)
                .map_err(|error| StoreError::corrupt(crate::entry::saturating(event.seq), error)),
            Self::Ocsf => Ok(ocsf::value(event)),
        }
    }
}

#[cfg(test)]
mod tests;
