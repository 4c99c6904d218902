//! One object while its content comes: counted, named, checked, and put where it is found again.

use std::rc::Rc;

use ringfence_model::git::{ObjectFormat, Oid};

use super::commit::Commit;
use super::hash::Hasher;
use super::scratch::Scratch;
use super::tag::Tag;
use super::tree::Tree;
use super::{Excess, Fault, Kind, PackError};
use crate::limits::{BASE_HELD_OCTETS, COMMIT_OCTETS, TREE_OCTETS};

/// An object whose content comes.
pub(super) struct Making {
    kind: Kind,
    format: ObjectFormat,
    left: u64,
    hasher: Hasher,
    /// Whether the content goes to the scratch file.
    is_spilled: bool,
    kept: Option<Vec<u8>>,
}

/// An object whose content has come.
pub(super) struct Made {
    pub(super) oid: Oid,
    /// The content, where it is short enough to be held.
    pub(super) content: Option<Rc<[u8]>>,
}

impl Making {
    /// An object of so many octets. The content of commits, trees and tags must be short.
    pub(super) fn new(
        format: ObjectFormat,
        kind: Kind,
        size: u64,
        is_spilled: bool,
    ) -> Result<Self, PackError> {
        let bound = match kind {
            Kind::Commit | Kind::Tag => COMMIT_OCTETS,
            Kind::Tree => TREE_OCTETS,
            Kind::Blob => u64::MAX,
        };
        if size > bound {
            return Err(PackError::TooMuch(Excess::ObjectOctets));
        }
        let is_kept = kind != Kind::Blob || size <= BASE_HELD_OCTETS;
        Ok(Self {
            kind,
            format,
            left: size,
            hasher: Hasher::object(format, kind, size),
            is_spilled,
            kept: is_kept.then(|| Vec::with_capacity(usize::try_from(size).unwrap_or(0))),
        })
    }

    pub(super) fn write(&mut self, octets: &[u8], scratch: &mut Scratch) -> Result<(), PackError> {
        let left = self.left.checked_sub(octets.len() as u64);
        self.left = left.ok_or(PackError::Delta("it makes more than it says"))?;
        self.hasher.update(octets);
        if self.is_spilled {
            scratch.append(octets)?;
        }
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(octets);
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<Made, PackError> {
        if self.left > 0 {
            return Err(PackError::Delta("it makes less than it says"));
        }
        let oid = self.hasher.finish()?;
        if let Some(kept) = &self.kept {
            check(self.format, self.kind, kept)
                .map_err(|fault| PackError::invalid(self.kind, oid, fault))?;
        }
        let is_held = |kept: &Vec<u8>| kept.len() as u64 <= BASE_HELD_OCTETS;
        Ok(Made {
            oid,
            content: self.kept.filter(is_held).map(Rc::from),
        })
    }
}

fn check(format: ObjectFormat, kind: Kind, octets: &[u8]) -> Result<(), Fault> {
    match kind {
        Kind::Commit => Commit::parse(format, octets).map(drop),
        Kind::Tree => Tree::check(format, octets),
        Kind::Tag => Tag::parse(format, octets).map(drop),
        Kind::Blob => Ok(()),
    }
}
