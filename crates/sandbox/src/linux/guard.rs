//! Watching, from outside, over what protects the workspace while an agent runs in it.
//!
//! A mount holds as long as the name that it covers: when somebody on the host removes or
//! replaces a protected file (git does with its configuration, editors do when they save), the
//! kernel takes the mount off in every sandbox, and the agent has the real file before it. That
//! cannot be forbidden to the person, so it is noticed, and the run is ended.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::fs::inotify::{self, CreateFlags, Reader, WatchFlags};

use super::overlay::Manifest;

/// A protected path that was removed, replaced or made while the agent ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// The path, or the workspace where the kernel lost count of what happened.
    pub path: PathBuf,
}

/// Watches the protected paths of the run that is kept in `state`, and calls `lost` once, from a
/// thread of its own, when the protection of one is gone. The thread ends with the process.
///
/// Fails where nothing can be watched: then the run must not start.
pub fn watch(state: &Path, lost: impl FnOnce(Lost) + Send + 'static) -> io::Result<()> {
    let manifest = Manifest::read(state)?;
    let names = guarded(&manifest);
    if names.is_empty() {
        return Ok(());
    }
    let before = Shape::of(&names);
    thread::Builder::new()
        .name("guard".to_owned())
        .spawn(move || {
            // Where the kernel could not tell everything, all counts as lost.
            lost(wait_for_change(&names, &before).unwrap_or(Lost {
                path: manifest.workspace,
            }));
        })?;
    Ok(())
}

/// Looks at the names often at first: most runs are short, and taking a watcher away costs the
/// kernel, and so the end of the run, some 20 ms. Then has the kernel tell.
fn wait_for_change(names: &Names, before: &Shape) -> Option<Lost> {
    if let Some(lost) = look_again(names, before, Some(EARLY_LOOKS)) {
        return Some(lost);
    }
    let armed = inotify::init(CreateFlags::CLOEXEC)
        .map_err(io::Error::from)
        .and_then(|watcher| Ok((arm(&watcher, names)?, watcher)));
    let Ok((watched, watcher)) = armed else {
        // A user has few watchers, and an agent can use them all up.
        return look_again(names, before, None);
    };
    // What happened before the watcher was there.
    look_again(names, before, Some(1)).or_else(|| wait(&watcher, &watched))
}

type Names = BTreeMap<PathBuf, BTreeSet<OsString>>;

fn arm(
    watcher: &OwnedFd,
    names: &Names,
) -> io::Result<BTreeMap<i32, (PathBuf, BTreeSet<OsString>)>> {
    let mut watched = BTreeMap::new();
    for (directory, names) in names {
        let flags = WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVED_FROM
            | WatchFlags::MOVED_TO
            | WatchFlags::ONLYDIR;
        let number = inotify::add_watch(watcher, directory, flags)?;
        watched.insert(number, (directory.clone(), names.clone()));
    }
    Ok(watched)
}

/// Which files the guarded names stand for: device and inode numbers, none where nothing is.
#[derive(PartialEq, Eq)]
struct Shape(BTreeMap<PathBuf, Option<(u64, u64)>>);

impl Shape {
    fn of(names: &Names) -> Self {
        let paths = names
            .iter()
            .flat_map(|(directory, names)| names.iter().map(|name| directory.join(name)));
        Self(
            paths
                .map(|path| {
                    let meta = fs::symlink_metadata(&path).ok();
                    (path, meta.map(|meta| (meta.dev(), meta.ino())))
                })
                .collect(),
        )
    }

    /// The first path that stands for something else than before.
    fn differs(&self, before: &Self) -> Option<PathBuf> {
        self.0
            .iter()
            .find(|(path, file)| before.0.get(*path) != Some(file))
            .map(|(path, _)| path.clone())
    }
}

/// Looks so many times, or for ever, whether a guarded name stands for another file.
fn look_again(names: &Names, before: &Shape, looks: Option<u32>) -> Option<Lost> {
    let mut left = looks;
    loop {
        if let Some(path) = Shape::of(names).differs(before) {
            return Some(Lost { path });
        }
        left = left.map(|left| left.saturating_sub(1));
        if left == Some(0) {
            return None;
        }
        thread::sleep(PAUSE);
    }
}

/// The directories to watch, and the names in each.
fn guarded(manifest: &Manifest) -> Names {
    let mut directories: Names = BTreeMap::new();
    let mut add = |path: &Path| {
        if let (Some(directory), Some(name)) = (path.parent(), path.file_name()) {
            let names = directories.entry(directory.to_owned()).or_default();
            names.insert(name.to_owned());
        }
    };
    for layer in &manifest.layers {
        if layer.target != manifest.workspace {
            add(&layer.target);
        }
    }
    // With this file git would read its configuration elsewhere. There is no harmless empty one
    // to mount over, so that it appears is what ends the run.
    let redirect = manifest.workspace.join(".git/commondir");
    if !manifest.layers.is_empty() && manifest.workspace.join(".git/HEAD").exists() {
        add(&redirect);
    }
    directories.retain(|directory, _| directory.is_dir());
    directories
}

/// Blocks until a guarded name changes; none if the kernel could not tell everything.
fn wait(watcher: &OwnedFd, watched: &BTreeMap<i32, (PathBuf, BTreeSet<OsString>)>) -> Option<Lost> {
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut reader = Reader::new(watcher, &mut buffer);
    loop {
        let event = reader.next().ok()?;
        let (directory, names) = watched.get(&event.wd())?;
        let Some(name) = event
            .file_name()
            .map(|name| OsStr::from_bytes(name.to_bytes()))
        else {
            continue;
        };
        if names.contains(name) {
            return Some(Lost {
                path: directory.join(name),
            });
        }
    }
}

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(5);

/// Looks before the kernel is asked to watch: a second.
const EARLY_LOOKS: u32 = 200;

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::super::overlay::{Layer, LayerKind};
    use super::*;

    fn watched(workspace: &Path) -> mpsc::Receiver<Lost> {
        let state = workspace.join("state");
        fs::create_dir_all(&state).unwrap();
        let layer = Layer::new(LayerKind::File, &workspace.join(".envrc"), state.join("0"));
        Manifest::new(workspace, vec![layer]).write(&state).unwrap();
        let (sender, receiver) = mpsc::channel();
        watch(&state, move |lost| sender.send(lost).unwrap()).unwrap();
        receiver
    }

    #[test]
    fn a_replaced_file_is_noticed() {
        let workspace = tempfile::tempdir().unwrap();
        fs::write(workspace.path().join(".envrc"), "").unwrap();
        let lost = watched(workspace.path());
        fs::write(workspace.path().join("new"), "x").unwrap();
        fs::rename(
            workspace.path().join("new"),
            workspace.path().join(".envrc"),
        )
        .unwrap();
        let lost = lost.recv_timeout(Duration::from_secs(10)).unwrap();
        assert_eq!(lost.path, workspace.path().join(".envrc"));
    }

    #[test]
    fn without_a_watcher_a_replaced_file_is_noticed_too() {
        let workspace = tempfile::tempdir().unwrap();
        let path = workspace.path().join(".envrc");
        fs::write(&path, "").unwrap();
        let names = Names::from([(
            workspace.path().to_owned(),
            BTreeSet::from([OsString::from(".envrc")]),
        )]);
        let before = Shape::of(&names);
        assert_eq!(Shape::of(&names).differs(&before), None);
        fs::write(workspace.path().join("new"), "x").unwrap();
        fs::rename(workspace.path().join("new"), &path).unwrap();
        assert_eq!(look_again(&names, &before, None), Some(Lost { path }));
    }

    #[test]
    fn other_files_may_come_and_go() {
        let workspace = tempfile::tempdir().unwrap();
        fs::write(workspace.path().join(".envrc"), "").unwrap();
        let lost = watched(workspace.path());
        fs::write(workspace.path().join("other"), "x").unwrap();
        fs::remove_file(workspace.path().join("other")).unwrap();
        fs::remove_file(workspace.path().join(".envrc")).unwrap();
        // Events come in order: had the others counted, one of them would be the first.
        let lost = lost.recv_timeout(Duration::from_secs(10)).unwrap();
        assert_eq!(lost.path, workspace.path().join(".envrc"));
    }
}
