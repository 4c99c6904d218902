//! The spool of a run: an append-only file that takes one line per record before the gateway goes
//! on. A record that [`Spool::append`] acknowledged is with the kernel and survives the death of
//! the process at any instruction; [`Spool::sync`] makes it survive a power cut.
//!
//! The file is `<data>/spool/<run>.jsonl`. Each line is chained to the one before:
//!
//! ```json
//! {"v":1,"seq":1,"prev":"<hex>","hash":"<hex>","record":{…}}
//! ```
//!
//! where `hash` is SHA-256 over the octets of `prev` and of the record as written, and the first
//! `prev` comes from the id of the run. Nothing here ever rewrites a spool.

mod line;
mod reader;

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use ringfence_model::{Record, RunId};
use rustix::fs::OFlags;

use crate::error::StoreError;
use crate::limits::{RECORD_OCTETS, SPOOL_CREATE_ATTEMPTS};
use crate::private;

pub(crate) use line::Position;
pub(crate) use reader::run_of;
pub use reader::{Break, Contents, Ending, Reader, Spooled, Step, read_all};

/// Why a record was not taken. After any of these but [`SpoolError::TooLong`] the spool stays
/// failed, so that the gateway refuses what it cannot record.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The directory of spools cannot be used.
    #[error("the directory of spools cannot be used")]
    Directory(#[source] Box<StoreError>),
    /// The file cannot be made, or not be read.
    #[error("cannot use the spool {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file name is not that of a spool: `<run>.jsonl`.
    #[error("{} is not named like a spool", .0.display())]
    Name(PathBuf),
    /// A record is longer than [`RECORD_OCTETS`]. Nothing was written.
    #[error("a record of {0} octets is too long for the audit log")]
    TooLong(usize),
    /// A record cannot be written as JSON. Nothing was written.
    #[error("a record cannot be written as JSON")]
    Encode(#[source] serde_json::Error),
    /// The system did not take the record.
    #[error("the audit log cannot be written")]
    Write(#[source] io::Error),
    /// An earlier write failed.
    #[error("the audit log failed before and takes nothing more")]
    Failed,
}

/// The writer of one run's spool. It may be shared between threads.
#[derive(Debug)]
pub struct Spool {
    path: PathBuf,
    file: File,
    named: AtomicBool,
    end: Mutex<End>,
}

#[derive(Debug)]
struct End {
    position: Position,
    line: Vec<u8>,
    failed: bool,
}

impl Spool {
    /// Makes the spool of a run below the data directory and locks it for as long as it lives.
    ///
    /// # Errors
    /// Where the directory is not the user's own, the file exists already or cannot be made.
    pub fn create(data: &Path, run: RunId) -> Result<Self, SpoolError> {
        let folder = folder(data);
        for path in [data, &folder] {
            private::directory(path).map_err(|error| SpoolError::Directory(Box::new(error)))?;
        }
        let path = folder.join(format!("{run}.jsonl"));
        let file = create_locked(&path).map_err(|source| SpoolError::File {
            path: path.clone(),
            source,
        })?;
        let end = End {
            position: Position::first(run),
            line: Vec::new(),
            failed: false,
        };
        Ok(Self {
            path,
            file,
            named: AtomicBool::new(false),
            end: Mutex::new(end),
        })
    }

    /// Where the spool is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a record with one `write(2)`. When this returns, the record is the kernel's.
    ///
    /// # Errors
    /// Where the record was not written; see [`SpoolError`] for what stays failed.
    pub fn append(&self, record: &Record) -> Result<(), SpoolError> {
        let record = serde_json::to_vec(record).map_err(SpoolError::Encode)?;
        if record.len() > RECORD_OCTETS {
            return Err(SpoolError::TooLong(record.len()));
        }
        let mut end = self.end.lock().map_err(|_| SpoolError::Failed)?;
        if end.failed {
            return Err(SpoolError::Failed);
        }
        let End { position, line, .. } = &mut *end;
        let next = line::write(position, &record, line);
        if let Err(error) = write_once(&self.file, line) {
            end.failed = true;
            return Err(SpoolError::Write(error));
        }
        end.position = next;
        Ok(())
    }

    /// Makes what was appended durable. Writers do not wait for it.
    ///
    /// # Errors
    /// Where the system could not; the spool then stays failed, because nobody knows what of it
    /// is on the disk.
    pub fn sync(&self) -> Result<(), SpoolError> {
        self.sync_file().map_err(|error| {
            if let Ok(mut end) = self.end.lock() {
                end.failed = true;
            }
            SpoolError::Write(error)
        })
    }

    fn sync_file(&self) -> io::Result<()> {
        rustix::io::retry_on_intr(|| rustix::fs::fdatasync(&self.file))?;
        if !self.named.load(Ordering::Acquire) {
            self.path.parent().map_or(Ok(()), private::sync_directory)?;
            self.named.store(true, Ordering::Release);
        }
        Ok(())
    }
}

/// The directory of spools.
pub(crate) fn folder(data: &Path) -> PathBuf {
    data.join("spool")
}

/// Makes the file and locks it. An ingesting process that comes between the two takes the empty
/// file for one whose writer died, and removes it; then it is made once more.
fn create_locked(path: &Path) -> io::Result<File> {
    for _ in 0..SPOOL_CREATE_ATTEMPTS {
        if let Some(file) = lock_in_place(private::create_new(path, OFlags::APPEND)?)? {
            return Ok(file);
        }
    }
    Err(io::Error::other("the new file was removed again and again"))
}

/// Locks a new file; none where it has lost its name before it was locked.
fn lock_in_place(file: File) -> io::Result<Option<File>> {
    private::lock(&file)?;
    let names = file.metadata()?.nlink();
    Ok((names > 0).then_some(file))
}

/// A part of a line on the disk cannot be taken back, so a short write is a failure.
fn write_once(file: &File, line: &[u8]) -> io::Result<()> {
    let written = rustix::io::retry_on_intr(|| rustix::io::write(file, line))?;
    if written == line.len() {
        Ok(())
    } else {
        Err(io::ErrorKind::WriteZero.into())
    }
}

#[cfg(test)]
mod tests;
