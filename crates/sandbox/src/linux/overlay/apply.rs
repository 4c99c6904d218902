//! Taking changes over into the workspace.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path};

use rustix::fs::{AtFlags, CWD, Mode, OFlags};

use super::{Change, ChangeKind};

/// Makes one change below `workspace`. No link on the way to the path is followed, so nothing
/// outside can be touched.
pub(super) fn apply(workspace: &Path, change: &Change) -> io::Result<()> {
    let (parent, name) = open_parent(workspace, &change.path)?;
    match (change.kind, &change.source) {
        (ChangeKind::Removed, _) | (_, None) => remove(&parent, name, &change.path),
        (_, Some(source)) => put(&parent, name, source, &change.path),
    }
}

/// Opens the directory that holds `path`, making those below the workspace that are missing.
fn open_parent<'a>(workspace: &Path, path: &'a Path) -> io::Result<(OwnedFd, &'a Path)> {
    let outside = || io::Error::new(io::ErrorKind::InvalidInput, "not below the workspace");
    let relative = path.strip_prefix(workspace).map_err(|_| outside())?;
    let name = path.file_name().ok_or_else(outside)?;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut parent = rustix::fs::openat(CWD, workspace, flags, Mode::empty())?;
    for component in relative.parent().ok_or_else(outside)?.components() {
        let Component::Normal(component) = component else {
            return Err(outside());
        };
        match rustix::fs::mkdirat(&parent, component, Mode::from(0o755)) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        parent = rustix::fs::openat(&parent, component, flags | OFlags::NOFOLLOW, Mode::empty())?;
    }
    Ok((parent, Path::new(name)))
}

fn remove(parent: &OwnedFd, name: &Path, path: &Path) -> io::Result<()> {
    match rustix::fs::unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) | Err(rustix::io::Errno::NOENT) => Ok(()),
        // remove_dir_all does not follow links below the directory.
        Err(rustix::io::Errno::ISDIR) => fs::remove_dir_all(path),
        Err(error) => Err(error.into()),
    }
}

fn put(parent: &OwnedFd, name: &Path, source: &Path, path: &Path) -> io::Result<()> {
    let meta = fs::symlink_metadata(source)?;
    let existing = rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW).ok();
    let is_directory =
        existing.is_some_and(|stat| rustix::fs::FileType::from_raw_mode(stat.st_mode).is_dir());
    if meta.is_dir() {
        if is_directory {
            return Ok(());
        }
        remove(parent, name, path)?;
        return Ok(rustix::fs::mkdirat(parent, name, Mode::from(0o755))?);
    }
    remove(parent, name, path)?;
    if meta.is_symlink() {
        let target = fs::read_link(source)?;
        return Ok(rustix::fs::symlinkat(&target, parent, name)?);
    }
    let mode = Mode::from(meta.permissions().mode() & PERMISSIONS);
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
    let target = rustix::fs::openat(parent, name, flags, mode)?;
    io::copy(&mut fs::File::open(source)?, &mut fs::File::from(target))?;
    Ok(())
}

/// overlayfs makes its work directory without any permission, which would stop its removal.
pub(super) fn make_removable(path: &Path) -> io::Result<()> {
    let meta = fs::symlink_metadata(path)?;
    if !meta.is_dir() {
        return Ok(());
    }
    if meta.permissions().mode() & 0o700 != 0o700 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    }
    for entry in fs::read_dir(path)? {
        make_removable(&entry?.path())?;
    }
    Ok(())
}

/// Permission bits without set-user-id, set-group-id and sticky.
const PERMISSIONS: u32 = 0o777;
