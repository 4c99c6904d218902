//! Taking changes over into the workspace.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Component, Path};

use rustix::fs::{FileType, Mode, OFlags};

use super::{Change, ChangeKind, Layer, LayerKind, content, tree};

/// Makes one change below `workspace`. No link on the way to the path is followed, so nothing
/// outside can be touched, and none on the way to its source, so nothing outside is copied.
pub(super) fn apply(workspace: &Path, layers: &[Layer], change: &Change) -> io::Result<()> {
    let (parent, name) = open_parent(workspace, &change.path)?;
    match (change.kind, &change.source) {
        (ChangeKind::Removed, _) | (_, None) => tree::remove(&parent, name),
        (_, Some(source)) => {
            let (from, from_name) = open_source(layers, source)?;
            put(&parent, name, &from, from_name)
        }
    }
}

/// Opens the directory that holds `path`, making those below the workspace that are missing.
fn open_parent<'a>(workspace: &Path, path: &'a Path) -> io::Result<(OwnedFd, &'a OsStr)> {
    let outside = || io::Error::new(io::ErrorKind::InvalidInput, "not below the workspace");
    let relative = path.strip_prefix(workspace).map_err(|_| outside())?;
    let name = path.file_name().ok_or_else(outside)?;
    let mut parent = tree::open_trusted(workspace)?;
    for component in relative.parent().ok_or_else(outside)?.components() {
        let Component::Normal(component) = component else {
            return Err(outside());
        };
        match rustix::fs::mkdirat(&parent, component, Mode::from(0o755)) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        parent = tree::open_directory(&parent, component)?;
    }
    Ok((parent, name))
}

/// Opens the directory that holds a source. Only the store's own path is trusted.
fn open_source<'a>(layers: &[Layer], source: &'a Path) -> io::Result<(OwnedFd, &'a OsStr)> {
    let outside = || io::Error::new(io::ErrorKind::InvalidInput, "not in a private copy");
    let name = source.file_name().ok_or_else(outside)?;
    let parent = source.parent().ok_or_else(outside)?;
    for layer in layers {
        if layer.kind == LayerKind::File && layer.store == source {
            return Ok((tree::open_trusted(parent)?, name));
        }
        if layer.kind != LayerKind::File
            && let Ok(relative) = parent.strip_prefix(&layer.store)
        {
            return Ok((tree::descend(&layer.store, relative)?, name));
        }
    }
    Err(outside())
}

fn put(parent: &OwnedFd, name: &OsStr, from: &OwnedFd, from_name: &OsStr) -> io::Result<()> {
    let stat = tree::stat(from, from_name)?.ok_or(io::ErrorKind::NotFound)?;
    match tree::kind(&stat) {
        FileType::Directory => {
            let existing = tree::stat(parent, name)?;
            if existing.is_some_and(|stat| tree::kind(&stat).is_dir()) {
                return Ok(());
            }
            tree::remove(parent, name)?;
            Ok(rustix::fs::mkdirat(parent, name, Mode::from(0o755))?)
        }
        FileType::Symlink => {
            let target = tree::read_link(from, from_name)?;
            tree::remove(parent, name)?;
            Ok(rustix::fs::symlinkat(&target, parent, name)?)
        }
        _ => {
            // What is there is removed only when the new content is at hand.
            let (source, stat) = tree::open_file(from, from_name)?;
            tree::remove(parent, name)?;
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
            let mode = Mode::from(stat.st_mode & PERMISSIONS);
            let target = rustix::fs::openat(parent, name, flags, mode)?;
            let size = u64::try_from(stat.st_size).unwrap_or_default();
            content::copy(&source, &File::from(target), size)
        }
    }
}

/// Permission bits without set-user-id, set-group-id and sticky.
const PERMISSIONS: u32 = 0o777;
