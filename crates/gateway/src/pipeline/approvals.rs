//! The port to what people said to pushes and calls that were held. The gateway asks it after everything else
//! was judged, anew each time, and keeps nothing of the reply.

use ringfence_model::mcp::{McpApproved, McpRequest};
use ringfence_model::{Action, EventId, Generation};

use super::session::Identity;

/// What a person said to an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approval {
    /// Nothing, or nothing that still counts.
    Waiting,
    /// It may go on.
    Approved,
    /// It may not go on.
    Rejected,
}

/// A call of a tool that a rule wants a person to approve. Whatever of it differs makes another call.
#[derive(Debug, Clone, Copy)]
pub struct HeldCall<'a> {
    /// Who calls.
    pub identity: &'a Identity,
    /// What is called.
    pub request: &'a McpRequest,
    /// The digest of all that the server gets of it.
    pub digest: &'a str,
    /// The policy that allows it.
    pub generation: Generation,
    /// The event of this attempt.
    pub event: EventId,
}

/// What a person said to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// Nothing, or nothing that still counts.
    Waiting,
    /// Yes, and the call was made since.
    Used,
    /// It may be made, now and once.
    Approved(McpApproved),
    /// It may not be made.
    Rejected,
}

/// Where the gateway learns what people said.
pub trait Approvals: Send + Sync {
    /// What a person said to exactly this action of this agent. It may wait for a file; what cannot
    /// be read is not approved.
    fn approval(&self, identity: &Identity, action: &Action) -> Approval;

    /// Takes the approval of exactly this call, of which there is none left then. It may wait for a
    /// file; what cannot be read or written is not approved.
    fn take(&self, call: HeldCall<'_>) -> Taken;
}

/// The port of a gateway that nobody approves anything of.
#[derive(Debug, Default)]
pub struct NoApprovals;

impl Approvals for NoApprovals {
    fn approval(&self, _: &Identity, _: &Action) -> Approval {
        Approval::Waiting
    }

    fn take(&self, _: HeldCall<'_>) -> Taken {
        Taken::Waiting
    }
}
