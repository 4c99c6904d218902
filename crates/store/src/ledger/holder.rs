//! Who has something set aside: a process, known by a file that it holds the lock of. The system
//! takes the lock from a process that ends, however it ends, so a file whose lock can be had is
//! that of a process that is gone. Callers hold the lock of the ledger.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use uuid::Uuid;

use crate::error::StoreError;
use crate::private;

/// This process, as far as one ledger is concerned.
#[derive(Debug)]
pub(super) struct Holder {
    pub(super) id: Uuid,
    path: PathBuf,
    /// Its lock is what tells others that this process lives.
    _file: File,
}

impl Holder {
    /// A new one in a folder.
    pub(super) fn create(folder: &Path) -> Result<Self, StoreError> {
        let id = Uuid::now_v7();
        let path = path(folder, id);
        let file = lock_new(&path).map_err(StoreError::file(&path))?;
        Ok(Self {
            id,
            path,
            _file: file,
        })
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Whether a holder's process is gone. One that cannot be told about is not.
pub(super) fn is_gone(folder: &Path, id: Uuid) -> bool {
    match private::open_to_read(&path(folder, id)) {
        Ok(file) => private::try_lock(&file).unwrap_or(false),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Removes the files of processes that are gone.
pub(super) fn sweep(folder: &Path, gone: &BTreeSet<Uuid>) -> Result<(), StoreError> {
    for entry in std::fs::read_dir(folder).map_err(StoreError::file(folder))? {
        let path = entry.map_err(StoreError::file(folder))?.path();
        let id = path.file_stem().and_then(|name| name.to_str());
        let id = id.and_then(|name| Uuid::try_parse(name).ok());
        if let Some(id) = id
            && (gone.contains(&id) || is_gone(folder, id))
        {
            std::fs::remove_file(&path).map_err(StoreError::file(&path))?;
        }
    }
    Ok(())
}

fn lock_new(path: &Path) -> io::Result<File> {
    let file = private::create_new(path, OFlags::empty())?;
    if private::try_lock(&file)? {
        Ok(file)
    } else {
        Err(io::ErrorKind::WouldBlock.into())
    }
}

fn path(folder: &Path, id: Uuid) -> PathBuf {
    folder.join(format!("{id}.lock"))
}
