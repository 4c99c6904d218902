//! What a sandbox leaves on the host while it lives, and its removal. The keeper does it when
//! the sandbox ends; if even the keeper was killed, a later run does.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::linux::JOURNAL;

/// What is on the host because a sandbox lives.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Left {
    /// The run's own directory, which holds its journal.
    pub state: PathBuf,
    /// Empty files and directories that were made to mount over.
    pub placeholders: Vec<Placeholder>,
}

/// An empty file or directory that exists only to be mounted over.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Placeholder {
    /// The host's path.
    pub path: PathBuf,
    /// Whether it is a directory.
    pub directory: bool,
}

impl Left {
    /// Marks the run as alive until the returned file is dropped.
    pub(crate) fn hold(&self) -> io::Result<File> {
        let journal = File::open(self.state.join(JOURNAL))?;
        flock(&journal, FlockOperation::LockShared)?;
        Ok(journal)
    }

    /// Removes the placeholders that no other living run needs. One that is not empty any more
    /// is the person's by now and stays.
    pub(crate) fn clean_up(&self) {
        if self.placeholders.is_empty() {
            return;
        }
        // Removing a placeholder takes the mounts off it in every sandbox, so no other run may
        // begin to rely on one between the look and the removal.
        let Some(runs) = self.state.parent() else {
            return;
        };
        let Ok(_lock) = lock(runs) else { return };
        let needed = needed_by_others(runs, &self.state);
        for placeholder in &self.placeholders {
            if !needed.contains(placeholder) {
                placeholder.remove();
            }
        }
    }
}

impl Placeholder {
    fn remove(&self) {
        if self.directory {
            let _ = fs::remove_dir(&self.path);
        } else if fs::symlink_metadata(&self.path)
            .is_ok_and(|meta| meta.is_file() && meta.len() == 0)
        {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Serialises making and removing placeholders between all runs of the caller.
pub(crate) fn lock(runs: &Path) -> io::Result<File> {
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(runs.join("lock"))?;
    flock(&lock, FlockOperation::LockExclusive)?;
    Ok(lock)
}

fn needed_by_others(runs: &Path, own: &Path) -> BTreeSet<Placeholder> {
    let Ok(entries) = fs::read_dir(runs) else {
        return BTreeSet::new();
    };
    entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path != own)
        .filter_map(|path| File::open(path.join(JOURNAL)).ok())
        .filter(|journal| flock(journal, FlockOperation::NonBlockingLockExclusive).is_err())
        .filter_map(|journal| serde_json::from_reader::<_, Left>(io::BufReader::new(journal)).ok())
        .flat_map(|left| left.placeholders)
        .collect()
}
