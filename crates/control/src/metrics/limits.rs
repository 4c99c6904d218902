//! Every bound of metrics on memory and time.

use std::time::Duration;

/// Models that have series of their own; all others are counted together.
pub(super) const MODELS: usize = 64;

/// Longest name of a model that has series of its own, in octets.
pub(super) const MODEL_OCTETS: usize = 96;

/// Kinds of errors that have series of their own.
pub(super) const ERRORS: usize = 32;

/// Codes of findings that have series of their own.
pub(super) const FINDINGS: usize = 64;

/// Longest word for an error or a finding, in octets.
pub(super) const WORD_OCTETS: usize = 64;

/// Actions that may be open at once; one beyond is not seen to close.
pub(super) const OPEN: usize = 65_536;

/// Budgets that are shown.
pub(super) const BUDGETS: usize = 64;

/// How long what is left of budgets is not read anew: runs share the ledger, and a scrape holds its
/// lock for a moment.
pub(super) const BUDGETS_READ_EVERY: Duration = Duration::from_secs(5);

/// Media types of an `Accept` header that are looked at.
pub(super) const ACCEPTED: usize = 16;
