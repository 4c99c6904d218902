//! Owned tasks on the run's runtime.

use std::future::Future;

use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// Starts a task whose end the caller awaits or which ends with the runtime.
pub(super) fn spawn<F>(runtime: &Runtime, task: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    runtime.spawn(task)
}
