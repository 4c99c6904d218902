//! Finding what differs between a private copy and what it stands for.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Stat};

use super::change::{Change, ChangeKind, Changes};
use super::compare::{Comparison, Entry};
use super::limits::{MOST_DEPTH, MOST_ENTRIES, MOST_PATH_OCTETS};
use super::{Layer, LayerKind, tree};

/// Looks at `layers`, whose targets are below `workspace`.
pub(super) fn changes(workspace: &Path, layers: &[Layer]) -> Changes {
    let mut walk = Walk {
        workspace,
        entries: 0,
        path_octets: 0,
        comparison: Comparison::default(),
        found: Changes::default(),
    };
    for layer in layers {
        let looked_at = match layer.kind {
            LayerKind::File => walk.file(layer),
            LayerKind::Directory | LayerKind::Overlay => walk.layer(layer),
        };
        if let Err(error) = looked_at {
            walk.unreadable(&layer.target, &error);
        }
    }
    let mut found = walk.found;
    found.list.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

struct Walk<'a> {
    workspace: &'a Path,
    entries: usize,
    path_octets: usize,
    comparison: Comparison,
    found: Changes,
}

/// A directory of a private copy, and the one that it stands for, if there is one.
struct Place {
    store: OwnedFd,
    store_path: PathBuf,
    target: Option<OwnedFd>,
    target_path: PathBuf,
    /// Whether nothing of the target shows through.
    opaque: bool,
}

impl Walk<'_> {
    fn file(&mut self, layer: &Layer) -> io::Result<()> {
        let invalid = || io::Error::from(io::ErrorKind::InvalidInput);
        let parent = tree::open_trusted(layer.store.parent().ok_or_else(invalid)?)?;
        let name = layer.store.file_name().ok_or_else(invalid)?;
        let Some(stat) = tree::stat(&parent, name)? else {
            return Ok(());
        };
        let written = Entry {
            parent: parent.as_fd(),
            name,
            stat: &stat,
        };
        let above = self.target(layer.target.parent().ok_or_else(invalid)?)?;
        let target_name = layer.target.file_name().ok_or_else(invalid)?;
        let before = look(above.as_ref(), target_name)?;
        let kind = match (&above, &before) {
            (Some(above), Some(before)) => {
                let original = Entry {
                    parent: above.as_fd(),
                    name: target_name,
                    stat: before,
                };
                if self.comparison.has_same_content(written, original) {
                    return Ok(());
                }
                ChangeKind::Modified
            }
            // An empty file is what was made to mount over.
            _ if stat.st_size == 0 => return Ok(()),
            _ => ChangeKind::Added,
        };
        self.push(kind, layer.target.clone(), Some(layer.store.clone()));
        Ok(())
    }

    fn layer(&mut self, layer: &Layer) -> io::Result<()> {
        let store = match tree::open_trusted(&layer.store) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            opened => opened?,
        };
        let target = self.target(&layer.target)?;
        let place = Place {
            store,
            store_path: layer.store.clone(),
            target,
            target_path: layer.target.clone(),
            opaque: false,
        };
        self.directory(&place, 1)
    }

    /// The directory of the workspace itself; none where there is none by now.
    fn target(&self, path: &Path) -> io::Result<Option<OwnedFd>> {
        let relative = path
            .strip_prefix(self.workspace)
            .map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        match tree::descend(self.workspace, relative) {
            Ok(target) => Ok(Some(target)),
            Err(error) if is_no_directory(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn directory(&mut self, place: &Place, depth: usize) -> io::Result<()> {
        if depth > MOST_DEPTH {
            self.found
                .note(|| format!("there are more than {MOST_DEPTH} directories within each other"));
            return Ok(());
        }
        let names = self.names(place.store.as_fd())?;
        if place.opaque {
            self.hidden(place, &names)?;
        }
        for name in names {
            if !self.counts() {
                return Ok(());
            }
            if let Err(error) = self.entry(place, &name, depth) {
                self.unreadable(&place.target_path.join(&name), &error);
            }
        }
        Ok(())
    }

    fn entry(&mut self, place: &Place, name: &OsStr, depth: usize) -> io::Result<()> {
        let Some(stat) = tree::stat(&place.store, name)? else {
            return Ok(());
        };
        let before = look(place.target.as_ref(), name)?;
        let path = place.target_path.join(name);
        let source = place.store_path.join(name);
        match tree::kind(&stat) {
            // overlayfs marks a removed name by a character device with number 0:0.
            FileType::CharacterDevice if stat.st_rdev == 0 => {
                if before.is_some() {
                    self.push(ChangeKind::Removed, path, None);
                }
                Ok(())
            }
            FileType::Directory => self.subdirectory(place, name, before.as_ref(), depth),
            FileType::RegularFile | FileType::Symlink => {
                let written = Entry {
                    parent: place.store.as_fd(),
                    name,
                    stat: &stat,
                };
                match (&place.target, &before) {
                    (Some(target), Some(before)) => {
                        let original = Entry {
                            parent: target.as_fd(),
                            name,
                            stat: before,
                        };
                        if !self.comparison.is_same(written, original) {
                            self.push(ChangeKind::Modified, path, Some(source));
                        }
                    }
                    _ => self.push(ChangeKind::Added, path, Some(source)),
                }
                Ok(())
            }
            // Sockets, pipes and devices mean nothing outside the sandbox.
            _ => Ok(()),
        }
    }

    fn subdirectory(
        &mut self,
        place: &Place,
        name: &OsStr,
        before: Option<&Stat>,
        depth: usize,
    ) -> io::Result<()> {
        let target_path = place.target_path.join(name);
        let store_path = place.store_path.join(name);
        let was_directory = before.is_some_and(|stat| tree::kind(stat).is_dir());
        match before {
            Some(_) if was_directory => {}
            Some(_) => self.push(
                ChangeKind::Modified,
                target_path.clone(),
                Some(store_path.clone()),
            ),
            None => self.push(
                ChangeKind::Added,
                target_path.clone(),
                Some(store_path.clone()),
            ),
        }
        let store = tree::open_directory(&place.store, name)?;
        let target = match &place.target {
            Some(target) if was_directory => Some(tree::open_directory(target, name)?),
            _ => None,
        };
        let opaque = place.opaque || is_opaque(&store);
        let place = Place {
            store,
            store_path,
            target,
            target_path,
            opaque,
        };
        self.directory(&place, depth + 1)
    }

    /// A directory that was removed and made anew hides all that was in it.
    fn hidden(&mut self, place: &Place, kept: &[OsString]) -> io::Result<()> {
        let Some(target) = &place.target else {
            return Ok(());
        };
        for name in self.names(target.as_fd())? {
            if !self.counts() {
                return Ok(());
            }
            if kept.binary_search(&name).is_err() {
                self.push(ChangeKind::Removed, place.target_path.join(name), None);
            }
        }
        Ok(())
    }

    /// One more than are left to be looked at, so that the bound is seen to be reached.
    fn names(&self, directory: BorrowedFd<'_>) -> io::Result<Vec<OsString>> {
        tree::names(directory, MOST_ENTRIES.saturating_sub(self.entries) + 1)
    }

    /// Counts an entry. Whether it may still be looked at.
    fn counts(&mut self) -> bool {
        self.entries += 1;
        let is_within = self.entries <= MOST_ENTRIES;
        if !is_within {
            self.found
                .note(|| format!("there are more than {MOST_ENTRIES} files"));
        }
        is_within
    }

    fn push(&mut self, kind: ChangeKind, path: PathBuf, source: Option<PathBuf>) {
        let length = |path: &PathBuf| path.as_os_str().len();
        self.path_octets += length(&path) + source.as_ref().map_or(0, length);
        if self.path_octets > MOST_PATH_OCTETS {
            self.found.note(|| "the names are too long".to_owned());
            return;
        }
        self.found.list.push(Change { kind, path, source });
    }

    fn unreadable(&mut self, path: &Path, error: &io::Error) {
        self.found
            .note(|| format!("{} cannot be read: {error}", path.display()));
    }
}

/// What the workspace itself has under a name.
fn look(directory: Option<&OwnedFd>, name: &OsStr) -> io::Result<Option<Stat>> {
    directory.map_or(Ok(None), |directory| tree::stat(directory, name))
}

/// Whether there is nothing at a path, or something that is not a directory on the way.
fn is_no_directory(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    ) || error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

fn is_opaque(directory: &OwnedFd) -> bool {
    let mut value = [0u8; 8];
    rustix::fs::fgetxattr(directory, OPAQUE, &mut value)
        .is_ok_and(|length| value.get(..length) == Some(b"y".as_slice()))
}

const OPAQUE: &str = "user.overlay.opaque";
