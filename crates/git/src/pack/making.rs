//! One object while its content comes: counted, named, checked, and put where it is found again.

use std::rc::Rc;

use ringfence_model::git::{ObjectFormat, Oid};

use super::commit::Commit;
use super::hash::Hasher;
use super::sink::{Part, Sink};
use super::tag::Tag;
use super::tree::Tree;
use super::{Excess, Fault, Kind, PackError};
use crate::limits::{BASE_HELD_OCTETS, COMMIT_OCTETS, PACK_STEP_OCTETS, TREE_OCTETS};

/// An object whose content comes.
pub(super) struct Making {
    kind: Kind,
    format: ObjectFormat,
    left: u64,
    hasher: Hasher,
    /// Whether the content goes to the scratch file.
    is_spilled: bool,
    /// Its content so far; of a long blob, what was not shown yet.
    kept: Vec<u8>,
    is_long: bool,
}

/// An object whose content has come.
pub(super) struct Made {
    pub(super) oid: Oid,
    /// The content, where it is short enough to be held.
    pub(super) content: Option<Rc<Vec<u8>>>,
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
        let is_long = kind == Kind::Blob && size > BASE_HELD_OCTETS;
        let room = match is_long {
            true => 2 * PACK_STEP_OCTETS,
            false => usize::try_from(size).unwrap_or(0),
        };
        Ok(Self {
            kind,
            format,
            left: size,
            hasher: Hasher::object(format, kind, size),
            is_spilled,
            kept: Vec::with_capacity(room),
            is_long,
        })
    }

    pub(super) fn write(&mut self, octets: &[u8], sink: &mut Sink<'_>) -> Result<(), PackError> {
        let left = self.left.checked_sub(octets.len() as u64);
        self.left = left.ok_or(PackError::Delta("it makes more than it says"))?;
        self.hasher.update(octets);
        if self.is_spilled {
            sink.scratch.append(octets)?;
        }
        self.kept.extend_from_slice(octets);
        if self.is_long && self.kept.len() >= PACK_STEP_OCTETS {
            sink.show(&Part {
                kind: self.kind,
                octets: &self.kept,
                last: None,
                format: self.format,
            });
            self.kept.clear();
        }
        Ok(())
    }

    pub(super) fn finish(self, sink: &mut Sink<'_>) -> Result<Made, PackError> {
        if self.left > 0 {
            return Err(PackError::Delta("it makes less than it says"));
        }
        let oid = self.hasher.finish()?;
        check(self.format, self.kind, &self.kept)
            .map_err(|fault| PackError::invalid(self.kind, oid, fault))?;
        sink.show(&Part {
            kind: self.kind,
            octets: &self.kept,
            last: Some(oid),
            format: self.format,
        });
        let is_held = !self.is_long && self.kept.len() as u64 <= BASE_HELD_OCTETS;
        Ok(Made {
            oid,
            content: is_held.then(|| Rc::new(self.kept)),
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
