//! The audit record of Ringfence: the append-only spool that a run writes, and the store that
//! takes spools in, chains their records by hash, answers questions about them and exports them.
//! Beside it the [`Vault`]: credentials, sealed, and the digests of the tokens that stand for them.
//! This crate holds no rule and speaks no HTTP; `ringfence run` needs nothing of it but [`Spool`],
//! and the vault where its policy names a credential.
//!
//! # What the chain proves, and what it does not
//!
//! [`Store::verify`] finds any record that was changed, removed, inserted or moved, any column of
//! the query tables that no longer says what its record says, and a log that was cut off at its
//! end: the log ends in a head that is signed (HMAC-SHA256) with `audit.key`, and that one head is
//! replaced with every commit, so that there is no older one to cut back to. No agent can reach
//! these files; the chain is for the person who later asks whether somebody else did.
//!
//! It does not stop whoever can read `audit.key`, which is anyone who acts as the same user on the
//! same machine: they can write a new history and sign it. Nor does it notice when the database is
//! put back, as a whole, to an older copy of itself, or when key and database are both replaced;
//! against that, keep the head that `verify` reports somewhere else. A spool is chained but not
//! signed until it is taken in: one that is deleted before that leaves no trace here.

mod approvals;
mod columns;
mod credentials;
mod database;
mod denied;
mod digest;
mod entry;
mod error;
mod events;
mod export;
mod filter;
mod head;
mod ingest;
mod key;
mod ledger;
pub mod limits;
mod pins;
mod private;
mod project;
mod records;
mod runs;
mod seal;
mod simulation;
pub mod spool;
mod store;
mod tally;
mod tokens;
mod vault;
mod verify;

pub use approvals::{Approvals, CallOf, Reply, Said, push_digest, user};
pub use credentials::{CredentialRecord, OpenedCredential};
pub use denied::Denial;
pub use digest::Digest;
pub use error::StoreError;
pub use events::StoredEvent;
pub use export::{Export, Format};
pub use filter::Filter;
pub use ingest::{BrokenSpool, Ingested};
pub use ledger::{
    Account, Amount, Balance, Claim, Ledger, LedgerError, Limits, MemoryLedger, NotTaken, Scope,
    Shortfall, Taken, Window,
};
pub use pins::{FirstSight, Pinned, PinnedServer, Pins, Standing};
pub use records::{StoredNotice, StoredRecord};
pub use runs::RunSummary;
pub use seal::{KeyFormatError, KeySource, MasterKey};
pub use simulation::RecordedAction;
pub use spool::{Spool, SpoolError};
pub use store::Store;
pub use tally::{AllowedCount, Counts, DeniedCount, LlmCounts, Tally};
pub use tokens::TokenRecord;
pub use vault::{Rekeyed, Turn, Vault, VaultError, changes_file};
pub use verify::{Broken, Verification, Verified};

#[cfg(test)]
mod testing;
