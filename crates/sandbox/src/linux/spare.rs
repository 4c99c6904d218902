//! Private copies that nothing was written to, kept for the next run. Making and removing a
//! dozen directories on disk would take a good part of a short run.
//!
//! What one agent had must not tell the next one anything, nor act on it: only what is exactly as
//! it was made is kept. It is empty, has its first permissions, no extended attribute and no flag,
//! and gets new times.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{
    CWD, FileType, IFlags, RenameFlags, Stat, Timespec, Timestamps, UTIME_NOW, flistxattr,
    futimens, ioctl_getflags, renameat_with,
};

use super::make_directory;
use super::overlay::tree;

/// Makes the directory of a run, out of the spare one if there is one.
pub(super) fn take(state: &Path) -> io::Result<()> {
    let (runs, spare) = places(state)?;
    make_directory(runs)?;
    match renameat_with(CWD, &spare, CWD, state, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(()),
        Err(_) => make_directory(state),
    }
}

/// Makes the directory of an ended run, to which the agent wrote nothing, the spare one. It is
/// an error if there is one already.
pub(super) fn give(state: &Path) -> io::Result<()> {
    let (_, spare) = places(state)?;
    let directory = tree::open_trusted(state)?;
    let flags = ioctl_getflags(&directory).ok();
    for name in tree::names(&directory, MOST_NAMES)? {
        if !is_as_made(directory.as_fd(), &name, flags).unwrap_or(false) {
            tree::remove(&directory, &name)?;
        }
    }
    Ok(renameat_with(
        CWD,
        state,
        CWD,
        &spare,
        RenameFlags::NOREPLACE,
    )?)
}

/// The name of a placeholder's private copy, which says what it is.
pub(super) fn name(is_directory: bool, number: usize) -> String {
    let kind = if is_directory { DIRECTORY } else { FILE };
    format!("{kind}{number}")
}

fn places(state: &Path) -> io::Result<(&Path, PathBuf)> {
    let runs = state.parent().ok_or(io::ErrorKind::InvalidInput)?;
    Ok((runs, runs.with_file_name(SPARE)))
}

/// Whether an entry is one that [`name`] names and nobody ever changed. Gives it new times.
fn is_as_made(parent: BorrowedFd<'_>, name: &OsStr, flags: Option<IFlags>) -> io::Result<bool> {
    let name_kind = name.to_str().and_then(|name| name.chars().next());
    match name_kind {
        Some(DIRECTORY) => {
            let directory = tree::open_directory(parent, name)?;
            let stat = rustix::fs::fstat(&directory)?;
            Ok(is_plain(&stat, FileType::Directory, 0o700)
                && tree::names(&directory, 1)?.is_empty()
                && is_untouched(directory.as_fd(), flags)?)
        }
        Some(FILE) => {
            let (file, stat) = tree::open_file(parent, name)?;
            Ok(is_plain(&stat, FileType::RegularFile, 0o644)
                && stat.st_nlink == 1
                && stat.st_size == 0
                && stat.st_blocks == 0
                && is_untouched(file.as_fd(), flags)?)
        }
        _ => Ok(false),
    }
}

fn is_plain(stat: &Stat, kind: FileType, mode: u32) -> bool {
    tree::kind(stat) == kind
        && stat.st_mode & 0o7777 == mode
        && stat.st_uid == rustix::process::geteuid().as_raw()
        && stat.st_gid == rustix::process::getegid().as_raw()
}

/// Whether it has no attributes and the flags of the directory that holds it.
fn is_untouched(fd: BorrowedFd<'_>, flags: Option<IFlags>) -> io::Result<bool> {
    // A list that is not empty does not fit, which is an error.
    if ioctl_getflags(fd).ok() != flags || flistxattr(fd, &mut [0u8; 1])? != 0 {
        return Ok(false);
    }
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: UTIME_NOW,
    };
    futimens(
        fd,
        &Timestamps {
            last_access: now,
            last_modification: now,
        },
    )?;
    Ok(true)
}

/// Beside the directory of runs, so that it is never taken for one.
const SPARE: &str = "spare";
const DIRECTORY: char = 'd';
const FILE: char = 'f';

/// Entries that are looked at; a workspace has far fewer protected paths. What is more is kept
/// unseen, so the directory cannot become a spare one.
const MOST_NAMES: usize = 4096;

#[cfg(test)]
mod tests;
