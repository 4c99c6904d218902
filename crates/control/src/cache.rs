//! What was made ready is kept in memory and made by one task at a time, however many requests
//! wait for it. A failure is kept as well, for a pause that grows, so that an issuer in trouble is
//! not asked by every request.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ringfence_gateway::{CredentialError, Material};
use ringfence_model::CredentialName;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::credential::Binding;
use crate::limits::{EXPIRY_MARGIN, FIRST_PAUSE, LONGEST_PAUSE, REMINT_PAUSE};

/// A credential and its version.
pub(crate) type Key = (CredentialName, u64);

/// Material that is ready, with where it may go.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) material: Arc<Material>,
    /// The binding that was authenticated together with the secrets.
    pub(crate) binding: Binding,
    /// The only host, where the issuer named one.
    pub(crate) host: Option<ringfence_model::HostName>,
    /// How long it is good for; none for ever.
    pub(crate) life: Option<Duration>,
}

/// The result of making a credential ready.
pub(crate) type Made = Result<Arc<Ready>, CredentialError>;

/// What is ready, by credential and version.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    slots: Mutex<HashMap<Key, Slot>>,
    tasks: TaskTracker,
}

#[derive(Debug, Default)]
struct Slot {
    ready: Option<Kept>,
    failed: Option<Failed>,
    /// Where the task that makes it says when it is done.
    making: Option<watch::Receiver<bool>>,
    /// When an upstream's rejection last had it made anew.
    rejected: Option<Instant>,
}

#[derive(Debug, Clone)]
struct Kept {
    ready: Arc<Ready>,
    /// From when on a new one is wanted, and when this one ends.
    times: Option<(Instant, Instant)>,
}

#[derive(Debug, Clone)]
struct Failed {
    error: CredentialError,
    until: Instant,
    pause: Duration,
}

/// What a look at a slot finds.
enum Found {
    Answer(Made),
    Wait(watch::Receiver<bool>),
    Make(watch::Sender<bool>),
}

impl Cache {
    /// What is ready for `key`; where nothing is, `make` is run, or the run that is under way
    /// waited for. It runs to its end whether anybody still waits or not: what an issuer gave out
    /// once, it may not give out again.
    pub(crate) async fn get<F, M>(self: &Arc<Self>, key: &Key, make: F) -> Made
    where
        F: FnOnce() -> M,
        M: Future<Output = Made> + Send + 'static,
    {
        let mut waiting = match self.look(key) {
            Found::Answer(answer) => return answer,
            Found::Wait(waiting) => waiting,
            Found::Make(done) => {
                let waiting = done.subscribe();
                let (cache, key, made) = (Arc::clone(self), key.clone(), make());
                self.tasks.spawn(async move {
                    let guard = Making { cache, key, done };
                    let made = made.await;
                    guard.finish(made);
                });
                waiting
            }
        };
        // What is about to end serves on while its successor is made.
        if let Ok(ready) = self.result(key) {
            return Ok(ready);
        }
        // An error says that the task is gone, and then the slot says so, too.
        let _ = waiting.wait_for(|done| *done).await;
        self.result(key)
    }

    /// The upstream did not accept `material`: it is made anew, unless that was done just now.
    pub(crate) fn rejected(&self, key: &Key, material: &Material) {
        let now = Instant::now();
        let mut slots = self.slots();
        let Some(slot) = slots.get_mut(key) else {
            return;
        };
        let is_it = |kept: &Kept| std::ptr::eq(Arc::as_ptr(&kept.ready.material), material);
        let is_early = |last: Instant| now.duration_since(last) < REMINT_PAUSE;
        if slot.ready.as_ref().is_some_and(is_it) && !slot.rejected.is_some_and(is_early) {
            slot.ready = None;
            slot.rejected = Some(now);
        }
    }

    /// Forgets what is not wanted any more.
    pub(crate) fn retain(&self, is_wanted: impl Fn(&Key) -> bool) {
        self.slots().retain(|key, _| is_wanted(key));
    }

    /// Waits for what is under way.
    pub(crate) async fn close(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn look(&self, key: &Key) -> Found {
        let now = Instant::now();
        let mut slots = self.slots();
        let slot = slots.entry(key.clone()).or_default();
        if let Some(kept) = slot.ready.as_ref().filter(|kept| kept.is_fresh(now)) {
            return Found::Answer(Ok(Arc::clone(&kept.ready)));
        }
        if let Some(making) = &slot.making {
            return Found::Wait(making.clone());
        }
        if slot
            .failed
            .as_ref()
            .is_some_and(|failed| now < failed.until)
        {
            return Found::Answer(slot.settled(now, key));
        }
        let (done, making) = watch::channel(false);
        slot.making = Some(making);
        Found::Make(done)
    }

    fn result(&self, key: &Key) -> Made {
        let now = Instant::now();
        match self.slots().get(key) {
            Some(slot) => slot.settled(now, key),
            None => Err(CredentialError::Unknown(key.0.clone())),
        }
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<Key, Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    /// What there is: what has not ended yet serves on while a new one cannot be had.
    fn settled(&self, now: Instant, key: &Key) -> Made {
        if let Some(kept) = self.ready.as_ref().filter(|kept| !kept.has_ended(now)) {
            return Ok(Arc::clone(&kept.ready));
        }
        Err(match &self.failed {
            Some(failed) => failed.error.clone(),
            None => unavailable(&key.0, "it was changed just now; try again"),
        })
    }

    fn settle(&mut self, made: Made, now: Instant) {
        self.making = None;
        match made {
            Ok(ready) => {
                let times = ready.life.map(|life| {
                    let margin = EXPIRY_MARGIN.min(life / 4);
                    (now + (life - margin), now + life)
                });
                self.ready = Some(Kept { ready, times });
                self.failed = None;
            }
            Err(error) => {
                let before = self.failed.as_ref();
                let pause = before.map_or(FIRST_PAUSE, |failed| {
                    failed.pause.saturating_mul(2).min(LONGEST_PAUSE)
                });
                self.failed = Some(Failed {
                    error,
                    until: now + pause,
                    pause,
                });
            }
        }
    }
}

impl Kept {
    fn is_fresh(&self, now: Instant) -> bool {
        self.times.is_none_or(|(stale, _)| now < stale)
    }

    fn has_ended(&self, now: Instant) -> bool {
        self.times.is_some_and(|(_, end)| now >= end)
    }
}

/// A task at work. Where it panics or is dropped, the slot is free for another.
struct Making {
    cache: Arc<Cache>,
    key: Key,
    done: watch::Sender<bool>,
}

impl Making {
    fn finish(self, made: Made) {
        if let Some(slot) = self.cache.slots().get_mut(&self.key) {
            slot.settle(made, Instant::now());
        }
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        if let Some(slot) = self.cache.slots().get_mut(&self.key) {
            slot.making = None;
        }
        self.done.send_replace(true);
    }
}

/// That a credential cannot be had now.
pub(crate) fn unavailable(name: &CredentialName, reason: impl Into<String>) -> CredentialError {
    CredentialError::Unavailable {
        name: name.clone(),
        reason: reason.into(),
    }
}

#[cfg(test)]
mod tests;
