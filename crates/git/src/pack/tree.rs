//! Trees: the names in a directory.

mod names;

use std::cmp::Ordering;

use ringfence_model::git::{ObjectFormat, Oid};

use super::Fault;
use crate::limits::TREE_NAME_OCTETS;

/// A directory, valid: every entry has a mode that git knows and a name that may be checked out, and
/// they are sorted and each there once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    octets: Vec<u8>,
    format: ObjectFormat,
}

/// One name in a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeEntry<'a> {
    /// What it is.
    pub mode: Mode,
    /// Its name: any octets but a slash and NUL, mostly UTF-8.
    pub name: &'a [u8],
    /// The object that it is.
    pub oid: Oid,
}

/// What a name in a directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// A file.
    File,
    /// A file that may be executed.
    Executable,
    /// A symbolic link; the object is a blob with where it leads.
    Link,
    /// A directory; the object is a tree.
    Directory,
    /// A submodule; the object is a commit of another repository.
    Submodule,
}

impl Mode {
    /// Reads a mode as git writes it today, and `100664` and `040000` as git and others wrote them long
    /// ago: they are in old histories, and mean one thing.
    fn read(digits: &[u8]) -> Result<Self, Fault> {
        match digits {
            b"100644" | b"100664" => Ok(Self::File),
            b"100755" => Ok(Self::Executable),
            b"120000" => Ok(Self::Link),
            b"40000" | b"040000" => Ok(Self::Directory),
            b"160000" => Ok(Self::Submodule),
            _ => Err(Fault::Mode),
        }
    }
}

impl Tree {
    /// Reads a tree.
    ///
    /// # Errors
    /// See [`Fault`].
    pub fn parse(format: ObjectFormat, octets: Vec<u8>) -> Result<Self, Fault> {
        Self::check(format, &octets)?;
        Ok(Self { octets, format })
    }

    /// A tree whose octets were checked before.
    pub(super) const fn of_checked(format: ObjectFormat, octets: Vec<u8>) -> Self {
        Self { octets, format }
    }

    /// A tree without an entry.
    pub(super) const fn empty(format: ObjectFormat) -> Self {
        Self::of_checked(format, Vec::new())
    }

    /// Its entries, sorted as git sorts them: a directory as if its name ended with a slash.
    #[must_use]
    pub fn entries(&self) -> Entries<'_> {
        Entries::of_checked(self.format, &self.octets)
    }

    /// Octets of it.
    pub(super) fn octets(&self) -> usize {
        self.octets.len()
    }

    /// Checks the octets of a tree.
    pub(super) fn check(format: ObjectFormat, octets: &[u8]) -> Result<(), Fault> {
        let mut rest = octets;
        let mut last: Option<TreeEntry<'_>> = None;
        // Files whose names begin each other and the current one: the only ones that a directory of
        // the same name may still follow.
        let mut begun: Vec<&[u8]> = Vec::new();
        while !rest.is_empty() {
            let (entry, after) = TreeEntry::read(format, rest)?;
            entry.check()?;
            if last.is_some_and(|last| order(&last, &entry) != Ordering::Less) {
                return Err(Fault::EntryOrder);
            }
            while begun.pop_if(|name| !entry.name.starts_with(name)).is_some() {}
            if begun.last() == Some(&entry.name) {
                return Err(Fault::EntryOrder);
            }
            if entry.mode != Mode::Directory {
                begun.push(entry.name);
            }
            last = Some(entry);
            rest = after;
        }
        Ok(())
    }
}

/// The entries of a tree.
#[derive(Debug, Clone)]
pub struct Entries<'a> {
    rest: &'a [u8],
    format: ObjectFormat,
}

impl<'a> Entries<'a> {
    /// Those of a tree whose octets were checked before.
    pub(super) const fn of_checked(format: ObjectFormat, octets: &'a [u8]) -> Self {
        Self {
            rest: octets,
            format,
        }
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = TreeEntry<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let (entry, rest) = TreeEntry::read(self.format, self.rest).ok()?;
        self.rest = rest;
        Some(entry)
    }
}

impl<'a> TreeEntry<'a> {
    /// Whether it is a directory.
    #[must_use]
    pub fn is_directory(&self) -> bool {
        self.mode == Mode::Directory
    }

    fn read(format: ObjectFormat, octets: &'a [u8]) -> Result<(Self, &'a [u8]), Fault> {
        let near = octets
            .get(..octets.len().min(MODE_OCTETS + 1))
            .unwrap_or_default();
        let space = near.iter().position(|octet| *octet == b' ');
        let (mode, rest) = octets.split_at(space.ok_or(Fault::Mode)?);
        let mode = Mode::read(mode)?;
        let rest = rest.get(1..).unwrap_or_default();
        let near = rest
            .get(..rest.len().min(TREE_NAME_OCTETS + 1))
            .unwrap_or_default();
        let end = near.iter().position(|octet| *octet == 0);
        let (name, rest) = rest.split_at(end.ok_or(Fault::Truncated)?);
        let rest = rest.get(1..).unwrap_or_default();
        let (oid, rest) = rest
            .split_at_checked(format.octets())
            .ok_or(Fault::Truncated)?;
        let oid = Oid::new(format, oid).map_err(|_| Fault::ObjectName)?;
        Ok((Self { mode, name, oid }, rest))
    }

    fn check(&self) -> Result<(), Fault> {
        if self.oid.is_null() {
            return Err(Fault::ObjectName);
        }
        if !names::may_be_checked_out(self.name) {
            return Err(Fault::EntryName);
        }
        if self.mode == Mode::Link && names::is_read_by_git(self.name) {
            return Err(Fault::SymbolicLink);
        }
        if names::is_disguised(self.name) {
            return Err(Fault::EntryName);
        }
        Ok(())
    }
}

/// How git sorts two entries.
pub(super) fn order(one: &TreeEntry<'_>, other: &TreeEntry<'_>) -> Ordering {
    let shared = one.name.len().min(other.name.len());
    let after = |entry: &TreeEntry<'_>| match entry.name.get(shared) {
        Some(octet) => *octet,
        None if entry.is_directory() => b'/',
        None => 0,
    };
    let begins = one.name.get(..shared).cmp(&other.name.get(..shared));
    begins.then_with(|| after(one).cmp(&after(other)))
}

/// Octets of the longest mode.
const MODE_OCTETS: usize = 6;
