//! Every bound of this crate. What it reads was recorded, but an agent chose how much of it there is.

use jiff::SignedDuration;

/// Nodes that one trace holds; what comes beyond is counted.
pub const NODES: usize = 100_000;

/// Events of a run that may be open at once; one that is opened beyond is not seen to close.
pub const OPEN: usize = 65_536;

/// Finished actions that wait for their place, which is known when the calls of models around them
/// have ended.
pub const WAITING: usize = 8_192;

/// Calls of tools that are remembered, to tell what happened meanwhile and whose result comes in.
pub const CALLS: usize = 1_024;

/// Sub-agents that are told apart by name.
pub const AGENTS: usize = 256;

/// Tools that are named where it cannot be told which of them did something.
pub const CANDIDATES: usize = 8;

/// Notices of a run that its first span carries.
pub const NOTICES: usize = 128;

/// Findings of one exchange that its span carries.
pub const FINDINGS: usize = 32;

/// Longest text of an attribute in octets; a longer one is cut.
pub const ATTRIBUTE_OCTETS: usize = 16 * 1024;

/// Series of the metrics of one run; what comes beyond is counted together.
pub const SERIES: usize = 256;

/// The same call of a tool so often in a row is a finding, and again at each multiple.
pub const REPEATS: u32 = 5;

/// So many denied actions without an allowed one between them are a finding, and each multiple.
pub const DENIALS: u32 = 10;

/// So many steps in a row that read nothing from the provider's cache, in a conversation that did
/// before, are a finding, and each multiple.
pub const CACHE_MISSES: u32 = 5;

/// Conversations that are watched for repetition; the one that was quiet longest is forgotten.
pub const CONVERSATIONS: usize = 64;

/// Different calls of one response that are watched for repetition.
pub const WATCHED_CALLS: usize = 256;

/// Spans of one request of an agent that tells of itself; what comes beyond is refused.
pub const TOLD_SPANS: usize = 2_048;

/// Longest span of such a request in octets.
pub const TOLD_SPAN_OCTETS: usize = 64 * 1024;

/// Attributes of such a span that are looked at.
pub const TOLD_ATTRIBUTES: usize = 128;

/// Characters that are kept of each of its words.
pub const TOLD_OCTETS: usize = 96;

/// How far the times that an agent tells may lie outside of its run: clocks are read in
/// milliseconds.
pub const TOLD_SLACK: SignedDuration = SignedDuration::from_secs(2);

/// Spans of one run that an agent tells of.
pub const TOLD_OF_RUN: usize = 16_384;

/// How deep the spans that an agent tells of may be in each other. What is deeper is a part of the
/// run: nothing that was seen is to be hidden below.
pub const TOLD_DEPTH: usize = 24;

/// Spans of events and tools of one run that are known one by one, so that none that an agent tells
/// of takes the place of one. Beyond, every id that might be one of ours is refused.
pub const OWN: usize = 262_144;
