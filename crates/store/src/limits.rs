//! Every bound of this crate on memory, time and the size of what it reads.

use std::time::Duration;

/// Longest record in octets, as JSON. A longer one is refused and nothing is written.
pub const RECORD_OCTETS: usize = 4 * 1024 * 1024;

/// Longest line of a spool in octets: a record and its frame.
pub const LINE_OCTETS: u64 = RECORD_OCTETS as u64 + 1024;

/// Most records that one transaction takes in.
pub const BATCH_RECORDS: usize = 512;

/// A batch ends after the record that brings it past this many octets.
pub const BATCH_OCTETS: usize = 4 * 1024 * 1024;

/// Records that a walk over the log holds in memory at a time.
pub const PAGE_RECORDS: u32 = 256;

/// Answers of a query that states no limit.
pub const DEFAULT_ANSWERS: u32 = 1_000;

/// Most answers of one query, whatever limit it states.
pub const MOST_ANSWERS: u32 = 10_000;

/// Destinations that a tally tells apart, on each side; what comes beyond is counted in a sum.
pub const TALLY_DESTINATIONS: usize = 1_024;

/// Open events whose destination a tally remembers.
pub const TALLY_OPEN: usize = 65_536;

/// How often a new spool file is made again when an ingesting process removed it unopened.
pub const SPOOL_CREATE_ATTEMPTS: usize = 16;

/// Longest wait for another process that writes to the database.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Longest wait for readers until the write-ahead log can be emptied of what was sealed before.
pub const CHECKPOINT_WAIT: Duration = Duration::from_secs(1);

/// Connections to the database in one process.
pub const CONNECTIONS: u32 = 4;

/// Connections of the vault in one process.
pub const VAULT_CONNECTIONS: u32 = 2;

/// Credentials that the vault keeps, revoked ones included.
pub const MOST_CREDENTIALS: u32 = 4_096;

/// Secret fields of one credential.
pub const MOST_FIELDS: usize = 16;

/// Longest secret in octets.
pub const SEALED_OCTETS: usize = 64 * 1024;

/// Most octets of the file of a person's reply; a longer one is damaged.
pub const REPLY_OCTETS: u64 = 4 * 1024;

/// How long a person's reply to a push is kept after its end, so that the push is not listed as
/// waiting again.
pub const REPLIES_KEPT: jiff::SignedDuration = jiff::SignedDuration::from_hours(30 * 24);

/// How long the digest of a token is kept after its end, to tell whose it was.
pub const ENDED_TOKENS_KEPT: jiff::SignedDuration = jiff::SignedDuration::from_hours(30 * 24);

/// Longest wait for another process that writes to the ledger of budgets. It holds the ledger for
/// some microseconds, and for some milliseconds where it writes it anew.
pub const LEDGER_WAIT: Duration = Duration::from_secs(2);

/// The ledger is written anew, without what is over, when it is longer than this.
pub const LEDGER_COMPACTED: u64 = 1024 * 1024;

/// Most octets of a ledger; one that is longer is damaged.
pub const LEDGER_OCTETS: u64 = 64 * 1024 * 1024;

/// Accounts of one ledger.
pub const LEDGER_ACCOUNTS: usize = 4_096;

/// So long after something was written to the ledger it is durable at the latest, as far as the
/// disk keeps up.
pub const LEDGER_SYNC: Duration = Duration::from_millis(500);

/// Most octets of what is known of one server of the Model Context Protocol.
pub const PINS_OCTETS: u64 = 64 * 1024 * 1024;

/// Most definitions that are known of one server.
pub const PINS_ENTRIES: usize = 20_000;
