//! Watching files for changes. Editors replace files, so their directories are watched.

use std::collections::BTreeSet;
use std::mem::MaybeUninit;
use std::path::{Path, PathBuf};
use std::thread;

use rustix::fs::inotify::{self, CreateFlags, Reader, WatchFlags};

/// Calls `changed` in a thread of its own whenever one of `files` was written, replaced, made
/// or removed. A file in a directory that does not exist is not watched.
pub(super) fn on_change(files: Vec<PathBuf>, changed: impl Fn() + Send + 'static) {
    let names: BTreeSet<_> = files
        .iter()
        .filter_map(|file| Some(file.file_name()?.as_encoded_bytes().to_vec()))
        .collect();
    let Ok(watcher) = inotify::init(CreateFlags::CLOEXEC) else {
        return;
    };
    let directories: BTreeSet<_> = files.iter().filter_map(|file| directory(file)).collect();
    let watched = directories
        .iter()
        .filter(|directory| inotify::add_watch(&watcher, *directory, flags()).is_ok())
        .count();
    if watched == 0 {
        return;
    }
    // The thread ends with the process; it holds nothing that needs to be put away.
    let _ = thread::Builder::new()
        .name("policy-watch".to_owned())
        .spawn(move || {
            let mut buffer = [MaybeUninit::uninit(); 4096];
            let mut reader = Reader::new(&watcher, &mut buffer);
            while let Ok(event) = reader.next() {
                let name = event.file_name().map(|name| name.to_bytes().to_vec());
                if name.is_some_and(|name| names.contains(&name)) {
                    changed();
                }
            }
        });
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
