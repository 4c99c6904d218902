//! Tokens: made here, shown once to the sandbox that they are for, and known everywhere else by
//! their digest only.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use ringfence_gateway::{TOKEN_PREFIX, TokenEntry, Tokens};
use ringfence_model::{AgentName, CredentialName, RunId, SandboxId, Secret, TokenId};
use ringfence_store::{TokenRecord, Vault, VaultError};
use zeroize::Zeroizing;

use crate::limits::TOKEN_LIFE;

/// Random octets of a token.
const OCTETS: usize = 32;

/// A new token, and what is kept of it.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The token itself; it is nowhere else.
    pub secret: Secret,
    /// What the vault keeps.
    pub record: TokenRecord,
}

/// The system gives no random octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random octets, so no token can be issued")]
pub struct RandomError;

/// Whom tokens are for.
#[derive(Debug, Clone)]
pub struct Holder {
    /// The only sandbox that may present them.
    pub sandbox: SandboxId,
    /// Its run.
    pub run: RunId,
    /// Its agent.
    pub agent: AgentName,
}

/// Issues a token that stands for the credentials of `scope`. It counts once it is kept in the
/// vault.
///
/// # Errors
/// Where the system gives no random octets.
pub fn issue(
    holder: &Holder,
    scope: Vec<CredentialName>,
    now: Timestamp,
) -> Result<Issued, RandomError> {
    let mut octets = Zeroizing::new([0; OCTETS]);
    aws_lc_rs::rand::fill(octets.as_mut_slice()).map_err(|_| RandomError)?;
    let encoded = Zeroizing::new(URL_SAFE_NO_PAD.encode(octets.as_slice()));
    let text = Zeroizing::new([TOKEN_PREFIX.as_bytes(), encoded.as_bytes()].concat());
    let life = SignedDuration::try_from(TOKEN_LIFE).unwrap_or_default();
    let record = TokenRecord {
        id: TokenId::new(),
        digest: digest_of(&text),
        sandbox: holder.sandbox,
        run: holder.run,
        agent: holder.agent.clone(),
        scope,
        issued: now,
        expires: now.saturating_add(life).unwrap_or(now),
        revoked: None,
    };
    Ok(Issued {
        secret: Secret::new(text.as_slice()),
        record,
    })
}

/// Whose token this is; none where it was never issued on this machine. It says nothing about
/// whether it may be presented.
///
/// # Errors
/// Where the vault fails.
pub async fn owner(vault: &Vault, presented: &[u8]) -> Result<Option<TokenRecord>, VaultError> {
    vault.token_owner(digest_of(presented)).await
}

/// Takes the valid tokens of a sandbox over from the vault.
pub(crate) async fn refresh(
    vault: &Vault,
    sandbox: SandboxId,
    held: &Arc<Tokens>,
) -> Result<(), VaultError> {
    let records = vault.tokens(Some(sandbox)).await?;
    let now = Timestamp::now();
    let valid = records.iter().filter(|record| record.is_valid(now));
    let entries: Vec<_> = valid.map(entry).collect();
    // What is under way by a token is looked at again with each replacement.
    if held.entries() != entries {
        held.replace(entries);
    }
    Ok(())
}

/// A token as the gateway knows it.
fn entry(record: &TokenRecord) -> TokenEntry {
    TokenEntry {
        id: record.id,
        digest: record.digest,
        scope: record.scope.clone(),
        expires: Some(record.expires),
    }
}

fn digest_of(token: &[u8]) -> [u8; 32] {
    let mut octets = [0; 32];
    for (to, from) in octets.iter_mut().zip(digest(&SHA256, token).as_ref()) {
        *to = *from;
    }
    octets
}

#[cfg(test)]
mod tests;
