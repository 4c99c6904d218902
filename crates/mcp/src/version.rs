//! Versions of the protocol. They are an enumerated set: any other text is none.

use std::fmt;

/// A version of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(&'static str);

/// How a version is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// A session that `initialize` begins; the server may ask as well.
    Sessions,
    /// Each request stands alone, and says which version it is of.
    Stateless,
}

const KNOWN: [&str; 5] = [
    "2024-11-05",
    "2025-03-26",
    "2025-06-18",
    "2025-11-25",
    STATELESS,
];

const STATELESS: &str = "2026-07-28";

impl Version {
    /// What a session speaks whose client does not say it (2025-11-25, transports).
    pub const UNSAID: Self = Self("2025-03-26");

    /// The newest.
    pub const LATEST: Self = Self(STATELESS);

    /// Reads a version.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        KNOWN.into_iter().find(|known| *known == text).map(Self)
    }

    /// How it is spoken.
    #[must_use]
    pub fn era(self) -> Era {
        match self.0 {
            STATELESS => Era::Stateless,
            _ => Era::Sessions,
        }
    }

    /// The version as text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// All that are known, for clients that ask for another.
    #[must_use]
    pub const fn known() -> [&'static str; 5] {
        KNOWN
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
