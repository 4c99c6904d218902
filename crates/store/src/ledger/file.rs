//! The file of a ledger: lines that are only ever added, until it is written anew as a whole. Every
//! function here is called by the one process that holds the lock of the ledger, and first reads
//! what others have added.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use rustix::fs::OFlags;

use super::LedgerError;
use super::book::{Book, Change};
use super::line;
use crate::digest::Digest;
use crate::error::StoreError;
use crate::limits::{LEDGER_COMPACTED, LEDGER_OCTETS};
use crate::private;

/// The file as far as it was read.
#[derive(Debug)]
pub(super) struct LedgerFile {
    path: PathBuf,
    file: Arc<File>,
    end: u64,
    /// Where it ended when it was opened or written anew.
    begun: u64,
    digest: Digest,
    /// Whether octets follow that are no line: somebody was killed while writing it.
    is_torn: bool,
    pub(super) book: Book,
}

impl LedgerFile {
    /// Opens the file, or makes one without accounts.
    pub(super) fn open(path: &Path) -> Result<Self, LedgerError> {
        match private::open_to_change(path) {
            Ok(file) => Self::read(path, file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Self::write(path, Book::default())
            }
            Err(error) => Err(StoreError::file(path)(error).into()),
        }
    }

    /// Reads what others have added, or the file anew where it was replaced.
    pub(super) fn refresh(&mut self) -> Result<(), LedgerError> {
        let named = self.path.symlink_metadata();
        let known = self.file.metadata().map_err(self.failed())?;
        let is_same =
            |named: &std::fs::Metadata| (named.dev(), named.ino()) == (known.dev(), known.ino());
        if named.is_ok_and(|named| is_same(&named)) {
            return self.read_on(known.len());
        }
        *self = Self::open(&self.path)?;
        Ok(())
    }

    /// Whether nobody has added anything, or replaced the file, since it was read.
    pub(super) fn is_current(&self) -> bool {
        let named = self.path.symlink_metadata();
        let known = self.file.metadata();
        named.is_ok_and(|named| {
            known.is_ok_and(|known| {
                (named.dev(), named.ino()) == (known.dev(), known.ino()) && known.len() == self.end
            })
        })
    }

    /// Whether the file is so long that it is to be written anew.
    pub(super) fn is_due(&self) -> bool {
        self.end >= LEDGER_COMPACTED.max(2 * self.begun)
    }

    /// Adds a line, and carries the change out. Where this fails, nothing has changed.
    pub(super) fn append(&mut self, change: Change) -> Result<(), LedgerError> {
        if self.end > LEDGER_OCTETS / 2 {
            return Err(self.damaged("it is too long, and could not be written anew"));
        }
        let (line, digest) = line::write(self.digest, &change)
            .map_err(io::Error::other)
            .map_err(self.failed())?;
        if self.is_torn {
            self.file.set_len(self.end).map_err(self.failed())?;
            self.is_torn = false;
        }
        if let Err(error) = self.file.write_all_at(&line, self.end) {
            self.is_torn = true;
            return Err(self.failed()(error).into());
        }
        self.end += line.len() as u64;
        self.digest = digest;
        self.book.apply(change);
        Ok(())
    }

    /// Writes the file anew where it is long, without what is over.
    pub(super) fn compact(&mut self) -> Result<(), LedgerError> {
        if !self.is_due() {
            return Ok(());
        }
        let mut book = self.book.clone();
        book.prune(Timestamp::MIN);
        *self = Self::write(&self.path, book)?;
        Ok(())
    }

    /// What is written to.
    pub(super) const fn file(&self) -> &Arc<File> {
        &self.file
    }

    /// Puts a new file in place of what is there, whole or not at all, and durable.
    fn write(path: &Path, book: Book) -> Result<Self, LedgerError> {
        let mut text = Vec::new();
        let mut digest = line::genesis();
        for change in book.changes() {
            let (line, next) = line::write(digest, &change)
                .map_err(io::Error::other)
                .map_err(StoreError::file(path))?;
            text.extend_from_slice(&line);
            digest = next;
        }
        let file = replace(path, &text).map_err(StoreError::file(path))?;
        Ok(Self {
            path: path.to_owned(),
            file: Arc::new(file),
            end: text.len() as u64,
            begun: text.len() as u64,
            digest,
            is_torn: false,
            book,
        })
    }

    fn read(path: &Path, file: File) -> Result<Self, LedgerError> {
        if !private::is_private(&file).map_err(StoreError::file(path))? {
            return Err(StoreError::insecure(path)("other users can read or write it").into());
        }
        let length = file.metadata().map_err(StoreError::file(path))?.len();
        let mut read = Self {
            path: path.to_owned(),
            file: Arc::new(file),
            end: 0,
            begun: length,
            digest: line::genesis(),
            is_torn: false,
            book: Book::default(),
        };
        read.read_on(length)?;
        if read.end == 0 {
            return Err(read.damaged("it does not begin as a ledger"));
        }
        Ok(read)
    }

    fn read_on(&mut self, length: u64) -> Result<(), LedgerError> {
        if length < self.end {
            return Err(self.damaged("it is shorter than it was"));
        }
        if length > LEDGER_OCTETS {
            return Err(self.damaged("it is too long"));
        }
        if length == self.end {
            self.is_torn = false;
            return Ok(());
        }
        let more = usize::try_from(length - self.end).unwrap_or(usize::MAX);
        let mut text = vec![0; more];
        let read = self.file.read_exact_at(&mut text, self.end);
        read.map_err(self.failed())?;
        self.is_torn = text.last() != Some(&b'\n');
        for line in text.split_inclusive(|octet| *octet == b'\n') {
            if line.ends_with(b"\n") {
                self.take_in(line)?;
            }
        }
        Ok(())
    }

    fn take_in(&mut self, line: &[u8]) -> Result<(), LedgerError> {
        let Some((change, digest)) = line::read(self.digest, line) else {
            return Err(self.damaged("a line was changed, or is missing"));
        };
        self.end += line.len() as u64;
        self.digest = digest;
        self.book.apply(change);
        Ok(())
    }

    fn failed(&self) -> impl FnOnce(io::Error) -> StoreError {
        StoreError::file(&self.path)
    }

    fn damaged(&self, why: &'static str) -> LedgerError {
        LedgerError::Damaged {
            path: self.path.clone(),
            why,
        }
    }
}

fn replace(path: &Path, text: &[u8]) -> io::Result<File> {
    let unfinished = path.with_extension("unfinished");
    if unfinished.symlink_metadata().is_ok() {
        std::fs::remove_file(&unfinished)?;
    }
    let mut file = private::create_new(&unfinished, OFlags::empty())?;
    file.write_all(text)?;
    file.sync_all()?;
    let file = private::open_to_change(&unfinished)?;
    std::fs::rename(&unfinished, path)?;
    path.parent().map_or(Ok(()), private::sync_directory)?;
    Ok(file)
}
