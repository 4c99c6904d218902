//! Protected names that appear elsewhere in the workspace: the hooks and the configuration of a
//! repository that the agent cloned, an editor's tasks in a subdirectory. They are not
//! protected, because nobody has trusted them yet; the person is told about them.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{FileType, Stat};

use super::overlay::tree;

/// What was found, and whether everything was looked at.
#[derive(Debug, Default)]
pub struct Nested {
    /// The files, as many as are worth showing.
    pub files: Vec<PathBuf>,
    /// The directories of repositories whose configuration was written, as many as are worth
    /// showing: git would run what it says.
    pub repositories: Vec<PathBuf>,
    /// Files and repositories that are not listed because there are too many.
    pub unlisted: usize,
    /// Whether something was not looked at: it lies beyond a bound, or cannot be read.
    pub incomplete: bool,
}

impl Nested {
    /// Whether it is certain that there is nothing.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.files.is_empty() && self.repositories.is_empty() && !self.incomplete
    }
}

/// Looks below `workspace` for files under protected names that were written since `started`.
/// No link is followed.
#[must_use]
pub fn find(workspace: &Path, started: SystemTime) -> Nested {
    let since = started.checked_sub(TICK).unwrap_or(started);
    let since = since.duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut walk = Walk {
        since,
        entries: 0,
        found: Nested::default(),
    };
    match tree::open_trusted(workspace) {
        Ok(handle) => walk.directory(&Place {
            handle,
            path: workspace.to_owned(),
            depth: 0,
            is_trusted: false,
        }),
        Err(_) => walk.found.incomplete = true,
    }
    walk.found.files.sort();
    walk.found.repositories.sort();
    walk.found
}

struct Walk {
    /// Since the epoch.
    since: Duration,
    entries: usize,
    found: Nested,
}

struct Place {
    handle: OwnedFd,
    path: PathBuf,
    depth: usize,
    /// Whether all that is in it is run or trusted.
    is_trusted: bool,
}

impl Place {
    /// Whether it is the workspace's own repository, which is protected.
    fn is_own_repository(&self) -> bool {
        self.depth == 1 && self.path.file_name() == Some(OsStr::new(".git"))
    }
}

impl Walk {
    fn directory(&mut self, place: &Place) {
        let Ok(names) = tree::names(&place.handle, MOST_ENTRIES + 1 - self.entries) else {
            self.found.incomplete = true;
            return;
        };
        let is_repository = is_repository(&names);
        if is_repository && !place.is_own_repository() && self.is_configured(place) {
            self.repository(&place.path);
        }
        for name in names {
            if self.entries >= MOST_ENTRIES {
                self.found.incomplete = true;
                return;
            }
            self.entries += 1;
            if self.entry(place, &name, is_repository).is_err() {
                self.found.incomplete = true;
            }
        }
    }

    fn entry(&mut self, place: &Place, name: &OsStr, in_repository: bool) -> io::Result<()> {
        let Some(stat) = tree::stat(&place.handle, name)? else {
            return Ok(());
        };
        let path = place.path.join(name);
        let is_git = name == ".git" && place.depth > 0;
        let is_trusted = place.is_trusted
            || (place.depth > 0 && is_trusted_name(&place.path, name, in_repository));
        if tree::kind(&stat) != FileType::Directory {
            if is_git && self.is_new(&stat) {
                // A file or a link: the repository is somewhere else.
                self.repository(&path);
            } else if is_trusted {
                self.file(path, &stat);
            }
            return Ok(());
        }
        if place.depth >= MOST_DEPTH {
            self.found.incomplete = true;
            return Ok(());
        }
        let below = Place {
            handle: tree::open_directory(&place.handle, name)?,
            path,
            depth: place.depth + 1,
            is_trusted,
        };
        if is_git && self.is_configured(&below) {
            self.repository(&below.path);
        }
        self.directory(&below);
        Ok(())
    }

    /// Whether one of the files was written that decide what git runs in a repository.
    fn is_configured(&self, repository: &Place) -> bool {
        CONFIGURATION.iter().any(|name| {
            tree::stat(&repository.handle, OsStr::new(name))
                .is_ok_and(|stat| stat.is_some_and(|stat| self.is_new(&stat)))
        })
    }

    /// Reports the repository at `path` by its working tree, where it has one.
    fn repository(&mut self, path: &Path) {
        let shown = match (path.file_name(), path.parent()) {
            (Some(name), Some(parent)) if name == ".git" => parent,
            _ => path,
        };
        if self.found.repositories.iter().any(|known| known == shown) {
            return;
        }
        if self.found.repositories.len() < MOST_SHOWN {
            self.found.repositories.push(shown.to_owned());
        } else {
            self.found.unlisted += 1;
        }
    }

    fn file(&mut self, path: PathBuf, stat: &Stat) {
        // git puts samples into every new repository; their name keeps them from running.
        let is_sample = path
            .extension()
            .is_some_and(|extension| extension == "sample");
        if is_sample || !self.is_new(stat) {
            return;
        }
        if self.found.files.len() < MOST_SHOWN {
            self.found.files.push(path);
        } else {
            self.found.unlisted += 1;
        }
    }

    /// Whether the file was changed since the start. Whoever writes it can set the time of its
    /// content back, but not the time of its last change.
    fn is_new(&self, stat: &Stat) -> bool {
        let changed = u64::try_from(stat.st_ctime).ok().and_then(|seconds| {
            let nanoseconds = u32::try_from(stat.st_ctime_nsec).ok()?;
            Some(Duration::new(seconds, nanoseconds))
        });
        changed.is_none_or(|changed| changed >= self.since)
    }
}

/// Whether git takes a directory with these entries, which are in order, for a repository.
fn is_repository(names: &[OsString]) -> bool {
    let has = |name: &str| {
        names
            .binary_search_by(|known| known.as_os_str().cmp(OsStr::new(name)))
            .is_ok()
    };
    has("HEAD") && (has("commondir") || (has("objects") && has("refs")))
}

/// `hooks` of a repository, or a name that editors, shells and agents look for.
fn is_trusted_name(parent: &Path, name: &OsStr, in_repository: bool) -> bool {
    let in_git = in_repository || parent.file_name().is_some_and(|parent| parent == ".git");
    (in_git && name == "hooks")
        || super::protect::ANYWHERE
            .iter()
            .any(|(known, _)| name == *known)
}

/// The files of a repository that name commands, or where such files are.
const CONFIGURATION: [&str; 3] = ["config", "config.worktree", "commondir"];

/// Bounds on the walk, so that the end of a run does not wait for a huge tree.
const MOST_ENTRIES: usize = 100_000;
const MOST_DEPTH: usize = 32;
const MOST_SHOWN: usize = 100;

/// The kernel's times of files lag behind the clock by up to one tick.
const TICK: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests;
