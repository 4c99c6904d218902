//! The pipeline: who is asking, what was decided, the proof of it, and the record. Nothing
//! outside this module can make a [`Permit`].

mod audit;
mod findings;
mod gateway;
mod permit;
mod refusal;
mod revocation;
mod session;

pub use audit::{Audit, AuditError};
pub use gateway::Gateway;
pub use permit::{Meter, Permit, Transport};
pub(crate) use refusal::denial;
pub use refusal::{Failure, Refusal, Stopped};
pub use session::{Identity, Place, Session};

#[cfg(test)]
mod tests;
