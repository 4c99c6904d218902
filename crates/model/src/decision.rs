//! Decisions: allow or deny of one action, with everything that a person or an agent needs
//! to understand it. The value proves nothing; the gateway's permit does.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::content::Access;
use crate::ids::CredentialName;

/// The number of a compiled policy; a later policy has a greater one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(pub u64);

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The two possible effects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// The action goes ahead as it was decided on.
    Allow,
    /// Nothing is dialled, sent or looked up.
    Deny,
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        })
    }
}

/// The rule that decided: `profile/section/id`, for example `coding-agent/network/pypi`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RuleRef(pub String);

impl fmt::Display for RuleRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why an action was decided as it was, or was refused after the decision. The codes are
/// stable: agents, filters and the database use them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReasonCode {
    /// A rule allows it.
    Allowed,
    /// No rule allows it.
    NoRule,
    /// A rule forbids it.
    Forbidden,
    /// A rule allows the host, but not on this port.
    PortNotAllowed,
    /// A rule allows the host, but not this method.
    MethodNotAllowed,
    /// A rule allows the host, but not this path.
    PathNotAllowed,
    /// The rule that allowed it has expired.
    RuleExpired,
    /// The destination is an address that no rule names.
    AddressNotNamed,
    /// The name resolved to an address of a kind that no rule names.
    AddressNotPublic,
    /// The destination is Ringfence itself or its host, which is never reachable.
    ControlPlane,
    /// The rule looks inside HTTPS, which needs TLS interception.
    NeedsInterception,
    /// The bytes were not those of the protocol that the rule allows on this port.
    ProtocolMismatch,
    /// TLS without a server name.
    SniMissing,
    /// TLS whose server name is not the name that was decided on.
    SniMismatch,
    /// TLS with an encrypted client hello.
    EncryptedClientHello,
    /// An HTTP `Host` that is not the name that was decided on.
    HostMismatch,
    /// A message that is not understood, or understood in two ways.
    Malformed,
    /// A switch of protocol that cannot be mediated (`Upgrade`, `PRI`).
    UpgradeRefused,
    /// A rule allows the request, but not with this query, header, content or operation.
    ConditionNotMet,
    /// A rule allows the repository, but only to read it.
    AccessNotAllowed,
    /// A rule allows to write the repository, but not this change of this ref.
    RefNotAllowed,
    /// The ref would move elsewhere than forward, or it cannot be proven that it does not.
    NotFastForward,
    /// What would be pushed holds what the rule does not let through.
    ContentRefused,
    /// A person has to approve it first.
    ApprovalNeeded,
    /// A rule allows the provider, but not this model.
    ModelNotAllowed,
    /// A rule allows the model, but not what the provider would do by itself.
    HostedNotAllowed,
    /// A rule allows the server, but not this tool, resource, prompt or feature of it.
    ToolNotAllowed,
    /// A rule allows the tool, but not with these arguments.
    ArgumentsNotAllowed,
    /// What the server says of itself or of the tool is not what a person knows of it.
    DefinitionNotKnown,
    /// There is not enough left of a budget of tokens or money.
    BudgetExhausted,
    /// The agent repeats itself, and a rule stops it.
    LoopStopped,
    /// The rules that allow the request name different credentials.
    CredentialAmbiguous,
    /// The credential of the rule is unknown, revoked, not for this upstream, or cannot be had.
    CredentialUnavailable,
    /// The request carries no token, and the rule wants one.
    TokenMissing,
    /// The request carries a token that is not valid here.
    TokenInvalid,
    /// The response is not what the rule lets through.
    ResponseRefused,
    /// A limit of the agent or of the gateway was reached.
    LimitReached,
    /// The policy changed and does not allow the connection any more.
    Revoked,
    /// The policy or the audit log is not usable, so nothing is allowed.
    Unavailable,
}

impl ReasonCode {
    /// The stable code as text, for example `no-rule`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::NoRule => "no-rule",
            Self::Forbidden => "forbidden",
            Self::PortNotAllowed => "port-not-allowed",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::PathNotAllowed => "path-not-allowed",
            Self::RuleExpired => "rule-expired",
            Self::AddressNotNamed => "address-not-named",
            Self::AddressNotPublic => "address-not-public",
            Self::ControlPlane => "control-plane",
            Self::NeedsInterception => "needs-interception",
            Self::ProtocolMismatch => "protocol-mismatch",
            Self::SniMissing => "sni-missing",
            Self::SniMismatch => "sni-mismatch",
            Self::EncryptedClientHello => "encrypted-client-hello",
            Self::HostMismatch => "host-mismatch",
            Self::Malformed => "malformed",
            Self::UpgradeRefused => "upgrade-refused",
            Self::ConditionNotMet => "condition-not-met",
            Self::AccessNotAllowed => "access-not-allowed",
            Self::RefNotAllowed => "ref-not-allowed",
            Self::NotFastForward => "not-fast-forward",
            Self::ContentRefused => "content-refused",
            Self::ApprovalNeeded => "approval-needed",
            Self::ModelNotAllowed => "model-not-allowed",
            Self::HostedNotAllowed => "hosted-not-allowed",
            Self::ToolNotAllowed => "tool-not-allowed",
            Self::ArgumentsNotAllowed => "arguments-not-allowed",
            Self::DefinitionNotKnown => "definition-not-known",
            Self::BudgetExhausted => "budget-exhausted",
            Self::LoopStopped => "loop-stopped",
            Self::CredentialAmbiguous => "credential-ambiguous",
            Self::CredentialUnavailable => "credential-unavailable",
            Self::TokenMissing => "token-missing",
            Self::TokenInvalid => "token-invalid",
            Self::ResponseRefused => "response-refused",
            Self::LimitReached => "limit-reached",
            Self::Revoked => "revoked",
            Self::Unavailable => "unavailable",
        }
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Allow or deny of one action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Allow or deny.
    pub effect: Effect,
    /// The stable reason.
    pub code: ReasonCode,
    /// The reason in words, for example "no rule allows evil.test".
    pub reason: String,
    /// The rule that decided; none where no rule did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleRef>,
    /// The policy that decided.
    pub generation: Generation,
    /// What to do about a denial, for example "ringfence allow evil.test:443".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_step: Option<String>,
    /// The credential that an allowed request is sent with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialName>,
    /// Whether an allowed request reads or writes; none for what the gateway cannot read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<Access>,
}

impl Decision {
    /// Whether the action may go ahead.
    #[must_use]
    pub const fn is_allow(&self) -> bool {
        matches!(self.effect, Effect::Allow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_written_as_they_are_serialised() {
        for code in [
            ReasonCode::NoRule,
            ReasonCode::EncryptedClientHello,
            ReasonCode::SniMismatch,
            ReasonCode::AccessNotAllowed,
            ReasonCode::RefNotAllowed,
            ReasonCode::NotFastForward,
            ReasonCode::ContentRefused,
            ReasonCode::ApprovalNeeded,
            ReasonCode::ModelNotAllowed,
            ReasonCode::HostedNotAllowed,
            ReasonCode::ToolNotAllowed,
            ReasonCode::ArgumentsNotAllowed,
            ReasonCode::DefinitionNotKnown,
            ReasonCode::BudgetExhausted,
            ReasonCode::LoopStopped,
        ] {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }
}
