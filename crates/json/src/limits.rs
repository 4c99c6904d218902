//! Every bound that this crate puts on what the wire drives.

/// Longest document, in octets.
pub const DOCUMENT_OCTETS: usize = 32 << 20;

/// Values of one document. Each costs 16 octets of memory while it is read.
pub const NODES: usize = 1 << 19;

/// How deep the values of a document are nested.
pub const DEPTH: usize = 128;

/// Members of one object.
pub const MEMBERS: usize = 16_384;

/// Digits that a count has at most.
pub const COUNT_DIGITS: usize = 15;
