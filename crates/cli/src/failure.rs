//! What can go wrong, by exit code (sysexits.h).

use std::fmt;

use ringfence_policy::PolicyError;

use crate::output;

/// Why a verb did not do its work.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line, a configuration or a policy is not usable.
    Usage(anyhow::Error),
    /// A policy or configuration file is not usable; printed with the place in it.
    Policy(Box<PolicyError>),
    /// Something that is needed is not there.
    Unavailable(anyhow::Error),
    /// A policy or the self-test refuses.
    Refused(anyhow::Error),
    /// A fault of this program or of the machine.
    Internal(anyhow::Error),
    /// The command could not be executed; a shell's code for it.
    Command(i32, String),
}

/// Wrong usage.
pub(crate) const USAGE: i32 = 64;
const UNAVAILABLE: i32 = 69;
const INTERNAL: i32 = 70;
/// A policy or the self-test refuses.
pub(crate) const REFUSED: i32 = 77;

impl Failure {
    pub(crate) const fn code(&self) -> i32 {
        match self {
            Self::Usage(_) | Self::Policy(_) => USAGE,
            Self::Unavailable(_) => UNAVAILABLE,
            Self::Refused(_) => REFUSED,
            Self::Internal(_) => INTERNAL,
            Self::Command(code, _) => *code,
        }
    }

    /// Says it on standard error.
    pub(crate) fn print(&self) {
        match self {
            Self::Policy(error) => output::problem(error),
            other => output::error(&other.to_string()),
        }
    }

    pub(crate) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self::Usage(error.into())
    }

    pub(crate) fn internal(error: impl Into<anyhow::Error>) -> Self {
        Self::Internal(error.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(error)
            | Self::Unavailable(error)
            | Self::Refused(error)
            | Self::Internal(error) => write!(f, "{error:#}"),
            Self::Policy(error) => error.fmt(f),
            Self::Command(_, error) => f.write_str(error),
        }
    }
}

impl From<PolicyError> for Failure {
    fn from(error: PolicyError) -> Self {
        Self::Policy(Box::new(error))
    }
}
