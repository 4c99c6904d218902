//! Which runs have spans that no collector took: an empty file for each, in the data directory, made
//! when a run that exports starts and removed when all was taken. A run that is killed owes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ringfence_model::RunId;

use super::limits::OWED;

/// The runs whose traces are owed.
#[derive(Debug, Clone)]
pub struct Owed {
    directory: PathBuf,
}

impl Owed {
    /// Those of a data directory.
    #[must_use]
    pub fn new(data: &Path) -> Self {
        Self {
            directory: data.join("traces-owed"),
        }
    }

    /// Notes that a run owes. Beyond a thousand the oldest are forgotten.
    ///
    /// # Errors
    /// Where it cannot be noted.
    pub fn add(&self, run: RunId) -> io::Result<()> {
        fs::create_dir_all(&self.directory)?;
        let runs = self.runs();
        for oldest in runs.iter().take((runs.len() + 1).saturating_sub(OWED)) {
            self.settle(*oldest);
        }
        fs::write(self.path(run), [])
    }

    /// Notes that it owes no more.
    pub fn settle(&self, run: RunId) {
        // One that stays is sent again, which changes nothing.
        let _ = fs::remove_file(self.path(run));
    }

    /// Those that owe, the oldest first.
    #[must_use]
    pub fn runs(&self) -> Vec<RunId> {
        let entries = fs::read_dir(&self.directory).into_iter().flatten();
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut runs: Vec<RunId> = names.filter_map(|name| name.parse().ok()).collect();
        runs.sort_unstable();
        runs
    }

    fn path(&self, run: RunId) -> PathBuf {
        self.directory.join(run.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_owes_until_it_is_settled() {
        let data = tempfile::tempdir().unwrap();
        let owed = Owed::new(data.path());
        assert_eq!(owed.runs(), []);
        let runs = [RunId::new(), RunId::new(), RunId::new()];
        for run in runs {
            owed.add(run).unwrap();
        }
        owed.settle(runs[1]);
        assert_eq!(owed.runs(), [runs[0], runs[2]]);
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let data = tempfile::tempdir().unwrap();
        let owed = Owed::new(data.path());
        let first = RunId::new();
        owed.add(first).unwrap();
        for _ in 0..OWED {
            owed.add(RunId::new()).unwrap();
        }
        assert_eq!(owed.runs().len(), OWED);
        assert!(!owed.runs().contains(&first));
    }
}
