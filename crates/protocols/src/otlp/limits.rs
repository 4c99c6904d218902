//! Every bound on what an agent tells of itself, beside those of the gateway and of what is read.

use std::time::Duration;

/// Longest request, as it comes, in octets.
pub(super) const BODY_OCTETS: usize = 4 * 1024 * 1024;

/// Longest request when it is unpacked, in octets.
pub(super) const UNPACKED_OCTETS: usize = 8 * 1024 * 1024;

/// Octets that are unpacked at a time.
pub(super) const STEP_OCTETS: usize = 4 * 1024;

/// Longest wait for a whole request.
pub(super) const REQUEST_WAIT: Duration = Duration::from_secs(20);

/// Requests that are read on the thread that serves others as well, in octets; longer ones are read
/// on a thread of their own.
pub(super) const READ_HERE: usize = 16 * 1024;
