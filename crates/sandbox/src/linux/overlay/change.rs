//! One path that an agent changed, and all of a run's.

use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

/// What an agent changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The changes that were found, in the order of paths.
    pub list: Vec<Change>,
    /// Why there may be more; none if everything was looked at.
    pub incomplete: Option<String>,
}

/// One path that the agent changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What became of it.
    pub kind: ChangeKind,
    /// The path in the workspace.
    #[serde(serialize_with = "readable")]
    pub path: PathBuf,
    /// Where the agent's version is; none for a removal.
    #[serde(skip)]
    pub source: Option<PathBuf>,
}

/// What became of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is different.
    Modified,
    /// It is gone.
    Removed,
}

impl Changes {
    /// Whether it is certain that nothing was changed.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.list.is_empty() && self.incomplete.is_none()
    }

    /// Nothing could be found out.
    #[must_use]
    pub fn unknown(why: impl Into<String>) -> Self {
        Self {
            list: Vec::new(),
            incomplete: Some(why.into()),
        }
    }

    /// Writes down why something was not looked at. The first reason stays.
    pub(super) fn note(&mut self, why: impl FnOnce() -> String) {
        self.incomplete.get_or_insert_with(why);
    }
}

impl ChangeKind {
    /// One letter, as `git status` shows it.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::Added => 'A',
            Self::Modified => 'M',
            Self::Removed => 'D',
        }
    }
}

/// A name need not be UTF-8, and JSON has to be.
fn readable<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}
