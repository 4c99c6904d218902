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

/// Tells the init process, which knows no plan yet when it closes descriptors, to keep them.
#[cfg(feature = "weaken")]
const KEEP_DESCRIPTORS: &str = "keep-descriptors";

/// Whether the init process keeps what its caller left open: never, in a shipped build.
pub(crate) fn keeps_descriptors() -> bool {
    #[cfg(feature = "weaken")]
    let keeps = std::env::args_os().any(|argument| argument == KEEP_DESCRIPTORS);
    #[cfg(not(feature = "weaken"))]
    let keeps = false;
    keeps
}

impl Weakening {
    /// Further arguments of the init process: none, in a shipped build.
    pub(crate) fn init_arguments(&self) -> &'static [&'static str] {
        #[cfg(feature = "weaken")]
        if self.is_off("descriptors") {
            return &[KEEP_DESCRIPTORS];
        }
        &[]
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
