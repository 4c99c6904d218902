//! Why an allowed request got no response, and how its event is closed then.

use std::error::Error;

use ringfence_model::{Decision, Outcome, ReasonCode, RuleRef};

use super::watch::Cut;
use crate::dial::DialError;
use crate::pipeline::{Failure, Permit, Stopped, denial};
use crate::ssh::SshError;
use crate::tls::TlsError;

/// Why there is no response.
#[derive(Debug)]
pub(super) enum Fault {
    /// No connection.
    Dial(DialError),
    /// No TLS.
    Tls(TlsError),
    /// No SSH.
    Ssh(SshError),
    /// It may not go on after all.
    Refused(Refused),
    /// Policy, a credential or a token changed, or it took too long.
    Cut(Cut),
    /// The upstream broke off or sent what is not valid.
    Upstream(String),
    /// The client broke off.
    Client(String),
}

/// A refusal after the decision.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) code: ReasonCode,
    pub(super) reason: String,
    pub(super) rule: Option<RuleRef>,
    pub(super) next_step: Option<String>,
}

impl Fault {
    pub(super) fn refused(code: ReasonCode, reason: impl Into<String>) -> Self {
        Self::Refused(Refused {
            code,
            reason: reason.into(),
            rule: None,
            next_step: None,
        })
    }

    /// The same refusal, by this rule.
    pub(super) fn by(self, rule: &RuleRef) -> Self {
        match self {
            Self::Refused(refused) => Self::Refused(Refused {
                rule: Some(rule.clone()),
                ..refused
            }),
            other => other,
        }
    }

    /// The same refusal, with what can be done about it.
    pub(super) fn but(self, next_step: impl Into<String>) -> Self {
        match self {
            Self::Refused(refused) => Self::Refused(Refused {
                next_step: Some(next_step.into()),
                ..refused
            }),
            other => other,
        }
    }

    /// Closes the event of the request, and says what the agent is told.
    pub(super) fn settle(self, permit: Permit) -> Stopped {
        let failed = Outcome::UpstreamFailed;
        match self {
            Self::Dial(error) => error.settle(permit),
            Self::Tls(error @ TlsError::TimedOut(_)) => {
                Failure::close(permit, Outcome::TimedOut, error.to_string())
            }
            Self::Tls(error) => Failure::close(permit, failed, error.to_string()),
            Self::Ssh(error @ SshError::TimedOut(_)) => {
                Failure::close(permit, Outcome::TimedOut, error.to_string())
            }
            Self::Ssh(error) => Failure::close(permit, failed, error.to_string()),
            Self::Refused(refused) => {
                let decision = Decision {
                    rule: refused.rule,
                    next_step: refused.next_step,
                    ..denial(refused.code, &refused.reason, permit.generation())
                };
                Stopped::Refused(permit.take_back(refused.code, decision))
            }
            Self::Cut(Cut::Revoked(decision) | Cut::Changed(decision)) => {
                Stopped::Refused(permit.revoke(*decision))
            }
            Self::Cut(Cut::Quiet) => {
                let reason = "nothing moved for too long".to_owned();
                Failure::close(permit, Outcome::TimedOut, reason)
            }
            Self::Upstream(reason) => Failure::close(permit, failed, reason),
            Self::Client(reason) => Failure::close(permit, Outcome::Aborted, reason),
        }
    }
}

impl From<DialError> for Fault {
    fn from(error: DialError) -> Self {
        Self::Dial(error)
    }
}

impl From<TlsError> for Fault {
    fn from(error: TlsError) -> Self {
        Self::Tls(error)
    }
}

impl From<SshError> for Fault {
    fn from(error: SshError) -> Self {
        Self::Ssh(error)
    }
}

impl From<Cut> for Fault {
    fn from(cut: Cut) -> Self {
        Self::Cut(cut)
    }
}

/// An error with all of its causes, in one line.
pub(super) fn in_words(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !words.contains(&text) {
            words.push_str(": ");
            words.push_str(&text);
        }
        cause = error.source();
    }
    words
}
