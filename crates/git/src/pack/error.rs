//! Why a pack is refused.

use std::io;

use ringfence_model::git::Oid;

use super::Kind;

/// Why a pack is refused. The texts may be shown to its sender.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// A file could not be read or written: not the fault of the pack.
    #[error("the pack could not be read")]
    Io(#[source] io::Error),
    /// Someone called [`Stop::stop`](super::Stop::stop).
    #[error("the reading of the pack was stopped")]
    Stopped,
    /// It is not a pack of version 2 that stands by itself.
    #[error("the pack is malformed at octet {at}: {reason}")]
    Malformed {
        /// Where, from its beginning.
        at: u64,
        /// What is wrong there.
        reason: &'static str,
    },
    /// A delta is not one, or does not fit what it is against.
    #[error("a delta of the pack is malformed: {0}")]
    Delta(&'static str),
    /// A delta is against an object that the pack does not have.
    #[error("the pack is not complete: a delta needs an object that is not in it")]
    MissingBase,
    /// An object is in it twice.
    #[error("the pack has the object {0} twice")]
    Duplicate(Oid),
    /// Its trailer is not the hash of its content.
    #[error("the pack does not have the hash that its trailer says")]
    Trailer,
    /// The content of an object was made so that another one has the same name.
    #[error("an object of the pack is part of a SHA-1 collision attack")]
    Collision,
    /// It costs more than it may.
    #[error("the pack has too much to read: {0}")]
    TooMuch(Excess),
    /// An object is not what git makes.
    #[error("the {kind} {oid} is not valid", kind = kind.as_str())]
    Invalid {
        /// What it claims to be.
        kind: Kind,
        /// Its name.
        oid: Oid,
        /// What is wrong with it.
        #[source]
        fault: Fault,
    },
    /// An object is used as something that it is not, for example a blob as a directory.
    #[error("the object {0} is not what it is used as")]
    WrongKind(Oid),
    /// No tip of the push leads to an object.
    #[error("the pack has the object {0}, which no pushed ref leads to")]
    Hidden(Oid),
}

/// What there is too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Excess {
    /// Objects.
    #[error("objects")]
    Objects,
    /// Octets of one object.
    #[error("octets in one object")]
    ObjectOctets,
    /// Octets of all objects.
    #[error("octets in all objects")]
    InflatedOctets,
    /// Deltas on deltas.
    #[error("deltas on deltas")]
    DeltaDepth,
    /// Instructions of deltas.
    #[error("instructions in deltas")]
    Instructions,
    /// Parents of commits.
    #[error("parents of commits")]
    Parents,
    /// Trees to compare.
    #[error("trees to compare")]
    Compared,
    /// Directories in directories.
    #[error("directories in directories")]
    PathDepth,
    /// Changed paths.
    #[error("changed paths")]
    ChangedPaths,
}

/// What is wrong with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A header is missing, twice there, or not in its place.
    #[error("its headers are not those that git writes")]
    Header,
    /// Not the name of an object.
    #[error("it names an object in a way that git does not")]
    ObjectName,
    /// Not an author, committer or tagger as git writes it.
    #[error("it names a person in a way that git does not")]
    Person,
    /// More parents than are read.
    #[error("it has too many parents")]
    Parents,
    /// Not a mode that git knows.
    #[error("an entry has a mode that git does not know")]
    Mode,
    /// An entry that is cut off.
    #[error("an entry is cut off")]
    Truncated,
    /// A name that must not be checked out: empty, `.`, `..`, with a slash, or `.git` however spelled.
    #[error("an entry has a name that must not be checked out")]
    EntryName,
    /// Names that are not sorted, or twice there.
    #[error("its entries are not sorted or one is there twice")]
    EntryOrder,
    /// A file that git itself reads, as a symbolic link.
    #[error("a file that git itself reads is a symbolic link")]
    SymbolicLink,
}

impl PackError {
    pub(super) const fn malformed(at: u64, reason: &'static str) -> Self {
        Self::Malformed { at, reason }
    }

    pub(super) const fn invalid(kind: Kind, oid: Oid, fault: Fault) -> Self {
        Self::Invalid { kind, oid, fault }
    }
}
