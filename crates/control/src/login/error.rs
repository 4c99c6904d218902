//! Why a login did not come about. Whatever is repeated of a foreign text is cut and printable, and
//! every refusal ends with what to do next.

use std::io;

use ringfence_gateway::OutboundError;
use ringfence_store::VaultError;

use super::limits::SHOWN_CHARACTERS;
use crate::credentials::CredentialsError;
use crate::mint::MintError;

/// Why a login did not come about. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// What the person gave cannot be used.
    #[error("{0}")]
    Given(String),
    /// The server, its authorization server or the person there says no, or says what no login may
    /// rely on.
    #[error("{0}")]
    Refused(String),
    /// Somebody does not answer.
    #[error("{what} cannot be reached: {source}")]
    Unreachable {
        /// Who.
        what: String,
        /// Why not.
        #[source]
        source: OutboundError,
    },
    /// No answer of the person came.
    #[error("nobody logged in within {0} minutes; start again: ringfence mcp login")]
    TimedOut(u64),
    /// The authorization server gave no token.
    #[error("no token was given out: {0}")]
    Mint(#[from] MintError),
    /// Nobody can listen for the browser.
    #[error("nothing can listen for the browser on 127.0.0.1: {0}; use --no-listen")]
    Listen(#[source] io::Error),
    /// The credential cannot be kept.
    #[error(transparent)]
    Kept(#[from] CredentialsError),
    /// The store of credentials refuses.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// There are no random numbers.
    #[error("the machine gives no random numbers")]
    Random,
}

pub(super) fn refused(why: impl Into<String>) -> LoginError {
    LoginError::Refused(why.into())
}

/// A foreign text in an error: visible ASCII, cut short.
pub(super) fn shown(text: &str) -> String {
    let visible = text.chars().filter(|it| matches!(it, ' '..='~'));
    visible.take(SHOWN_CHARACTERS).collect()
}
