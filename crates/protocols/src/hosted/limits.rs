//! Every bound on what a server drives that is started as a program.

use std::time::Duration;

/// Longest line of a server, in octets.
pub(super) const LINE_OCTETS: usize = 16 << 20;

/// What one process may have said that nobody has read yet, in octets.
pub(super) const QUEUED_OCTETS: usize = 32 << 20;

/// Messages beside answers that wait on one stream.
pub(super) const QUEUED_MESSAGES: usize = 256;

/// Messages that wait for a process to read them.
pub(super) const WAITING_LINES: usize = 64;

/// How long a process may take to read one.
pub(super) const WRITE_WAIT: Duration = Duration::from_secs(30);

/// Requests that one process has not answered.
pub(super) const OPEN_REQUESTS: usize = 1024;

/// Requests of one process that its client has not answered.
pub(super) const OPEN_QUESTIONS: usize = 256;

/// How long a process may be silent while it owes an answer.
pub(super) const SILENCE: Duration = Duration::from_secs(300);

/// How long a process may be unused.
pub(super) const IDLE: Duration = Duration::from_secs(1800);

/// How often both are looked at.
pub(super) const LOOK: Duration = Duration::from_secs(5);

/// How long an answer is waited for before its stream begins.
pub(super) const WHOLE_WAIT: Duration = Duration::from_millis(500);

/// How long nothing is started after the first end that nobody asked for; it doubles with each.
pub(super) const BACK_OFF: Duration = Duration::from_secs(1);

/// Longest such wait.
pub(super) const MOST_BACK_OFF: Duration = Duration::from_secs(60);

/// How long a process must have lived to be one that works.
pub(super) const WORKS: Duration = Duration::from_secs(60);
