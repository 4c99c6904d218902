//! The pipeline: who is asking, what was decided, the proof of it, and the record. Nothing
//! outside this module can make a [`Permit`].

mod approvals;
mod audit;
mod budgets;
mod credentials;
mod decided;
mod denials;
mod findings;
mod gateway;
mod hosted;
mod names;
mod note;
mod permit;
mod pins;
mod recorded;
mod redirect;
mod refusal;
mod revocation;
mod room;
mod session;
mod tokens;
mod told;

pub use approvals::{Approval, Approvals, HeldCall, NoApprovals, Taken};
pub use audit::{Audit, AuditError};
pub use budgets::{Budgets, Charge, NoBudgets, NotReserved, Reservation, Settle};
pub use credentials::{
    Answer, ClientCertificate, CredentialError, Credentials, Injection, Material, Need,
    NoCredentials, SigV4, SshKey,
};
pub use denials::{Denied, NotAsked, Proposal};
pub use gateway::{Gateway, McpView, PolicyChanges, Ports};
pub use hosted::{Hosted, HostedAnswer, NoHosted};
pub use note::{GitNote, NoteHold};
pub(crate) use permit::Subject;
pub use permit::{Meter, Permit, Transport};
pub use pins::{NoPins, PinKind, PinState, Pins, PinsUnavailable, SeenDefinition, SeenDefinitions};
pub(crate) use refusal::denial;
pub use refusal::{Failure, Refusal, Stopped};
pub use room::Reserved;
pub use session::{Admission, Identity, Place, Session};
pub(crate) use tokens::tokens_in;
pub use tokens::{TOKEN_OCTETS, TOKEN_PREFIX, TokenEntry, TokenFault, Tokens, without_tokens};

#[cfg(test)]
mod tests;
