//! What the agent wrote into private copies: looking at it, taking it over, throwing it away.
//!
//! Everything in a private copy is hostile. Nothing in it is followed: links are compared and
//! copied as links, and targets are opened without following any link on the way.

mod apply;
mod change;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use change::{Change, ChangeKind};

/// A private copy of one path of the workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// How the copy is kept.
    pub kind: LayerKind,
    /// The path that it stands for.
    pub target: PathBuf,
    /// Where the agent's writes are.
    pub store: PathBuf,
}

/// How a private copy is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LayerKind {
    /// The upper directory of an overlay: what differs from the target.
    Overlay,
    /// A directory of its own: the target did not exist.
    Directory,
    /// A copy of one file.
    File,
}

impl Layer {
    pub(super) fn new(kind: LayerKind, target: &Path, store: PathBuf) -> Self {
        Self {
            kind,
            target: target.to_owned(),
            store,
        }
    }
}

/// The private copies of one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of this form.
    pub version: u16,
    /// The workspace directory.
    pub workspace: PathBuf,
    /// The copies.
    pub layers: Vec<Layer>,
}

impl Manifest {
    pub(super) fn new(workspace: &Path, layers: Vec<Layer>) -> Self {
        Self {
            version: VERSION,
            workspace: workspace.to_owned(),
            layers,
        }
    }

    /// Reads the manifest of the run that is kept in `state`.
    pub fn read(state: &Path) -> io::Result<Self> {
        let manifest: Self = serde_json::from_slice(&fs::read(state.join(FILE))?)?;
        if manifest.version != VERSION {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{} has version {}, not {VERSION}", FILE, manifest.version),
            ));
        }
        Ok(manifest)
    }

    pub(super) fn write(&self, state: &Path) -> io::Result<()> {
        fs::write(state.join(FILE), serde_json::to_vec_pretty(self)?)
    }

    /// What the agent changed, in the order of paths.
    pub fn changes(&self) -> io::Result<Vec<Change>> {
        let mut changes = Vec::new();
        for layer in &self.layers {
            change::collect(layer, &mut changes)?;
        }
        changes.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(changes)
    }

    /// Makes the changes in the workspace itself, below it and nowhere else.
    pub fn apply(&self) -> io::Result<Vec<Change>> {
        let changes = self.changes()?;
        for change in &changes {
            apply::apply(&self.workspace, change)?;
        }
        Ok(changes)
    }
}

/// Removes the run's private copies if the agent wrote nothing. It is an error if it did.
pub(crate) fn discard_unchanged(state: &Path) -> io::Result<()> {
    if !Manifest::read(state)?.changes()?.is_empty() {
        return Err(io::ErrorKind::DirectoryNotEmpty.into());
    }
    discard(state)
}

/// Removes the run's private copies. Kernel-made directories in them have no permissions.
pub fn discard(state: &Path) -> io::Result<()> {
    apply::make_removable(state)?;
    fs::remove_dir_all(state)
}

const FILE: &str = "manifest.json";
const VERSION: u16 = 1;
