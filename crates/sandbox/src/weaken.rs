//! Protections that a test may switch off, one by one, to see that the attempt which each one
//! stops does succeed without it. Only a build with the `weaken` feature can make a
//! [`Weakening`] that is not empty; the shipped program has no such code.

use serde::{Deserialize, Serialize};

/// The protections that are off. Empty in every shipped build.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Weakening {
    #[cfg(feature = "weaken")]
    off: Vec<String>,
}

impl Weakening {
    /// Further arguments of the init process, which begins without a plan: none, in a shipped build.
    #[cfg(feature = "weaken")]
    pub(crate) fn init_arguments(&self) -> &[String] {
        &self.off
    }

    /// Further arguments of the init process, which begins without a plan: none, in a shipped build.
    #[cfg(not(feature = "weaken"))]
    #[expect(
        clippy::unused_self,
        reason = "the signature is that of the test build"
    )]
    pub(crate) const fn init_arguments(&self) -> &[String] {
        &[]
    }

    /// What the init process was told by its arguments: nothing is off, in a shipped build.
    pub(crate) fn of_init() -> Self {
        Self {
            #[cfg(feature = "weaken")]
            off: std::env::args().skip(2).collect(),
        }
    }

    /// Everything on.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The named protections off.
    #[cfg(feature = "weaken")]
    #[must_use]
    pub fn without(protections: Vec<String>) -> Self {
        Self { off: protections }
    }

    /// Whether the named protection is off.
    #[cfg(feature = "weaken")]
    pub(crate) fn is_off(&self, protection: &str) -> bool {
        self.off.iter().any(|name| name == protection)
    }

    /// Whether the named protection is off: never, in this build.
    #[cfg(not(feature = "weaken"))]
    #[expect(
        clippy::unused_self,
        reason = "the signature is that of the test build"
    )]
    pub(crate) const fn is_off(&self, _protection: &str) -> bool {
        false
    }
}
