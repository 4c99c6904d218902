//! Watching files for changes. Editors replace files, so their directories are watched. Where
//! the kernel cannot tell of changes (it gives each person a number of watches), or does not
//! (a link that leads elsewhere), looking at the files again and again finds them.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;

/// How the files looked at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Look(Vec<Option<Stamp>>);

/// Device, inode, size, and the times of the last writing and of the last change.
type Stamp = (u64, u64, u64, [i64; 4]);

impl Look {
    pub(super) fn at(files: &[PathBuf]) -> Self {
        Self(files.iter().map(|file| stamp(file)).collect())
    }
}

fn stamp(file: &Path) -> Option<Stamp> {
    let meta = fs::metadata(file).ok()?;
    let times = [
        meta.mtime(),
        meta.mtime_nsec(),
        meta.ctime(),
        meta.ctime_nsec(),
    ];
    Some((meta.dev(), meta.ino(), meta.size(), times))
}

/// Calls `changed` in a thread of its own whenever one of `files` was written, replaced, made
/// or removed since they looked as in `known`.
pub(super) fn on_change(
    files: Vec<PathBuf>,
    known: Look,
    changed: impl Fn() + Send + 'static,
) -> io::Result<()> {
    watch_with(Arm::Later, files, known, changed)
}

/// When the kernel is asked to watch.
enum Arm {
    /// After a second of looking: taking a watch away costs the kernel, and so the end of a short
    /// run, some 20 ms.
    Later,
    /// It was asked already, and either watches or cannot.
    #[cfg(test)]
    Done(Option<Watch>),
}

impl Arm {
    /// The watch, if it is time for one after so many looks.
    fn after(&mut self, looks: u32, files: &[PathBuf]) -> Option<Option<Watch>> {
        match self {
            Self::Later => (looks == EARLY_LOOKS).then(|| Watch::new(files).ok()),
            #[cfg(test)]
            Self::Done(watch) => (looks == 0).then(|| watch.take()),
        }
    }
}

fn watch_with(
    mut arm: Arm,
    files: Vec<PathBuf>,
    mut known: Look,
    changed: impl Fn() + Send + 'static,
) -> io::Result<()> {
    if files.is_empty() {
        return Ok(());
    }
    // The thread ends with the process; it holds nothing that needs to be put away.
    thread::Builder::new()
        .name("policy-watch".to_owned())
        .spawn(move || {
            let mut before = known.clone();
            let mut watch = None;
            for looks in 0u32.. {
                if let Some(armed) = arm.after(looks, &files) {
                    watch = armed;
                }
                let look = Look::at(&files);
                // Files that differ from one look to the next are still being written.
                if look != known && look == before {
                    known = look.clone();
                    changed();
                }
                let is_settled = look == before;
                before = look;
                let early = looks < EARLY_LOOKS;
                if pause(watch.as_ref().filter(|_| is_settled), early) {
                    before = Look::at(&files);
                    known = before.clone();
                    changed();
                }
            }
        })?;
    Ok(())
}

/// Waits. True if the kernel told of a change meanwhile.
fn pause(watch: Option<&Watch>, early: bool) -> bool {
    match watch {
        Some(watch) => watch.wait(),
        None => {
            thread::sleep(if early { EARLY } else { UNWATCHED });
            false
        }
    }
}

/// What the kernel watches.
struct Watch {
    watcher: OwnedFd,
    names: BTreeSet<Vec<u8>>,
}

impl Watch {
    /// Fails unless every directory can be watched.
    fn new(files: &[PathBuf]) -> Result<Self, Errno> {
        let watcher = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let directories: BTreeSet<_> = files.iter().filter_map(|file| directory(file)).collect();
        for directory in &directories {
            inotify::add_watch(&watcher, directory, flags())?;
        }
        let names = files
            .iter()
            .filter_map(|file| Some(file.file_name()?.as_encoded_bytes().to_vec()))
            .collect();
        Ok(Self { watcher, names })
    }

    /// Waits for a change, for a while.
    fn wait(&self) -> bool {
        let mut ready = [PollFd::new(&self.watcher, PollFlags::IN)];
        match poll(&mut ready, Some(&WATCHED)) {
            Ok(1..) => self.has_changed(),
            Ok(0) | Err(Errno::INTR) => false,
            Err(_) => {
                thread::sleep(UNWATCHED);
                false
            }
        }
    }

    /// Takes all that the kernel tells. What it does not tell by name (it lost events, the
    /// directory itself went away) may be anything.
    fn has_changed(&self) -> bool {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = Reader::new(&self.watcher, &mut buffer);
        let mut has_changed = false;
        while let Ok(event) = reader.next() {
            let is_lost = event
                .events()
                .intersects(ReadFlags::QUEUE_OVERFLOW | ReadFlags::IGNORED);
            let is_ours = event
                .file_name()
                .is_none_or(|name| self.names.contains(name.to_bytes()));
            has_changed |= is_lost || is_ours;
        }
        has_changed
    }
}

fn directory(file: &Path) -> Option<PathBuf> {
    let directory = file.parent()?;
    if directory.as_os_str().is_empty() {
        return Some(PathBuf::from("."));
    }
    Some(directory.to_owned())
}

/// Complete writes, not each part of one.
fn flags() -> WatchFlags {
    WatchFlags::CLOSE_WRITE | WatchFlags::MOVED_TO | WatchFlags::MOVED_FROM | WatchFlags::DELETE
}

/// Between two looks, where the kernel tells of changes and where it does not.
const WATCHED: Timespec = Timespec {
    tv_sec: 1,
    tv_nsec: 0,
};
const UNWATCHED: Duration = Duration::from_millis(100);

/// Looks of the first second, and the time between two.
const EARLY_LOOKS: u32 = 40;
const EARLY: Duration = Duration::from_millis(25);

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, channel};

    use super::*;

    /// Watches one file in two ways: with what the kernel tells, and without.
    fn watched(file: &Path, known: &Look) -> [Receiver<()>; 2] {
        let files = vec![file.to_owned()];
        [Watch::new(&files).ok(), None].map(|watch| {
            let (sender, receiver) = channel();
            let told = move || sender.send(()).unwrap_or_default();
            watch_with(Arm::Done(watch), files.clone(), known.clone(), told).unwrap();
            receiver
        })
    }

    fn look(file: &Path) -> Look {
        Look::at(&[file.to_owned()])
    }

    fn is_told(receivers: &[Receiver<()>; 2]) -> bool {
        let limit = Duration::from_secs(20);
        receivers
            .iter()
            .all(|receiver| receiver.recv_timeout(limit).is_ok())
    }

    #[test]
    fn a_file_that_is_made_replaced_or_removed_has_changed() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("user.yaml");
        let told = watched(&file, &look(&file));
        fs::write(&file, "one").unwrap();
        assert!(is_told(&told));
        fs::write(directory.path().join("new"), "two").unwrap();
        fs::rename(directory.path().join("new"), &file).unwrap();
        assert!(is_told(&told));
        fs::remove_file(&file).unwrap();
        assert!(is_told(&told));
    }

    #[test]
    fn a_change_before_the_watch_began_counts() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("user.yaml");
        fs::write(&file, "one").unwrap();
        let known = look(&file);
        fs::write(&file, "longer").unwrap();
        assert!(is_told(&watched(&file, &known)));
    }

    #[test]
    fn a_change_behind_a_link_is_seen() {
        let directory = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let (file, real) = (directory.path().join("link"), elsewhere.path().join("real"));
        fs::write(&real, "one").unwrap();
        std::os::unix::fs::symlink(&real, &file).unwrap();
        let told = watched(&file, &look(&file));
        fs::write(&real, "longer").unwrap();
        assert!(is_told(&told));
    }

    #[test]
    fn a_directory_that_cannot_be_watched_is_looked_at() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("not-there/user.yaml");
        assert!(Watch::new(std::slice::from_ref(&file)).is_err());
        let told = watched(&file, &look(&file));
        fs::create_dir(directory.path().join("not-there")).unwrap();
        fs::write(&file, "one").unwrap();
        assert!(is_told(&told));
    }
}
