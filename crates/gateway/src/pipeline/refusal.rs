//! A denial on its way to the agent. Adapters turn it into their protocol's own words.

use ringfence_model::{Decision, Effect, EventId, Generation, Outcome, ReasonCode};

use super::permit::Permit;

/// Why something was not done, with all that the agent and the operator need to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The event that records it; none where what came was no action, which a finding records, or
    /// where the audit log cannot be written.
    pub event: Option<EventId>,
    /// What was tried, in words, for example `connect evil.test:443`.
    pub tried: String,
    /// The denial.
    pub decision: Box<Decision>,
}

impl Refusal {
    /// The stable reason.
    #[must_use]
    pub const fn code(&self) -> ReasonCode {
        self.decision.code
    }
}

/// An allowed action that came to nothing, through no decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The event that records it.
    pub event: EventId,
    /// What was tried, in words.
    pub tried: String,
    /// What went wrong, in words.
    pub reason: String,
    /// Whether it took too long, rather than broke.
    pub timed_out: bool,
    /// Whether anything was sent to the upstream, so that it may have had an effect.
    pub sent: bool,
}

impl Failure {
    /// Closes the event of `permit` and keeps what the agent is told.
    #[must_use]
    pub fn close(permit: Permit, outcome: Outcome, reason: String) -> Stopped {
        let failure = Self {
            event: permit.event(),
            tried: permit.action().to_string(),
            reason: reason.clone(),
            timed_out: outcome == Outcome::TimedOut,
            sent: permit.meter().sent() > 0,
        };
        permit.finish_with(outcome, reason);
        Stopped::Failed(failure)
    }
}

/// Why an allowed action did not come to its good end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stopped {
    /// It was refused after all.
    Refused(Refusal),
    /// It failed.
    Failed(Failure),
}

/// A denial by the gateway itself rather than by a rule.
pub(crate) fn denial(code: ReasonCode, reason: &str, generation: Generation) -> Decision {
    Decision {
        effect: Effect::Deny,
        code,
        reason: reason.to_owned(),
        rule: None,
        generation,
        next_step: None,
        credential: None,
        access: None,
    }
}
