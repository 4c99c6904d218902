//! Protected paths: files in the workspace that the person's own tools would run or trust
//! (git's hooks and configuration, editors' tasks, agents' settings). The agent may write them
//! as it likes; its writes go to a private copy, and the person takes them over afterwards, or
//! does not.
//!
//! A path that does not exist yet must be protected too. To mount over it there must be
//! something, so an empty placeholder is made on the host and removed when the sandbox ends.
//! A journal tells a later run what to remove if even the keeper was killed.

mod git;
mod links;

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FlockOperation, Mode, OFlags, ResolveFlags, flock};

use self::links::Way;
use super::overlay::{Layer, LayerKind, Manifest};
use super::spare;
use crate::init::{self, Left, Placeholder};
use crate::spec::{Access, Mount};

/// What protecting a workspace adds to the plan.
#[derive(Debug, Default)]
pub(super) struct Protection {
    pub(super) mounts: Vec<Mount>,
    pub(super) layers: Vec<Layer>,
    pub(super) placeholders: Vec<Placeholder>,
    /// Placeholders of other runs that are alive.
    pub(super) made_by_others: BTreeSet<Placeholder>,
}

/// Plans the protection of `workspace` under the lock of all runs, keeping the private copies
/// below `state`.
pub(super) fn protect(workspace: &Path, state: &Path) -> io::Result<Protection> {
    let runs = state.parent().unwrap_or(state);
    let mut protection = Protection {
        made_by_others: init::needed_by_others(runs, state),
        ..Protection::default()
    };
    let names = protection.wanted(workspace);
    let mut ways = Vec::new();
    for (name, shape) in names {
        ways.push((links::follow(workspace, &name)?, shape));
    }
    protection.keep(workspace, &ways);
    for (path, shape) in ways
        .iter()
        .filter_map(|(way, shape)| Some((way.end.as_ref()?, *shape)))
    {
        protection.add(path, shape, state)?;
    }
    Ok(protection)
}

/// What a protected path is where it does not exist.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    Directory,
    File,
}

impl Protection {
    /// The paths to protect, relative to the workspace.
    fn wanted(&self, workspace: &Path) -> Vec<(PathBuf, Shape)> {
        let anywhere = ANYWHERE
            .iter()
            .map(|(name, shape)| (PathBuf::from(name), *shape));
        git::paths(workspace, |path| self.is_made_by_others(path))
            .into_iter()
            .chain(anywhere)
            .collect()
    }

    /// Whether another run made it, only to mount over it, and it is empty as it was made. It
    /// goes away with the last run that names it, so this run has to name it too.
    fn is_made_by_others(&self, path: &Path) -> bool {
        let directory = fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir());
        let is_empty = || match fs::read_dir(path) {
            Ok(mut entries) => entries.next().is_none(),
            Err(_) => fs::symlink_metadata(path).is_ok_and(|meta| meta.len() == 0),
        };
        let path = path.to_owned();
        let placeholder = Placeholder { path, directory };
        self.made_by_others.contains(&placeholder) && is_empty()
    }

    /// The protected paths that are files, as seen inside.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        self.layers
            .iter()
            .filter(|layer| layer.kind == LayerKind::File)
            .map(|layer| layer.target.clone())
            .collect()
    }

    /// Has git ignore the placeholder files of the workspace: they are empty, and `git add .`
    /// would commit them. Git reads this file where no other one is configured.
    pub(super) fn ignore(&self, workspace: &Path, home: &Path) -> Mount {
        let mut content = Vec::new();
        let placeholders = self.placeholders.iter().filter(|made| !made.directory);
        for name in placeholders.filter_map(|made| made.path.strip_prefix(workspace).ok()) {
            content.push(b'/');
            content.extend_from_slice(name.as_os_str().as_bytes());
            content.push(b'\n');
        }
        Mount::File {
            at: home.join(".config/git/ignore"),
            content,
        }
    }

    /// Keeps the links that lead to protected paths, and the directories that hold either, what
    /// and where they are. A mount point can be neither renamed nor removed.
    fn keep(&mut self, workspace: &Path, ways: &[(Way, Shape)]) {
        let parents: BTreeSet<PathBuf> = ways
            .iter()
            .flat_map(|(way, _)| way.parents(workspace))
            .collect();
        // In order of paths, a directory comes before what is in it.
        for parent in &parents {
            self.pin(parent);
        }
        let links: BTreeSet<&PathBuf> = ways.iter().flat_map(|(way, _)| &way.links).collect();
        self.mounts.extend(
            links
                .into_iter()
                .map(|link| Mount::Link { at: link.clone() }),
        );
    }

    fn pin(&mut self, path: &Path) {
        if path.is_dir() {
            self.mounts.push(Mount::Bind {
                from: path.to_owned(),
                at: path.to_owned(),
                access: Access::Write,
            });
        }
    }

    fn add(&mut self, path: &Path, shape: Shape, state: &Path) -> io::Result<()> {
        let store = &state.join(self.layers.len().to_string());
        let existing = match fs::symlink_metadata(path) {
            Ok(existing) => Some(existing),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        match existing {
            Some(_) if self.is_made_by_others(path) => self.placeholder(path, shape, state),
            Some(meta) if meta.is_dir() => self.copy_on_write(path, store),
            Some(meta) if meta.is_file() => self.copied_file(path, store),
            Some(_) => Ok(()),
            None => self.placeholder(path, shape, state),
        }
    }

    fn copy_on_write(&mut self, path: &Path, store: &Path) -> io::Result<()> {
        let upper = store.join("upper");
        let work = store.join("work");
        make_directory(&upper)?;
        make_directory(&work)?;
        self.mounts.push(Mount::Overlay {
            lower: path.to_owned(),
            upper: upper.clone(),
            work,
            at: path.to_owned(),
        });
        self.layers
            .push(Layer::new(LayerKind::Overlay, path, upper));
        Ok(())
    }

    fn copied_file(&mut self, path: &Path, store: &Path) -> io::Result<()> {
        copy_plain(path, store)?;
        self.bind(path, store.to_owned());
        self.layers
            .push(Layer::new(LayerKind::File, path, store.to_owned()));
        Ok(())
    }

    fn placeholder(&mut self, path: &Path, shape: Shape, state: &Path) -> io::Result<()> {
        if !path.parent().is_some_and(Path::is_dir) {
            return Err(io::Error::other(format!(
                "a protected name is a link to {}, whose directory is not there: remove the link or make the directory",
                path.display()
            )));
        }
        let directory = matches!(shape, Shape::Directory);
        let private = state.join(spare::name(directory, self.placeholders.len()));
        if directory {
            make_directory(&private)?;
        } else {
            make_file(&private)?;
        }
        self.placeholders.push(Placeholder {
            path: path.to_owned(),
            directory,
        });
        self.bind(path, private.clone());
        let kind = if directory {
            LayerKind::Directory
        } else {
            LayerKind::File
        };
        self.layers.push(Layer::new(kind, path, private));
        Ok(())
    }

    fn bind(&mut self, path: &Path, private: PathBuf) {
        self.mounts.push(Mount::Bind {
            from: private,
            at: path.to_owned(),
            access: Access::Write,
        });
    }
}

/// Copies a regular file, reached by no link: another sandbox may be writing in the workspace.
fn copy_plain(path: &Path, store: &Path) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let from = rustix::fs::openat2(CWD, path, flags, Mode::empty(), resolve)?;
    let from = fs::File::from(from);
    let meta = from.metadata()?;
    if !meta.is_file() || meta.len() > MOST_COPIED_OCTETS {
        return Err(io::Error::other(format!(
            "{} is not a regular file of a usual size",
            path.display()
        )));
    }
    let mut to = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(meta.permissions().mode() & 0o777)
        .open(store)?;
    io::copy(&mut from.take(MOST_COPIED_OCTETS), &mut to)?;
    Ok(())
}

/// Writes down what the run will leave, then makes the placeholders.
///
/// Returns what has to be done when the sandbox ends, and the mark that the run is alive:
/// without it, a run that ends just now could take the placeholders away.
pub(super) fn commit(
    protection: &Protection,
    groups: Vec<PathBuf>,
    state: &Path,
    manifest: &Manifest,
) -> io::Result<(Left, fs::File)> {
    let left = Left {
        state: state.to_owned(),
        placeholders: protection.placeholders.clone(),
        groups,
    };
    manifest.write(state)?;
    let alive = left.record()?;
    for placeholder in &left.placeholders {
        placeholder.make()?;
    }
    Ok((left, alive))
}

/// Removes what runs left behind whose processes were all killed: those that hold no lock.
pub fn sweep(runs: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(runs) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries.filter_map(Result::ok) {
        let Ok(journal) = fs::File::open(entry.path().join(JOURNAL)) else {
            continue;
        };
        if flock(&journal, FlockOperation::NonBlockingLockExclusive).is_err() {
            continue;
        }
        if let Ok(left) = serde_json::from_reader::<_, Left>(io::BufReader::new(&journal)) {
            left.clean_up();
        }
    }
    Ok(())
}

/// Makes a directory, and those above it, for the caller alone.
pub(super) fn make_directory(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

/// Makes an empty file, unless something is there.
fn make_file(path: &Path) -> io::Result<()> {
    let made = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o644)
        .open(path)
        .map(drop);
    unless_there(made)
}

fn unless_there(made: io::Result<()>) -> io::Result<()> {
    match made {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

impl Placeholder {
    /// What is there already was made by another run in the same workspace, or by the person just
    /// now.
    fn make(&self) -> io::Result<()> {
        if self.directory {
            unless_there(fs::create_dir(&self.path))
        } else {
            make_file(&self.path)
        }
    }
}

/// What editors, shells and agents run or trust when they are started in a directory.
pub(super) const ANYWHERE: &[(&str, Shape)] = &[
    (".vscode", Shape::Directory),
    (".idea", Shape::Directory),
    (".zed", Shape::Directory),
    (".devcontainer", Shape::Directory),
    (".husky", Shape::Directory),
    (".claude", Shape::Directory),
    (".codex", Shape::Directory),
    (".cursor", Shape::Directory),
    (".gemini", Shape::Directory),
    (".windsurf", Shape::Directory),
    (".opencode", Shape::Directory),
    (".mcp.json", Shape::File),
    (".envrc", Shape::File),
];

/// Largest file that is copied to be protected; settings are far smaller.
const MOST_COPIED_OCTETS: u64 = 16 * 1024 * 1024;

/// The file that tells what to clean up; runs that are alive hold a lock on it.
pub(crate) const JOURNAL: &str = "journal.json";
