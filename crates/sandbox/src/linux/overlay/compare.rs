//! Whether a private copy of a file differs from the file.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::BorrowedFd;

use rustix::fs::{FileType, Stat};

use super::limits::{BLOCK, LARGEST_COMPARED, MOST_COMPARED};
use super::tree;

/// A name in an open directory, and what it is.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) parent: BorrowedFd<'a>,
    pub(super) name: &'a OsStr,
    pub(super) stat: &'a Stat,
}

/// Compares, and keeps count of what was read.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    octets: u64,
}

impl Comparison {
    /// Whether both are the same by type, permissions and content. What cannot be read, or is
    /// too large to be, is not the same.
    pub(super) fn is_same(&mut self, written: Entry<'_>, original: Entry<'_>) -> bool {
        if written.stat.st_mode != original.stat.st_mode {
            return false;
        }
        match tree::kind(written.stat) {
            FileType::Symlink => {
                let read = |entry: Entry<'_>| tree::read_link(entry.parent, entry.name).ok();
                read(written).is_some_and(|target| read(original) == Some(target))
            }
            _ => self.has_same_content(written, original),
        }
    }

    /// Whether both files have the same content.
    pub(super) fn has_same_content(&mut self, written: Entry<'_>, original: Entry<'_>) -> bool {
        let size = u64::try_from(written.stat.st_size).unwrap_or(u64::MAX);
        if written.stat.st_size != original.stat.st_size
            || size > LARGEST_COMPARED
            || size > MOST_COMPARED.saturating_sub(self.octets)
        {
            return false;
        }
        self.octets += size;
        let open = |entry: Entry<'_>| tree::open_file(entry.parent, entry.name);
        let (Ok((written, _)), Ok((original, _))) = (open(written), open(original)) else {
            return false;
        };
        has_same_octets(written, original).unwrap_or(false)
    }
}

fn has_same_octets(written: File, original: File) -> io::Result<bool> {
    // One may grow while it is read: a run may still be alive.
    let (mut written, mut original) = (
        written.take(LARGEST_COMPARED + 1),
        original.take(LARGEST_COMPARED + 1),
    );
    let (mut left, mut right) = (Vec::with_capacity(BLOCK), Vec::with_capacity(BLOCK));
    loop {
        left.clear();
        right.clear();
        let block = BLOCK as u64;
        written.by_ref().take(block).read_to_end(&mut left)?;
        original.by_ref().take(block).read_to_end(&mut right)?;
        if left != right {
            return Ok(false);
        }
        if left.is_empty() {
            return Ok(true);
        }
    }
}
