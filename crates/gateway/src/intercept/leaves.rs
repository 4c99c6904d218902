//! What was made for the hosts of one sandbox, kept for the next connection: bounded, oldest out
//! first, and made anew before a certificate ends.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ringfence_model::Host;
use tokio::time::Instant;

use crate::limits::LEAVES;

/// How long a certificate of a host is valid.
pub(super) const LEAF_LIFE: Duration = Duration::from_secs(24 * 60 * 60);
/// How long one is used for new connections.
const LEAF_USE: Duration = Duration::from_secs(12 * 60 * 60);

/// One value for each host.
#[derive(Debug)]
pub(super) struct Leaves<T> {
    kept: Mutex<Kept<T>>,
}

#[derive(Debug)]
struct Kept<T> {
    hosts: HashMap<Host, (T, Instant)>,
    order: VecDeque<Host>,
}

impl<T> Default for Leaves<T> {
    fn default() -> Self {
        let kept = Kept {
            hosts: HashMap::new(),
            order: VecDeque::new(),
        };
        Self {
            kept: Mutex::new(kept),
        }
    }
}

impl<T: Clone> Leaves<T> {
    /// The value for `host`, from `make` where there is none that is fresh. Two connections at
    /// once may both make one; the lock is not held for that.
    pub(super) fn get<E>(&self, host: &Host, make: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        if let Some(value) = self.lock().fresh(host) {
            return Ok(value);
        }
        let value = make()?;
        self.lock().put(host, value.clone());
        Ok(value)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept<T>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone> Kept<T> {
    fn fresh(&self, host: &Host) -> Option<T> {
        let (value, made) = self.hosts.get(host)?;
        (made.elapsed() < LEAF_USE).then(|| value.clone())
    }

    fn put(&mut self, host: &Host, value: T) {
        if self
            .hosts
            .insert(host.clone(), (value, Instant::now()))
            .is_none()
        {
            self.order.push_back(host.clone());
        }
        while self.order.len() > LEAVES {
            if let Some(oldest) = self.order.pop_front() {
                self.hosts.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use tokio::time::{advance, pause};

    use super::*;

    fn host(number: usize) -> Host {
        format!("h{number}.test").parse().unwrap()
    }

    fn made(leaves: &Leaves<usize>, number: usize, value: usize) -> usize {
        let make = || Ok::<_, Infallible>(value);
        leaves.get(&host(number), make).unwrap()
    }

    #[tokio::test]
    async fn a_certificate_is_made_once_and_again_before_it_ends() {
        pause();
        let leaves = Leaves::default();
        assert_eq!(made(&leaves, 1, 10), 10);
        advance(LEAF_USE / 2).await;
        assert_eq!(made(&leaves, 1, 20), 10);
        advance(LEAF_USE / 2).await;
        assert_eq!(made(&leaves, 1, 30), 30);
        assert_eq!(leaves.lock().order.len(), 1);
        assert!(LEAF_USE * 2 <= LEAF_LIFE);
    }

    #[test]
    fn a_flood_of_hosts_takes_bounded_memory() {
        let leaves = Leaves::default();
        for number in 0..LEAVES + 10 {
            made(&leaves, number, number);
        }
        let kept = leaves.lock();
        assert_eq!((kept.hosts.len(), kept.order.len()), (LEAVES, LEAVES));
        assert!(kept.fresh(&host(9)).is_none());
        assert!(kept.fresh(&host(10)).is_some());
    }

    #[test]
    fn what_cannot_be_made_is_not_kept() {
        let leaves = Leaves::<usize>::default();
        assert_eq!(leaves.get(&host(1), || Err("no")), Err("no"));
        assert_eq!(made(&leaves, 1, 2), 2);
    }
}
