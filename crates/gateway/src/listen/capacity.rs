//! How many connections there may be at once: of one sandbox and of all, shared so that one
//! busy sandbox cannot take the last place from the others.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::{FAIR_RESERVE, FAIR_SHARE, OVERFLOW_ANSWERS};

/// The places of all sandboxes.
#[derive(Debug)]
pub(crate) struct Capacity {
    places: Arc<Semaphore>,
    reserve: usize,
}

/// The places of one sandbox.
#[derive(Debug)]
pub(super) struct Slots {
    places: Arc<Semaphore>,
    total: usize,
    overflow: Arc<Semaphore>,
}

/// A connection's place; free again when dropped.
#[derive(Debug)]
pub(super) enum Slot {
    /// Within the limits.
    Regular {
        _own: OwnedSemaphorePermit,
        _shared: OwnedSemaphorePermit,
    },
    /// Above them: to be refused.
    Overflow { _own: OwnedSemaphorePermit },
}

impl Capacity {
    pub(crate) fn new(connections: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(connections.min(Semaphore::MAX_PERMITS))),
            reserve: FAIR_RESERVE.min(connections / 4),
        }
    }
}

impl Slots {
    pub(super) fn new(connections: usize) -> Self {
        let total = connections.min(Semaphore::MAX_PERMITS);
        Self {
            places: Arc::new(Semaphore::new(total)),
            total,
            overflow: Arc::new(Semaphore::new(OVERFLOW_ANSWERS)),
        }
    }

    /// A place within the limits, else one to be refused from; waits while there is neither,
    /// which leaves further connections in the kernel's bounded backlog.
    pub(super) async fn take(&self, shared: &Capacity) -> Slot {
        if let Some(slot) = self.take_regular(shared) {
            return slot;
        }
        match Arc::clone(&self.overflow).acquire_owned().await {
            Ok(own) => Slot::Overflow { _own: own },
            // The semaphore is never closed.
            Err(_) => std::future::pending().await,
        }
    }

    fn take_regular(&self, shared: &Capacity) -> Option<Slot> {
        let held = self.total - self.places.available_permits();
        if held >= FAIR_SHARE && shared.places.available_permits() <= shared.reserve {
            return None;
        }
        let own = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let shared = Arc::clone(&shared.places).try_acquire_owned().ok()?;
        Some(Slot::Regular {
            _own: own,
            _shared: shared,
        })
    }
}

impl Slot {
    pub(super) const fn is_overflow(&self) -> bool {
        matches!(self, Self::Overflow { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_busy_sandbox_leaves_the_last_places_to_the_others() {
        let shared = Capacity::new(400);
        let busy = Slots::new(1000);
        let mut held = Vec::new();
        loop {
            let slot = busy.take(&shared).await;
            if slot.is_overflow() {
                break;
            }
            held.push(slot);
        }
        assert_eq!(held.len(), 300);
        let quiet = Slots::new(1000);
        assert!(!quiet.take(&shared).await.is_overflow());
    }

    #[tokio::test]
    async fn a_place_is_free_again_after_its_connection() {
        let shared = Capacity::new(10);
        let slots = Slots::new(1);
        let slot = slots.take(&shared).await;
        assert!(slots.take(&shared).await.is_overflow());
        drop(slot);
        assert!(!slots.take(&shared).await.is_overflow());
    }
}
