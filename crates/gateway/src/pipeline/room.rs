//! Room for the bodies that are read before a decision. Each is bounded by itself; together they
//! are bounded for each sandbox, and for all, so that no sandbox takes the room of the others.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::gateway::Gateway;
use super::session::Session;
use crate::limits::ROOM_WAIT;

/// The octets that are left.
#[derive(Debug)]
pub(super) struct Room(Arc<Semaphore>);

/// Octets that are kept until this is dropped.
#[derive(Debug)]
#[must_use]
pub struct Reserved {
    of_session: OwnedSemaphorePermit,
    of_gateway: OwnedSemaphorePermit,
}

impl Room {
    pub(super) fn new(octets: usize) -> Self {
        Self(Arc::new(Semaphore::new(octets)))
    }

    /// None where there are never so many: the semaphore is never closed.
    async fn take(&self, octets: u64) -> Option<OwnedSemaphorePermit> {
        let octets = u32::try_from(octets).ok()?;
        Arc::clone(&self.0).acquire_many_owned(octets).await.ok()
    }
}

impl Reserved {
    /// Gives back all but `octets`.
    pub fn shrink(&mut self, octets: u64) {
        let octets = usize::try_from(octets).unwrap_or(usize::MAX);
        for kept in [&mut self.of_session, &mut self.of_gateway] {
            let more = kept.num_permits().saturating_sub(octets);
            drop(kept.split(more));
        }
    }
}

impl Gateway {
    /// Keeps `octets` for a body of `session`; none where they are not to be had within
    /// [`ROOM_WAIT`].
    pub async fn reserve(&self, session: &Session, octets: u64) -> Option<Reserved> {
        let taken = async {
            // The sandbox's own come first, so that one that has none left waits for itself alone.
            let of_session = session.room().take(octets).await?;
            let of_gateway = self.room().take(octets).await?;
            Some(Reserved {
                of_session,
                of_gateway,
            })
        };
        timeout(ROOM_WAIT, taken).await.ok().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{ROOM_OF_GATEWAY, ROOM_OF_SESSION};
    use crate::testing::{Stack, identity};

    #[tokio::test(start_paused = true)]
    async fn the_bodies_of_one_sandbox_have_so_much_room_together() {
        let stack = Stack::new("  - allow: { host: api.test }");
        let whole = ROOM_OF_SESSION as u64;
        let mut first = stack.gateway.reserve(&stack.session, whole).await.unwrap();
        assert!(stack.gateway.reserve(&stack.session, 1).await.is_none());
        first.shrink(whole - 7);
        assert!(stack.gateway.reserve(&stack.session, 8).await.is_none());
        let second = stack.gateway.reserve(&stack.session, 7).await.unwrap();
        drop((first, second));
        assert!(stack.gateway.reserve(&stack.session, whole).await.is_some());
        assert!(
            stack
                .gateway
                .reserve(&stack.session, whole + 1)
                .await
                .is_none()
        );
        assert!(
            stack
                .gateway
                .reserve(&stack.session, u64::MAX)
                .await
                .is_none()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_bodies_of_all_sandboxes_have_so_much_room_together() {
        let stack = Stack::new("  - allow: { host: api.test }");
        let mut kept = Vec::new();
        for _ in 0..ROOM_OF_GATEWAY / ROOM_OF_SESSION {
            let session = Session::new(identity());
            let room = stack.gateway.reserve(&session, ROOM_OF_SESSION as u64);
            kept.push(room.await.unwrap());
        }
        assert!(stack.gateway.reserve(&stack.session, 1).await.is_none());
        kept.pop();
        assert!(stack.gateway.reserve(&stack.session, 1).await.is_some());
    }
}
