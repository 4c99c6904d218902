//! What can go wrong with what is sealed, by what the caller can do about it. No message holds a
//! secret or a part of one.

use std::path::PathBuf;

use ringfence_model::CredentialName;

use crate::error::StoreError;

/// Why the vault could not do what was asked of it. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The database or a file failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There are sealed credentials and no key.
    #[error("the master key {} is missing, so no credential can be opened; put it back: nothing was changed", .0.display())]
    KeyMissing(PathBuf),
    /// The key is not the one in force.
    #[error(
        "the master key from {origin} is not the one that the credentials are sealed with; nothing was changed"
    )]
    KeyWrong {
        /// Where the key is from.
        origin: String,
    },
    /// The key was the one in force, and another process changed it.
    #[error(
        "the master key was changed since this process read it from {origin}; start it again with the new one"
    )]
    KeyChanged {
        /// Where the key is from.
        origin: String,
    },
    /// A new key must come from where the one in force comes from.
    #[error("the master key comes from {origin}, so the new one must be given")]
    KeyNeeded {
        /// Where the key is from.
        origin: String,
    },
    /// There is a credential of that name.
    #[error(
        "there is a credential `{0}` already; `ringfence credential rotate {0}` gives it a new secret"
    )]
    Exists(CredentialName),
    /// There is none of that name.
    #[error("there is no credential `{0}`")]
    Unknown(CredentialName),
    /// It was revoked.
    #[error("the credential `{0}` was revoked; add it again to use it")]
    Revoked(CredentialName),
    /// What is stored is not what was sealed.
    #[error(
        "the credential `{0}` does not open: what is stored was changed or is damaged; rotate it"
    )]
    Damaged(CredentialName),
    /// More than the store takes.
    #[error("{0}")]
    TooMany(&'static str),
    /// The system gave no random octets.
    #[error("the system gives no random octets, so nothing can be sealed")]
    Random,
}

impl From<sqlx::Error> for VaultError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(StoreError::Database(error))
    }
}
