//! The tasks of upstream connections. They belong to the pool of one client connection and end
//! with it.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use hyper::rt::Executor;
use tokio::task::JoinSet;

/// Owns tasks; dropping it ends them.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    set: Arc<Mutex<JoinSet<()>>>,
}

/// Lets a library start tasks that the owner ends.
#[derive(Debug, Clone)]
pub(super) struct Spawner(Weak<Mutex<JoinSet<()>>>);

impl Tasks {
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        spawn(&self.set, task);
    }

    pub(super) fn spawner(&self) -> Spawner {
        Spawner(Arc::downgrade(&self.set))
    }
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Spawner {
    fn execute(&self, task: F) {
        // Without its owner, the task would have nothing to work for.
        if let Some(set) = self.0.upgrade() {
            spawn(&set, task);
        }
    }
}

fn spawn(set: &Mutex<JoinSet<()>>, task: impl Future<Output = ()> + Send + 'static) {
    let mut set = set.lock().unwrap_or_else(PoisonError::into_inner);
    while set.try_join_next().is_some() {}
    set.spawn(task);
}
