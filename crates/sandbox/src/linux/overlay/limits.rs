//! Bounds on looking at what an agent left: it may be as large, as deep and as many as a disk
//! can hold, and the person waits. Reaching one is reported, never passed over.

/// Entries that are looked at in all private copies of a run together.
pub(super) const MOST_ENTRIES: usize = 200_000;
/// Directories within each other.
pub(super) const MOST_DEPTH: usize = 128;
/// Octets of the paths of all changes together.
pub(super) const MOST_PATH_OCTETS: usize = 64 << 20;
/// A larger file counts as changed without being read.
pub(super) const LARGEST_COMPARED: u64 = 16 << 20;
/// Octets that are compared in all; further files count as changed without being read.
pub(super) const MOST_COMPARED: u64 = 1 << 30;
/// Octets that are compared at once.
pub(super) const BLOCK: usize = 64 << 10;
