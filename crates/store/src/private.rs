//! Files and directories that belong to one user: made with mode 0600 and 0700, never reached
//! through a symbolic link, and refused where another user could have put them there.

use std::fs::{DirBuilder, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{FlockOperation, Mode, OFlags};
use zeroize::Zeroizing;

use crate::error::StoreError;

/// The bits that let somebody else read, write or search.
const OTHERS: u32 = 0o077;
const STICKY: u32 = 0o1000;

/// Makes the directory, with those above it, or takes the one that is there and closes it to
/// other users.
pub(crate) fn directory(path: &Path) -> Result<(), StoreError> {
    let built = DirBuilder::new().recursive(true).mode(0o700).create(path);
    built.map_err(StoreError::file(path))?;
    let found = path.symlink_metadata().map_err(StoreError::file(path))?;
    let insecure = |why| Err(StoreError::insecure(path)(why));
    if !found.is_dir() {
        return insecure("it is not a directory");
    }
    if found.uid() != rustix::process::geteuid().as_raw() {
        return insecure("it belongs to another user");
    }
    if found.mode() & STICKY != 0 {
        return insecure("it is a directory that users share");
    }
    if found.mode() & OTHERS != 0 {
        let own = Permissions::from_mode(0o700);
        std::fs::set_permissions(path, own).map_err(StoreError::file(path))?;
    }
    Ok(())
}

/// Makes a file that must not be there yet.
pub(crate) fn create_new(path: &Path, extra: OFlags) -> io::Result<File> {
    open(path, OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | extra)
}

/// Opens a file for reading and writing, and makes it where it is missing.
pub(crate) fn open_or_create(path: &Path) -> io::Result<File> {
    open(path, OFlags::RDWR | OFlags::CREATE)
}

/// Opens a file that is there for reading and writing.
pub(crate) fn open_to_change(path: &Path) -> io::Result<File> {
    open(path, OFlags::RDWR)
}

/// Opens a file for reading.
pub(crate) fn open_to_read(path: &Path) -> io::Result<File> {
    open(path, OFlags::RDONLY)
}

/// Whether other users could have read or written the file.
pub(crate) fn is_private(file: &File) -> io::Result<bool> {
    let found = file.metadata()?;
    let own = found.uid() == rustix::process::geteuid().as_raw();
    Ok(found.is_file() && own && found.mode() & OTHERS == 0)
}

/// What is in the file of a key, up to one octet more than `most`; none where there is no file.
pub(crate) fn read_key(path: &Path, most: usize) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
    let file = match open_to_read(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::file(path)(error)),
    };
    if !is_private(&file).map_err(StoreError::file(path))? {
        return Err(StoreError::insecure(path)(
            "other users can read or write it",
        ));
    }
    let mut octets = Zeroizing::new(Vec::with_capacity(most + 1));
    let bounded = file.take(most as u64 + 1).read_to_end(&mut octets);
    bounded.map_err(StoreError::file(path))?;
    Ok(Some(octets))
}

/// Puts a text into a file of one user, whole or not at all, and durable before this returns.
pub(crate) fn write(path: &Path, octets: &[u8]) -> Result<(), StoreError> {
    write_whole(path, octets).map_err(StoreError::file(path))
}

/// Puts a key into its file, whole or not at all, and durable before this returns. The caller holds
/// the store's lock.
pub(crate) fn write_key(path: &Path, octets: &[u8]) -> Result<(), StoreError> {
    write_whole(path, octets).map_err(StoreError::file(path))
}

fn write_whole(path: &Path, octets: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension("unfinished");
    if unfinished.symlink_metadata().is_ok() {
        std::fs::remove_file(&unfinished)?;
    }
    let mut file = create_new(&unfinished, OFlags::empty())?;
    file.write_all(octets)?;
    file.sync_all()?;
    std::fs::rename(unfinished, path)?;
    path.parent().map_or(Ok(()), sync_directory)
}

/// Waits for the advisory lock of the file.
pub(crate) fn lock(file: &File) -> io::Result<()> {
    rustix::io::retry_on_intr(|| rustix::fs::flock(file, FlockOperation::LockExclusive))?;
    Ok(())
}

/// Takes the advisory lock of the file if nobody holds it.
pub(crate) fn try_lock(file: &File) -> io::Result<bool> {
    let operation = FlockOperation::NonBlockingLockExclusive;
    match rustix::io::retry_on_intr(|| rustix::fs::flock(file, operation)) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Gives an advisory lock back before the file is closed.
pub(crate) fn unlock(file: &File) -> io::Result<()> {
    rustix::fs::flock(file, FlockOperation::Unlock)?;
    Ok(())
}

/// Makes the names in a directory durable.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    open(path, OFlags::RDONLY | OFlags::DIRECTORY)?.sync_all()
}

fn open(path: &Path, flags: OFlags) -> io::Result<File> {
    let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let descriptor = rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR)?;
    Ok(File::from(descriptor))
}
