//! What a sandbox leaves on the host while it lives, and its removal. The keeper does it when
//! the sandbox ends; if even the keeper was killed, a later run does.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::linux::{JOURNAL, overlay};

/// What is on the host because a sandbox lives.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Left {
    /// The run's own directory, which holds its journal.
    pub state: PathBuf,
    /// Empty files and directories that were made to mount over.
    pub placeholders: Vec<Placeholder>,
    /// The control groups that the keeper makes where it may.
    #[serde(default)]
    pub groups: Vec<PathBuf>,
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
    /// Writes the journal. It appears already marked as alive, so that nobody takes the run for
    /// a dead one.
    pub(crate) fn record(&self) -> io::Result<File> {
        let unfinished = self.state.join(UNFINISHED);
        let mut journal = File::create_new(&unfinished)?;
        flock(&journal, FlockOperation::LockShared)?;
        journal.write_all(&serde_json::to_vec(self)?)?;
        fs::rename(unfinished, self.state.join(JOURNAL))?;
        Ok(journal)
    }

    /// Marks the run as alive until the returned file is dropped.
    pub(crate) fn hold(&self) -> io::Result<File> {
        let journal = File::open(self.state.join(JOURNAL))?;
        flock(&journal, FlockOperation::LockShared)?;
        Ok(journal)
    }

    /// Removes all that the run left, but for private copies in which the agent wrote something.
    /// Every process of the sandbox must have ended.
    pub(crate) fn clean_up(&self) {
        self.remove_placeholders();
        for group in &self.groups {
            remove_group(group);
        }
        // What the agent wrote stays, until the person takes it over or throws it away.
        let _ = overlay::discard_unchanged(&self.state);
    }

    /// Removes the placeholders that no other living run needs. One that is not empty any more
    /// is the person's by now and stays. From then on this run needs none either.
    fn remove_placeholders(&self) {
        // Removing a placeholder takes the mounts off it in every sandbox, so no other run may
        // begin to rely on one between the look and the removal.
        let Some(runs) = self.state.parent() else {
            return;
        };
        let Ok(_lock) = lock(runs) else { return };
        if !self.placeholders.is_empty() {
            let needed = needed_by_others(runs, &self.state);
            let unneeded = |placeholder: &&Placeholder| !needed.contains(*placeholder);
            self.placeholders
                .iter()
                .filter(unneeded)
                .for_each(Placeholder::remove);
        }
        let _ = fs::remove_file(self.state.join(JOURNAL));
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

/// Removes a control group that may still hold processes which are just ending.
fn remove_group(group: &Path) {
    for _ in 0..GROUP_ATTEMPTS {
        match fs::remove_dir(group) {
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                thread::sleep(GROUP_PAUSE);
            }
            _ => return,
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

/// The placeholders of all living runs but the one that is kept in `own`.
pub(crate) fn needed_by_others(runs: &Path, own: &Path) -> BTreeSet<Placeholder> {
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

/// The journal before it is complete.
const UNFINISHED: &str = "journal.unfinished";

/// Killed processes leave their group within moments; for a second, no longer, it is tried again.
const GROUP_ATTEMPTS: u32 = 100;
const GROUP_PAUSE: Duration = Duration::from_millis(10);
