//! Directories by descriptor. What an agent made is reached from a directory that is already
//! open, one name at a time and without following a link, so it leads nowhere else.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat};

/// Opens a directory whose path is trusted.
pub(crate) fn open_trusted(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(CWD, path, flags, Mode::empty())?)
}

/// Opens the directory `name` in `parent`. A link is an error.
pub(crate) fn open_directory(parent: impl AsFd, name: &OsStr) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(parent, name, flags, Mode::empty())?)
}

/// Opens the directory `relative` below `base`, whose own path is trusted.
pub(crate) fn descend(base: &Path, relative: &Path) -> io::Result<OwnedFd> {
    let mut at = open_trusted(base)?;
    for component in relative.components() {
        let Component::Normal(name) = component else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        at = open_directory(&at, name)?;
    }
    Ok(at)
}

/// Opens the regular file `name` in `parent`. It is an error for anything else, and it waits
/// for nobody.
pub(crate) fn open_file(parent: impl AsFd, name: &OsStr) -> io::Result<(File, Stat)> {
    let flags =
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = rustix::fs::openat(parent, name, flags, Mode::empty())?;
    let stat = rustix::fs::fstat(&file)?;
    if kind(&stat) != FileType::RegularFile {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "not a regular file",
        ));
    }
    Ok((File::from(file), stat))
}

/// What `name` in `parent` is, itself and not what it leads to; none if it is not there.
pub(crate) fn stat(parent: impl AsFd, name: &OsStr) -> io::Result<Option<Stat>> {
    match rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(rustix::io::Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Where the link `name` in `parent` leads.
pub(crate) fn read_link(parent: impl AsFd, name: &OsStr) -> io::Result<OsString> {
    let target = rustix::fs::readlinkat(parent, name, Vec::new())?;
    Ok(OsString::from_vec(target.into_bytes()))
}

/// The names in a directory, `most` of them at most, in order.
pub(crate) fn names(directory: impl AsFd, most: usize) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        if names.len() >= most {
            break;
        }
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(OsStr::from_bytes(name).to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// The type in a file's mode.
pub(crate) const fn kind(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// Removes `name` in `parent` and all that is below it, however deep that is.
///
/// A directory that is not empty is moved up until it lies directly in the one to remove, so
/// neither memory nor descriptors grow with the depth. Permissions are given where they are
/// missing: the kernel makes directories without any, and so may an agent.
pub(crate) fn remove(parent: impl AsFd, name: &OsStr) -> io::Result<()> {
    let parent = parent.as_fd();
    match rustix::fs::unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) | Err(rustix::io::Errno::NOENT) => return Ok(()),
        Err(rustix::io::Errno::ISDIR) => {}
        Err(error) => return Err(error.into()),
    }
    let top = open_usable(parent, name)?;
    let mut moved = 0;
    loop {
        let names = names(&top, BATCH)?;
        if names.is_empty() {
            break;
        }
        for name in names {
            if !is_removed(top.as_fd(), &name)? {
                flatten(top.as_fd(), &name, &mut moved)?;
            }
        }
    }
    remove_empty(parent, name)
}

/// Empties the directory `name` in `top` and removes it. Its directories go to `top`.
fn flatten(top: BorrowedFd<'_>, name: &OsStr, moved: &mut u64) -> io::Result<()> {
    let directory = open_usable(top, name)?;
    loop {
        let names = names(&directory, BATCH)?;
        if names.is_empty() {
            return remove_empty(top, name);
        }
        for name in names {
            if !is_removed(directory.as_fd(), &name)? {
                move_up(directory.as_fd(), &name, top, moved)?;
            }
        }
    }
}

/// Removes what is not a directory, or an empty one. Whether that was so.
fn is_removed(parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<bool> {
    match rustix::fs::unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) | Err(rustix::io::Errno::NOENT) => Ok(true),
        Err(rustix::io::Errno::ISDIR) => {
            Ok(rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR).is_ok())
        }
        Err(error) => Err(error.into()),
    }
}

fn move_up(
    from: BorrowedFd<'_>,
    name: &OsStr,
    top: BorrowedFd<'_>,
    moved: &mut u64,
) -> io::Result<()> {
    // Moving a directory changes its entry for the one above, which takes permission to write.
    drop(open_usable(from, name)?);
    loop {
        *moved += 1;
        let fresh = format!("removing-{moved}");
        let flags = rustix::fs::RenameFlags::NOREPLACE;
        match rustix::fs::renameat_with(from, name, top, &fresh, flags) {
            Err(rustix::io::Errno::EXIST) => {}
            result => return Ok(result?),
        }
    }
}

fn remove_empty(parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<()> {
    Ok(rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)?)
}

/// Opens a directory and gives its owner all permissions on it.
fn open_usable(parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let handle = rustix::fs::openat(parent, name, flags, Mode::empty())?;
    let stat = rustix::fs::fstat(&handle)?;
    if stat.st_mode & OWNER != OWNER {
        // The handle itself is changed, whatever has its name by now.
        let itself = format!("/proc/self/fd/{}", handle.as_raw_fd());
        rustix::fs::chmod(itself, Mode::from(OWNER))?;
    }
    open_directory(&handle, OsStr::new("."))
}

/// Names that are read at once while removing.
const BATCH: usize = 4096;
/// All permissions of the owner.
const OWNER: u32 = 0o700;
