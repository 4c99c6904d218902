//! Export of events as JSON values, in bounded pages.

mod ocsf;

use serde_json::Value;

use crate::error::StoreError;
use crate::events::StoredEvent;
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

/// An export that is under way. Events that are taken in meanwhile are exported too.
#[derive(Debug)]
pub struct Export {
    store: Store,
    format: Format,
    filter: Filter,
    left: Option<u32>,
}

impl Store {
    /// Starts an export of all events that the filter lets through, in the order of the log. A
    /// limit of the filter is the number of events to export; without one, all are.
    #[must_use]
    pub fn export(&self, filter: &Filter, format: Format) -> Export {
        Export {
            store: self.clone(),
            format,
            left: filter.limit,
            filter: Filter {
                after_seq: Some(filter.after_seq.unwrap_or(0)),
                ..filter.clone()
            },
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
        let events = self.store.events(&self.filter).await?;
        if let Some(last) = events.last() {
            self.filter.after_seq = Some(last.seq);
        }
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(u32::try_from(events.len()).unwrap_or(u32::MAX));
        }
        events
            .iter()
            .map(|event| self.format.value(event))
            .collect()
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
