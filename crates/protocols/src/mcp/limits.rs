//! Every bound that this adapter puts on what the wire drives.

use std::time::Duration;

/// How long the body of a message may take to arrive.
pub(super) const REQUEST_WAIT: Duration = Duration::from_secs(60);

/// Longest body whose length is not announced, in octets.
pub(super) const UNANNOUNCED_OCTETS: usize = 1 << 20;

/// How long an answer that is looked at as a whole may take to arrive.
pub(super) const WHOLE_WAIT: Duration = Duration::from_secs(60);

/// How long a server may take to take note of what the gateway itself tells it.
pub(super) const TELL_WAIT: Duration = Duration::from_secs(10);

/// How long the end of a stream is waited for behind its answer.
pub(super) const REST_WAIT: Duration = Duration::from_millis(250);

/// Sandboxes whose servers are remembered.
pub(super) const SANDBOXES: usize = 64;

/// Servers of one sandbox that are remembered.
pub(super) const SERVERS: usize = 64;

/// Sessions of one sandbox with one server.
pub(super) const SESSIONS: usize = 256;

/// Questions of one server that wait for an answer.
pub(super) const QUESTIONS: usize = 1024;

/// What a server is told at once of what it asked on one stream.
pub(super) const SAYING: usize = 16;

/// Pages of one list that are looked at for its definitions.
pub(super) const PAGES: usize = 100;

/// Definitions of one server that are remembered.
pub(super) const DEFINITIONS: usize = 10_000;

/// Octets of all definitions of one kind.
pub(super) const DEFINITIONS_OCTETS: usize = 16 << 20;

/// Tasks of one sandbox with one server that are remembered.
pub(super) const TASKS: usize = 1024;

/// Longest id of a task that is remembered, in octets.
pub(super) const TASK_OCTETS: usize = 1024;

/// Octets of the token of a progress.
pub(super) const TOKEN_OCTETS: usize = 256;

/// Findings of one message that are recorded.
pub(super) const FINDINGS: usize = 32;

/// Octets of a text that is recorded.
pub(super) const TEXT_OCTETS: usize = 16 << 10;

/// Messages that one answer may hold beside itself.
pub(super) const MESSAGES: u64 = 100_000;

/// Headers `Mcp-Param-*` of one message.
pub(super) const PARAMS: usize = 64;

/// Denials that an agent is told of at once.
pub(super) const DENIALS_SHOWN: usize = 10;
