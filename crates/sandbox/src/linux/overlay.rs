//! What the agent wrote into private copies: looking at it, taking it over, throwing it away.
//!
//! Everything in a private copy is hostile. Nothing in it is followed: links are compared and
//! copied as links, and targets are opened without following any link on the way. It may also
//! be of any size, so the looking has bounds, and tells when it reached one.

mod apply;
mod change;
mod compare;
mod content;
mod limits;
pub(super) mod tree;
mod walk;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use super::{JOURNAL, spare};
use crate::init;

pub use change::{Change, ChangeKind, Changes};

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

    /// What the agent changed, as far as it could be looked at.
    #[must_use]
    pub fn changes(&self) -> Changes {
        walk::changes(&self.workspace, &self.layers)
    }
}

/// Whether the run that is kept in `state` is not over. Its processes write what is there.
pub fn is_alive(state: &Path) -> io::Result<bool> {
    // A run that is just being made has its journal before this lock is free again.
    let _lock = init::lock(state.parent().ok_or(io::ErrorKind::InvalidInput)?)?;
    let journal = match File::open(state.join(JOURNAL)) {
        Ok(journal) => journal,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    match flock(&journal, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(false),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// Makes the changes of an ended run in the workspace itself, below it and nowhere else. It is
/// an error if not all of them are known.
pub fn apply(state: &Path) -> io::Result<Vec<Change>> {
    refuse_alive(state)?;
    let manifest = Manifest::read(state)?;
    let changes = manifest.changes();
    if let Some(why) = changes.incomplete {
        return Err(io::Error::other(format!("not everything is known: {why}")));
    }
    for change in &changes.list {
        apply::apply(&manifest.workspace, &manifest.layers, change)?;
    }
    Ok(changes.list)
}

/// Removes the run's private copies if the agent wrote nothing, or keeps them for another run. It
/// is an error if it did.
pub(crate) fn discard_unchanged(state: &Path) -> io::Result<()> {
    if !Manifest::read(state)?.changes().is_none() {
        return Err(io::ErrorKind::DirectoryNotEmpty.into());
    }
    refuse_alive(state)?;
    spare::give(state).or_else(|_| discard(state))
}

/// Removes the private copies of an ended run, however large and deep they are.
pub fn discard(state: &Path) -> io::Result<()> {
    refuse_alive(state)?;
    let invalid = || io::Error::from(io::ErrorKind::InvalidInput);
    let runs = tree::open_trusted(state.parent().ok_or_else(invalid)?)?;
    tree::remove(&runs, state.file_name().ok_or_else(invalid)?)
}

fn refuse_alive(state: &Path) -> io::Result<()> {
    if is_alive(state)? {
        return Err(io::Error::new(
            io::ErrorKind::ResourceBusy,
            "the run is not over",
        ));
    }
    Ok(())
}

const FILE: &str = "manifest.json";
const VERSION: u16 = 1;

#[cfg(test)]
mod tests;
