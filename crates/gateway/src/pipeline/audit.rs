//! The port to the audit log. It is synchronous and fast: one write, and an error means that
//! nothing is allowed until a write succeeds again.

use ringfence_model::{Closing, Event, Notice};

/// The record could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the audit log cannot be written: {reason}")]
pub struct AuditError {
    /// What is wrong, in words.
    pub reason: String,
}

/// Where the gateway records what it decided and how it ended.
pub trait Audit: Send + Sync {
    /// Records an action and its decision, before anything is dialled. A decision whose event
    /// was not written is not an allow.
    fn open(&self, event: &Event) -> Result<(), AuditError>;

    /// Records how an allowed action ended.
    fn close(&self, closing: &Closing) -> Result<(), AuditError>;

    /// Records what is not an action.
    fn notice(&self, notice: &Notice) -> Result<(), AuditError>;
}
