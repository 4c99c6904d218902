//! Packs: gitformat-pack(5), read from a file that is spooled already.
//!
//! [`Pack::open`] reads a pack once from end to end, resolves every delta, names every object by
//! its content and refuses what a server should not see: deltas against objects that are not in the
//! pack, duplicates, objects that are not what they claim, trees with names that git must never
//! check out, octets after the end. What it costs is bounded by [`PackLimits`] whatever the octets
//! say: contents that are needed again lie in a scratch file, never in memory.
//!
//! What is in an open pack is then asked for: every object ([`Pack::visit`]), which commits are new
//! and what they descend from ([`History`]), which paths they change ([`Pack::changed_paths`]).
//! Nothing here decides whether a push may pass.

mod arrival;
mod budget;
mod build;
mod cache;
mod changes;
mod commit;
mod content;
mod delta;
mod entry;
mod error;
mod hash;
mod history;
mod index;
mod inflate;
mod input;
mod limits;
mod making;
mod pending;
mod person;
mod reached;
mod scratch;
mod signed;
mod sink;
mod spooled;
mod tag;
mod text;
mod tree;

use std::ops::ControlFlow;

use ringfence_model::git::{ObjectFormat, Oid};

pub use arrival::{Arrived, Arriving};
pub use changes::{Change, ChangeKind, Trees, VisitChange};
pub use commit::Commit;
pub use content::{Content, Object};
pub use error::{Excess, Fault, PackError};
pub use history::{History, Reach};
pub use limits::PackLimits;
pub use person::email_of;
pub use reached::Reached;
pub use signed::{Signature, Signed};
pub use sink::{Part, Watch};
pub use spooled::{Spooled, Stop};
pub use tag::Tag;
pub use tree::{Entries, Mode, Tree, TreeEntry};

use build::Build;
use content::Source;
use index::{Entry, Index};

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A state of the tree, with its history.
    Commit,
    /// A directory.
    Tree,
    /// The content of a file.
    Blob,
    /// An annotated tag.
    Tag,
}

impl Kind {
    /// As git writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Tree => "tree",
            Self::Blob => "blob",
            Self::Tag => "tag",
        }
    }
}

/// A pack that was read whole and holds what it claims.
#[derive(Debug)]
pub struct Pack {
    source: Source,
    index: Index,
    format: ObjectFormat,
    limits: PackLimits,
    octets: u64,
    inflated: u64,
    stop: Stop,
}

impl Pack {
    /// Reads a pack from end to end and checks every object of it. What has not arrived yet is
    /// waited for, so this blocks its thread for as long as that takes.
    ///
    /// # Errors
    /// When it is not a pack of version 2 that stands by itself, when an object of it is not valid,
    /// when it costs more than `limits` allow, when a file cannot be read or written.
    pub fn open(
        spooled: Spooled,
        format: ObjectFormat,
        limits: &PackLimits,
    ) -> Result<Self, PackError> {
        Self::watched(spooled, format, limits, &mut |_| {})
    }

    /// The same, and shows every object to `watch` on the way, so that what has to look at all of
    /// them need not inflate them again.
    ///
    /// # Errors
    /// The same; then what was shown says nothing.
    pub fn watched<'w>(
        spooled: Spooled,
        format: ObjectFormat,
        limits: &PackLimits,
        watch: &'w mut Watch<'w>,
    ) -> Result<Self, PackError> {
        let stop = spooled.stop.clone();
        let built = Build::new(spooled, format, *limits, watch)?.run()?;
        Ok(Self {
            source: built.source,
            index: Index::new(built.entries)?,
            format,
            limits: *limits,
            octets: built.octets,
            inflated: built.inflated,
            stop,
        })
    }

    /// The hash that names its objects.
    #[must_use]
    pub const fn format(&self) -> ObjectFormat {
        self.format
    }

    /// How many objects it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// How many of its objects are commits.
    #[must_use]
    pub fn commits(&self) -> usize {
        let entries = self.index.in_file_order();
        entries.filter(|entry| entry.kind == Kind::Commit).count()
    }

    /// Whether it has no object.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Octets of the pack itself, header and trailer included.
    #[must_use]
    pub const fn octets(&self) -> u64 {
        self.octets
    }

    /// Octets of everything that was inflated to read it, deltas and what they make included.
    #[must_use]
    pub const fn inflated_octets(&self) -> u64 {
        self.inflated
    }

    /// What an object is, where the pack has it.
    #[must_use]
    pub fn kind_of(&self, oid: &Oid) -> Option<Kind> {
        self.index.find(oid).map(|entry| entry.kind)
    }

    /// Shows every object once, in the order in which they lie in the files, until told to stop.
    ///
    /// # Errors
    /// When a content cannot be read again, or when the work was stopped.
    pub fn visit(
        &self,
        visit: &mut dyn FnMut(&mut Object<'_>) -> ControlFlow<()>,
    ) -> Result<(), PackError> {
        for entry in self.index.in_file_order() {
            self.stop.check()?;
            let mut object = Object::new(entry, &self.source);
            let flow = visit(&mut object);
            object.finish()?;
            if flow.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// A commit of the pack; nothing where the pack has no such commit.
    ///
    /// # Errors
    /// When its content cannot be read again.
    pub fn commit(&self, oid: &Oid) -> Result<Option<Commit>, PackError> {
        let Some(octets) = self.octets_of(oid, Kind::Commit)? else {
            return Ok(None);
        };
        let commit = Commit::parse(self.format, &octets);
        commit
            .map(Some)
            .map_err(|fault| PackError::invalid(Kind::Commit, *oid, fault))
    }

    /// A tree of the pack; nothing where the pack has no such tree.
    ///
    /// # Errors
    /// When its content cannot be read again.
    pub fn tree(&self, oid: &Oid) -> Result<Option<Tree>, PackError> {
        let Some(octets) = self.octets_of(oid, Kind::Tree)? else {
            return Ok(None);
        };
        let tree = Tree::parse(self.format, octets);
        tree.map(Some)
            .map_err(|fault| PackError::invalid(Kind::Tree, *oid, fault))
    }

    /// An annotated tag of the pack; nothing where the pack has no such tag.
    ///
    /// # Errors
    /// When its content cannot be read again.
    pub fn tag(&self, oid: &Oid) -> Result<Option<Tag>, PackError> {
        let Some(octets) = self.octets_of(oid, Kind::Tag)? else {
            return Ok(None);
        };
        let tag = Tag::parse(self.format, &octets);
        tag.map(Some)
            .map_err(|fault| PackError::invalid(Kind::Tag, *oid, fault))
    }

    fn octets_of(&self, oid: &Oid, kind: Kind) -> Result<Option<Vec<u8>>, PackError> {
        match self.index.find(oid) {
            Some(entry) if entry.kind == kind => self.source.read(entry).map(Some),
            _ => Ok(None),
        }
    }

    /// The tree of the pack at a place of the index, checked already when the pack was opened.
    fn tree_at(&self, entry: &Entry) -> Result<Tree, PackError> {
        let octets = self.source.read(entry)?;
        Ok(Tree::of_checked(self.format, octets))
    }

    /// Which commits of the pack descend from which.
    ///
    /// # Errors
    /// When a commit cannot be read again, when there are more parents than the limits allow, when
    /// a parent or a tree of a commit is in the pack and is something else.
    pub fn history(&self) -> Result<History<'_>, PackError> {
        History::new(self)
    }
}

#[cfg(test)]
mod tests;
