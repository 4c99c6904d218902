//! Every bound on what agents and providers can drive here.

use std::time::Duration;

/// Longest wait for the whole body of a request.
pub(super) const REQUEST_WAIT: Duration = Duration::from_secs(60);

/// Octets of a refused request that are read and dropped.
pub(super) const DRAINED_OCTETS: usize = 64 * 1024 * 1024;

/// Longest wait for them.
pub(super) const DRAIN_WAIT: Duration = Duration::from_secs(1);

/// Longest body whose length is not announced, in octets.
pub(super) const UNANNOUNCED_OCTETS: usize = 4 * 1024 * 1024;

/// What the places of the values of a body take at most, in octets.
pub(super) const VALUES_OCTETS: u64 = 8 * 1024 * 1024;

/// What the reading of one request is taken for at most, in octets: a little less than a sandbox has
/// room for.
pub(super) const READ_OCTETS: u64 = 60 * 1024 * 1024;

/// Longest list of models that is read to be shortened, in octets.
pub(super) const MODELS_OCTETS: usize = 4 * 1024 * 1024;

/// Longest wait for such a list.
pub(super) const MODELS_WAIT: Duration = Duration::from_secs(30);

/// Texts of requests that are searched for secrets on the thread that serves others as well, in
/// octets; longer ones are searched on a thread of their own.
pub(super) const SEARCHED_HERE: usize = 64 * 1024;

/// Findings that are recorded of one request.
pub(super) const FINDINGS: usize = 32;

/// What an image takes of the context at most, in tokens: none of the providers counts more for one.
/// What a document or sound takes cannot be told from its octets, and has no bound of its own.
pub(super) const IMAGE_TOKENS: u64 = 64_000;

/// What a model reads at most of which nothing is known, in tokens.
pub(super) const UNKNOWN_CONTEXT: u64 = 1 << 20;

/// What a provider adds to a request by itself at most, in tokens: the frame of messages, and its
/// own instructions for tools.
pub(super) const FRAME_TOKENS: u64 = 4_096;

/// The longest answer of a model of which nothing is known, in tokens.
pub(super) const UNKNOWN_OUTPUT: u64 = 128_000;

/// Sandboxes whose conversations are remembered.
pub(super) const SANDBOXES: usize = 256;

/// Attempts at one request: the provider that was asked for, and those to fall back to.
pub(super) const ATTEMPTS: usize = 4;

/// Pairs of a sandbox and a rule whose rates are remembered.
pub(super) const THROTTLED: usize = 4_096;

/// How long to wait where there are too many requests under way: nobody knows when one ends.
pub(super) const CONCURRENCY_WAIT: Duration = Duration::from_secs(1);

/// The longest span of a rate, and the longest time for which one owes.
pub(super) const LONGEST_RATE: Duration = Duration::from_secs(366 * 24 * 60 * 60);
