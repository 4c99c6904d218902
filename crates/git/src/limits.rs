//! Every bound that this crate puts on what the wire drives.

// --- Packs ---------------------------------------------------------------------------------------

/// Objects of one pack. Each costs about 64 octets of memory, 100 while the pack is opened.
pub const PACK_OBJECTS: u32 = 1_000_000;

/// Octets of one object of a pack, inflated.
pub const PACK_OBJECT_OCTETS: u64 = 256 << 20;

/// Octets of everything that is inflated to read one pack. The scratch file stays below it.
pub const PACK_INFLATED_OCTETS: u64 = 4 << 30;

/// Deltas from an object down to one that is whole. Git makes 50.
pub const PACK_DELTA_DEPTH: u16 = 512;

/// Instructions of all deltas of one pack; each may cost a read of the scratch file.
pub const PACK_INSTRUCTIONS: u64 = 64_000_000;

/// Entries of trees that are compared to find which paths a push changes.
pub const PACK_COMPARED_ENTRIES: u64 = 64_000_000;

/// Changed paths of one push.
pub const PACK_CHANGED_PATHS: u64 = 1_000_000;

/// Octets of a commit or of an annotated tag.
pub const COMMIT_OCTETS: u64 = 1 << 20;

/// Octets of a tree: about 200,000 names.
pub const TREE_OCTETS: u64 = 8 << 20;

/// Octets of a name in a tree.
pub const TREE_NAME_OCTETS: usize = 4096;

/// Octets of a path from the root of a tree.
pub const TREE_PATH_OCTETS: usize = 4096;

/// Directories on a path from the root of a tree.
pub const TREE_DEPTH: usize = 256;

/// Octets of trees that are held at a time while they are compared.
pub const TREES_HELD_OCTETS: usize = 24 << 20;

/// Parents of a commit.
pub const COMMIT_PARENTS: usize = 128;

/// Parents of all commits of a pack, for each object that the pack may have.
pub const PARENTS_PER_OBJECT: usize = 2;

/// Parents of commits of a pack that are not in the pack, each counted once.
pub const PARENTS_OUTSIDE: usize = 65_536;

/// Octets of recent contents that are held while deltas are resolved.
pub const BASE_CACHE_OCTETS: usize = 16 << 20;

/// Octets of the longest content that is held while deltas are resolved.
pub const BASE_HELD_OCTETS: u64 = 2 << 20;

/// How much of a base may be read at once, for each octet of what a delta makes of it.
pub const BASE_READ_RATIO: u64 = 4;

/// How much of a base may be read at once, whatever a delta makes of it.
pub const BASE_READ_OCTETS: u64 = 16 << 10;

/// Octets that are read, inflated or copied in one step.
pub const PACK_STEP_OCTETS: usize = 64 << 10;

/// Longest packet in octets with its header (gitprotocol-common(5)).
pub const PKT_OCTETS: usize = 65_520;

/// Most data of one packet in octets.
pub const PKT_DATA_OCTETS: usize = PKT_OCTETS - 4;

/// Most octets of a band in one packet.
pub const SIDEBAND_OCTETS: usize = PKT_DATA_OCTETS - 1;

/// Longest reason that is shown to a client, in octets.
pub const REASON_OCTETS: usize = 512;

/// Longest name that a client or an upstream gives itself, in octets.
pub const AGENT_OCTETS: usize = 256;

/// Most octets of a push before its pack.
pub const PUSH_SECTION_OCTETS: usize = 1 << 20;

/// Most refs of one push.
pub const PUSH_UPDATES: usize = 1000;

/// Most `shallow` lines of one push.
pub const PUSH_SHALLOWS: usize = 4096;

/// Most push options of one push, and the longest of them in octets.
pub const PUSH_OPTIONS: usize = 32;
/// See [`PUSH_OPTIONS`].
pub const PUSH_OPTION_OCTETS: usize = 1024;

/// Most octets of an upstream's report on a push.
pub const REPORT_OCTETS: usize = 4 << 20;

/// Most octets of messages that an upstream sends beside its report or a pack.
pub const MESSAGE_OCTETS: u64 = 16 << 20;

/// Most octets of a request to fetch.
pub const FETCH_REQUEST_OCTETS: usize = 8 << 20;

/// Most objects that a request wants, says to have, or names as shallow, of each.
pub const FETCH_OIDS: usize = 100_000;

/// Most prefixes, refs and `deepen-not` lines of a request to fetch, of each.
pub const FETCH_REFS: usize = 10_000;

/// Longest filter of a partial clone in octets.
pub const FILTER_OCTETS: usize = 1024;

/// Most octets of the refs that an upstream advertises or lists.
pub const ADVERTISEMENT_OCTETS: u64 = 256 << 20;

/// Most lines of capabilities that an upstream advertises in protocol 2.
pub const CAPABILITY_LINES: usize = 64;

/// Longest ticket, lock id, and value of a query for LFS in octets.
pub const LFS_VALUE_OCTETS: usize = 1024;

/// Digits of the number of octets of an LFS object.
pub const LFS_SIZE_DIGITS: usize = 15;

/// Longest prefix of refs, or ref in short, in a request to fetch, in octets.
pub const REF_TEXT_OCTETS: usize = 1024;
