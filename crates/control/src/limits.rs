//! Every bound of this crate on what files, commands, issuers and people give it.

use std::time::Duration;

/// Longest secret in octets: a PEM chain with its key, or the key file of a service account.
pub const SECRET_OCTETS: usize = 64 * 1024;

/// Longest value of a setting in octets.
pub const SETTING_OCTETS: usize = 4 * 1024;

/// Longest path prefix of a binding in octets.
pub const PATH_OCTETS: usize = 1024;

/// Longest wait for a command that gives out a secret.
pub const COMMAND_WAIT: Duration = Duration::from_secs(30);

/// Longest wait for one minting, retries and lookups included.
pub const MINT_WAIT: Duration = Duration::from_secs(30);

/// A minted secret is not used any more so long before it expires.
pub const EXPIRY_MARGIN: Duration = Duration::from_secs(60);

/// How long a secret that an external source gave, or a minted one of unknown life, is used before
/// it is asked for again.
pub const UNKNOWN_LIFE: Duration = Duration::from_secs(300);

/// After a failed minting none is tried for so long; twice as long after each further failure.
pub const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest such pause.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// An upstream that rejects a minted secret has it minted again at most once in this time.
pub const REMINT_PAUSE: Duration = Duration::from_secs(5);

/// What was sent with a secret that was rotated may take so long to its end; a secret that was
/// revoked has no such time.
pub const ROTATION_GRACE: Duration = Duration::from_secs(5);

/// Rotations that one request waits for.
pub const ROTATIONS_WAITED: usize = 4;

/// How long a change of the store can stay unnoticed where nothing tells of it.
pub const POLL: Duration = Duration::from_secs(1);

/// How long a token lives whose run does not end before.
pub const TOKEN_LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Held pushes that are listed.
pub const HELD_SHOWN: usize = 50;

/// Later events that are looked at to tell whether a held push has passed since.
pub const LATER_EVENTS: u32 = 1_000;
