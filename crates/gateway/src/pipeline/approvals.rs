//! The port to what people said to pushes that were held. The gateway asks it after everything else
//! was judged, anew each time, and keeps nothing of the reply.

use ringfence_model::Action;

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

/// Where the gateway learns what people said.
pub trait Approvals: Send + Sync {
    /// What a person said to exactly this action of this agent. It may wait for a file; what cannot
    /// be read is not approved.
    fn approval(&self, identity: &Identity, action: &Action) -> Approval;
}

/// The port of a gateway that nobody approves anything of.
#[derive(Debug, Default)]
pub struct NoApprovals;

impl Approvals for NoApprovals {
    fn approval(&self, _: &Identity, _: &Action) -> Approval {
        Approval::Waiting
    }
}
