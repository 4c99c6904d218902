//! What policy has to say about where an upstream redirects to. No rule has to allow such a
//! target, as the rule of the request asks for it to be followed; but a forbid wins there as well.

use ringfence_model::{Action, Decision, ReasonCode};

use super::gateway::Gateway;

impl Gateway {
    /// The decision that forbids to follow a redirect to `action`.
    pub(crate) fn bars(&self, action: &Action) -> Option<Decision> {
        let decision = self.verdict(action).decision;
        let unreached = matches!(
            decision.code,
            ReasonCode::Allowed
                | ReasonCode::NoRule
                | ReasonCode::PortNotAllowed
                | ReasonCode::MethodNotAllowed
                | ReasonCode::PathNotAllowed
                | ReasonCode::ConditionNotMet
                | ReasonCode::AccessNotAllowed
                | ReasonCode::RefNotAllowed
                | ReasonCode::CredentialAmbiguous
                | ReasonCode::RuleExpired
        );
        (!unreached).then_some(decision)
    }

    /// Whether a rule allows `action`, as if the agent had asked for it.
    pub(crate) fn covers(&self, action: &Action) -> bool {
        self.verdict(action).decision.code == ReasonCode::Allowed
    }
}
