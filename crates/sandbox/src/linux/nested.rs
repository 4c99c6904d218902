//! Protected names that appear elsewhere in the workspace: the hooks of a repository that the
//! agent cloned, an editor's tasks in a subdirectory. They are not protected, because nobody
//! has trusted them yet; the person is told about them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What was found, and whether everything was looked at.
#[derive(Debug, Default)]
pub struct Nested {
    /// The files, as many as are worth showing.
    pub files: Vec<PathBuf>,
    /// Whether the walk reached its bound before its end.
    pub incomplete: bool,
}

/// Looks below `workspace` for files under protected names that were written since `started`.
/// No link is followed.
#[must_use]
pub fn find(workspace: &Path, started: SystemTime) -> Nested {
    let mut walk = Walk {
        started,
        entries: 0,
        found: Nested::default(),
    };
    for entry in entries(workspace) {
        walk.visit(&entry, 1);
    }
    walk.found.files.sort();
    walk.found
}

struct Walk {
    started: SystemTime,
    entries: usize,
    found: Nested,
}

impl Walk {
    fn visit(&mut self, path: &Path, depth: usize) {
        self.entries += 1;
        if self.entries > MOST_ENTRIES || depth > MOST_DEPTH {
            self.found.incomplete = true;
            return;
        }
        let Ok(meta) = fs::symlink_metadata(path) else {
            return;
        };
        if is_trusted_name(path) && depth > 1 {
            self.report(path);
            return;
        }
        if meta.is_dir() {
            for entry in entries(path) {
                self.visit(&entry, depth + 1);
            }
        }
    }

    /// Reports the file, or the files in the directory, that are new.
    fn report(&mut self, path: &Path) {
        let Ok(meta) = fs::symlink_metadata(path) else {
            return;
        };
        if meta.is_dir() {
            let inside = entries(path);
            inside.iter().for_each(|entry| self.report(entry));
            return;
        }
        let is_new = meta
            .modified()
            .is_ok_and(|modified| modified >= self.started);
        // git puts samples into every new repository; their name keeps them from running.
        let is_sample = path
            .extension()
            .is_some_and(|extension| extension == "sample");
        if is_new && !is_sample && self.found.files.len() < MOST_FILES {
            self.found.files.push(path.to_owned());
        }
    }
}

/// `hooks` of a repository, or a name that editors, shells and agents look for.
fn is_trusted_name(path: &Path) -> bool {
    let in_git = path
        .parent()
        .and_then(Path::file_name)
        .is_some_and(|parent| parent == ".git");
    path.file_name().is_some_and(|name| {
        (in_git && name == "hooks")
            || super::protect::ANYWHERE
                .iter()
                .any(|(known, _)| name == *known)
    })
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory)
        .map(|entries| {
            entries
                .filter_map(Result::ok)
                .map(|entry| entry.path())
                .collect()
        })
        .unwrap_or_default()
}

/// Bounds on the walk, so that the end of a run does not wait for a huge tree.
const MOST_ENTRIES: usize = 100_000;
const MOST_DEPTH: usize = 32;
const MOST_FILES: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "x").unwrap();
    }

    #[test]
    fn finds_a_cloned_repositorys_hooks_and_not_its_samples() {
        let workspace = tempfile::tempdir().unwrap();
        let clone = workspace.path().join("vendor/thing");
        write(&clone.join(".git/hooks/post-checkout"));
        write(&clone.join(".git/hooks/pre-commit.sample"));
        write(&clone.join(".vscode/tasks.json"));
        write(&clone.join("src/hooks/useful.js"));
        // The workspace's own are protected, and reported as such.
        write(&workspace.path().join(".vscode/tasks.json"));
        let found = find(workspace.path(), SystemTime::UNIX_EPOCH);
        assert_eq!(
            found.files,
            [
                clone.join(".git/hooks/post-checkout"),
                clone.join(".vscode/tasks.json")
            ]
        );
        assert!(!found.incomplete);
    }

    #[test]
    fn what_was_there_before_is_not_reported() {
        let workspace = tempfile::tempdir().unwrap();
        write(&workspace.path().join("a/.envrc"));
        let later = SystemTime::now() + std::time::Duration::from_secs(60);
        assert!(find(workspace.path(), later).files.is_empty());
    }
}
