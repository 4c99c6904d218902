//! Bounds on what git clients and servers can make the adapter hold.

use std::time::Duration;

/// Files of one kind that are on disk at once, of all sandboxes of a process; more wait.
pub(super) const SPOOLED_AT_ONCE: usize = 8;

/// Those of one sandbox among them.
pub(super) const SPOOLED_BY_SANDBOX: usize = 3;

/// The longest wait for room for a file.
pub(super) const SPOOL_WAIT: Duration = Duration::from_secs(30);

/// Octets that are left free on the disk on which pushes and LFS objects are kept.
pub(super) const DISK_RESERVE_OCTETS: u64 = 512 * 1024 * 1024;

/// The longest time that a push or an LFS object may take to arrive.
pub(super) const PUSH_ARRIVES: Duration = Duration::from_secs(30 * 60);

/// What the objects of a pack may inflate to, whatever its length.
pub(super) const INFLATED_OCTETS: u64 = 64 * 1024 * 1024;

/// How many times its length a pack may inflate to beyond that: text that repeats itself compresses
/// about ten times, and deltas of it ten times more.
pub(super) const INFLATED_TIMES: u64 = 200;

/// Octets that are written to or read from a spooled pack at a time.
pub(super) const SPOOL_WRITE_OCTETS: usize = 256 * 1024;

/// Most octets of a request to `git-upload-pack`, decoded: some ten thousand haves.
pub(super) const FETCH_REQUEST_OCTETS: usize = 1024 * 1024;

/// Most octets of the refs and options of a push: as many as the reader of them takes.
pub(super) const PUSH_START_OCTETS: u64 = 2 * 1024 * 1024;

/// The longest wait for the next part of a push.
pub(super) const PUSH_QUIET: Duration = Duration::from_secs(60);

/// Commits that the upstream is asked about for one push.
pub(super) const ASKED_COMMITS: usize = 64;

/// Refs of one push whose step forward the upstream is asked about; that of more is not proven.
pub(super) const ASKED_REFS: usize = 8;

/// Most octets of the upstream's answer to a question about its history.
pub(super) const ASKED_OCTETS: u64 = 256 * 1024 * 1024;

/// The longest wait for the upstream's answer to a question about its history.
pub(super) const ASKED_WAIT: Duration = Duration::from_secs(60);

/// Repositories of which it is remembered what was shown, of all sandboxes of a process.
pub(super) const SHOWN_REPOSITORIES: usize = 64;

/// Objects that are remembered of one repository.
pub(super) const SHOWN_OBJECTS: usize = 100_000;

/// Most octets of a page that a server answers with in place of git's answer.
pub(super) const PAGE_OCTETS: usize = 64 * 1024;

/// The longest wait for a whole request that is not a push, and for the refs of one.
pub(super) const REQUEST_WAIT: Duration = Duration::from_secs(60);

/// Most octets of a `.gitattributes` that is read; a longer one counts as if it named a filter.
pub(super) const ATTRIBUTES_OCTETS: u64 = 256 * 1024;

/// Most files that a push changes and a rule looks at.
pub(super) const CHANGED_FILES: usize = 10_000;

/// Objects in the trees that a push rests on, where it must not take any others.
pub(super) const KNOWN_OBJECTS: usize = 2_000_000;

/// Findings in one push that are told.
pub(super) const FINDINGS: usize = 20;

/// Octets of objects that are handed over at a time to be searched, if no object has more.
pub(super) const SEARCH_BATCH_OCTETS: usize = 256 * 1024;

/// What handing over one object counts as beside its octets.
pub(super) const SEARCH_PART_OCTETS: usize = 64;

/// Octets of an object that are searched at a time.
pub(super) const READ_OCTETS: usize = 64 * 1024;

/// Most octets that are read of a push that is refused already, so that its client reads why.
pub(super) const DRAINED_OCTETS: u64 = 64 * 1024 * 1024;

/// Most octets of a JSON request of Git LFS.
pub(super) const LFS_REQUEST_OCTETS: usize = 1024 * 1024;

/// Most octets of the upstream's answer to one.
pub(super) const LFS_ANSWER_OCTETS: usize = 8 * 1024 * 1024;

/// Objects of one batch; clients ask for a hundred.
pub(super) const LFS_OBJECTS: usize = 500;

/// Longest URL of an object in octets: a signed one has some two thousand.
pub(super) const LFS_HREF_OCTETS: usize = 4 * 1024;

/// Most octets of the headers that an upstream wants sent with an object.
pub(super) const LFS_HEADERS_OCTETS: usize = 4 * 1024;

/// For how long an address of ours for an object is good, at most.
pub(super) const LFS_TICKET_LIFE: Duration = Duration::from_secs(600);

/// Tickets of one sandbox: the largest batch, with two for each object.
pub(super) const LFS_TICKETS_OF_SANDBOX: usize = 1024;

/// Tickets of all sandboxes of a process.
pub(super) const LFS_TICKETS: usize = 8 * 1024;

/// Objects that were refused and of which it is remembered why, of all sandboxes of a process.
pub(super) const LFS_REFUSED: usize = 512;

/// For how long; clients ask again after a quarter of a second.
pub(super) const LFS_REFUSED_LIFE: Duration = Duration::from_secs(10);

/// Locks in one answer of the upstream.
pub(super) const LFS_LOCKS: usize = 10_000;

/// Longest text in what an upstream says of a lock, in characters.
pub(super) const LFS_LOCK_TEXT_CHARS: usize = 4096;
