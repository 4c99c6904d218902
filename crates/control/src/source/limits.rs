//! Every bound on what sources give.

use std::time::Duration;

/// How long a secret is used before its source is asked again, unless the configuration says
/// something else.
pub(super) const LIFE: Duration = Duration::from_secs(60);

/// Longest path of a secret in a Vault, in octets.
pub(super) const VAULT_PATH_OCTETS: usize = 1024;

/// Longest wait for a command that is a source.
pub(super) const COMMAND_WAIT: Duration = Duration::from_secs(10);
