//! Why there is no upstream connection, and what the agent and the operator are told about it.

use std::io;
use std::net::IpAddr;

use ringfence_model::{Decision, Host, HostName, Outcome, ReasonCode, RuleRef};

use crate::pipeline::{Failure, Permit, Stopped, denial};

/// Why there is no upstream connection.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The name resolved, but to no address that a rule permits.
    #[error("{host} leads to {address} ({kind}), which no rule names")]
    AddressNotPermitted {
        /// What was dialled.
        host: Host,
        /// The first address of it.
        address: IpAddr,
        /// The kind of that address.
        kind: String,
    },
    /// The name leads to an address that a rule forbids.
    #[error("{host} leads to {address}, which rule {rule} forbids")]
    AddressForbidden {
        /// What was dialled.
        host: Host,
        /// The address of it.
        address: IpAddr,
        /// The rule.
        rule: RuleRef,
    },
    /// The address is a listener of this process, or a name of the gateway's own.
    #[error("the destination is the gateway itself")]
    ControlPlane,
    /// A redirect leads through the upstream proxy to what no rule allows.
    #[error("{0} is behind the upstream proxy, and no rule allows it")]
    NotCovered(Host),
    /// The name could not be resolved.
    #[error("{name} cannot be resolved: {reason}")]
    Resolve {
        /// The name.
        name: HostName,
        /// What the resolver said.
        reason: String,
    },
    /// Too many lookups are under way.
    #[error("too many names are being looked up")]
    Busy,
    /// No address could be connected to.
    #[error("the upstream cannot be reached: {0}")]
    Connect(#[source] io::Error),
    /// The corporate proxy did not open a tunnel.
    #[error("the upstream proxy did not open a tunnel: {0}")]
    Proxy(String),
    /// It took too long.
    #[error("the upstream did not answer in time")]
    TimedOut,
}

impl DialError {
    /// Closes the event of the permit that could not be used, and says what the agent is told.
    #[must_use]
    pub fn settle(&self, permit: Permit) -> Stopped {
        let reason = self.to_string();
        let code = match self {
            Self::AddressNotPermitted { .. } => ReasonCode::AddressNotPublic,
            Self::AddressForbidden { .. } => ReasonCode::Forbidden,
            Self::ControlPlane => ReasonCode::ControlPlane,
            Self::NotCovered(_) => ReasonCode::ResponseRefused,
            Self::Busy => ReasonCode::LimitReached,
            Self::TimedOut => return Failure::close(permit, Outcome::TimedOut, reason),
            _ => return Failure::close(permit, Outcome::UpstreamFailed, reason),
        };
        let decision = Decision {
            rule: self.rule().cloned(),
            next_step: self.next_step(),
            ..denial(code, &reason, permit.generation())
        };
        Stopped::Refused(permit.take_back(code, decision))
    }

    const fn rule(&self) -> Option<&RuleRef> {
        match self {
            Self::AddressForbidden { rule, .. } => Some(rule),
            _ => None,
        }
    }

    /// What a person can do about it.
    fn next_step(&self) -> Option<String> {
        match self {
            Self::AddressNotPermitted { host, address, .. } => {
                let bits = if address.is_ipv4() { 32 } else { 128 };
                Some(format!(
                    "if that is where {host} should lead, a person can write `addresses: [\"{address}/{bits}\"]` \
                     in the rule for it, or an entry for it in `[dial] hosts`"
                ))
            }
            Self::AddressForbidden { rule, .. } => Some(format!(
                "a forbid wins over every allow: a person can change rule {rule}"
            )),
            _ => None,
        }
    }
}
