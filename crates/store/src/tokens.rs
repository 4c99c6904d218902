//! Tokens at rest: whose they are and what they stand for, by their digest. A token itself is
//! never stored.

use jiff::Timestamp;
use ringfence_model::{AgentName, CredentialName, RunId, SandboxId, TokenId};
use sqlx::FromRow;

use crate::digest::Digest;
use crate::limits::{ENDED_TOKENS_KEPT, MOST_ANSWERS};
use crate::vault::{Vault, VaultError};

/// A token that was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRecord {
    /// Its id in events.
    pub id: TokenId,
    /// SHA-256 of the whole token.
    pub digest: [u8; 32],
    /// The sandbox that may present it, and no other.
    pub sandbox: SandboxId,
    /// The run of the sandbox.
    pub run: RunId,
    /// The agent of the run.
    pub agent: AgentName,
    /// The credentials that it stands for.
    pub scope: Vec<CredentialName>,
    /// When it was issued.
    pub issued: Timestamp,
    /// When it ends by itself.
    pub expires: Timestamp,
    /// When it was revoked or its run ended.
    pub revoked: Option<Timestamp>,
}

impl TokenRecord {
    /// Whether it may be presented at that time.
    #[must_use]
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && now < self.expires
    }
}

impl Vault {
    /// Keeps tokens that were issued. Those that ended long ago are forgotten.
    ///
    /// # Errors
    /// Where the database fails; then none is kept.
    pub async fn keep_tokens(&self, tokens: &[TokenRecord]) -> Result<(), VaultError> {
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let old = Timestamp::now()
            .checked_sub(ENDED_TOKENS_KEPT)
            .map_or(0, Timestamp::as_microsecond);
        sqlx::query("DELETE FROM tokens WHERE expires < $1")
            .bind(old)
            .execute(&mut *tx)
            .await?;
        for token in tokens {
            sqlx::query(
                "INSERT INTO tokens (id, digest, sandbox, run, agent, scope, issued, expires)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            )
            .bind(token.id.to_string())
            .bind(Digest::from_bytes(token.digest).to_string())
            .bind(token.sandbox.to_string())
            .bind(token.run.to_string())
            .bind(token.agent.as_str())
            .bind(scope_text(&token.scope))
            .bind(token.issued.as_microsecond())
            .bind(token.expires.as_microsecond())
            .execute(&mut *tx)
            .await?;
        }
        self.commit(tx).await
    }

    /// The tokens of one sandbox, or of all, the newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn tokens(&self, sandbox: Option<SandboxId>) -> Result<Vec<TokenRecord>, VaultError> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT * FROM tokens WHERE $1 IS NULL OR sandbox = $1 ORDER BY id DESC LIMIT $2",
        )
        .bind(sandbox.map(|sandbox| sandbox.to_string()))
        .bind(MOST_ANSWERS)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().filter_map(Row::record).collect())
    }

    /// Whose token has this digest; none where it was never issued here.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn token_owner(&self, digest: [u8; 32]) -> Result<Option<TokenRecord>, VaultError> {
        let row: Option<Row> = sqlx::query_as("SELECT * FROM tokens WHERE digest = $1")
            .bind(Digest::from_bytes(digest).to_string())
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.and_then(Row::record))
    }

    /// Revokes one token. False where there is none of that id, or it was revoked before.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn revoke_token(&self, id: TokenId) -> Result<bool, VaultError> {
        self.end(
            "UPDATE tokens SET revoked = $1 WHERE id = $2 AND revoked IS NULL",
            id.to_string(),
        )
        .await
        .map(|count| count > 0)
    }

    /// Revokes all tokens of a sandbox, as at the end of its run. How many there were.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn end_tokens(&self, sandbox: SandboxId) -> Result<u64, VaultError> {
        self.end(
            "UPDATE tokens SET revoked = $1 WHERE sandbox = $2 AND revoked IS NULL",
            sandbox.to_string(),
        )
        .await
    }

    async fn end(&self, statement: &'static str, whose: String) -> Result<u64, VaultError> {
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let done = sqlx::query(statement)
            .bind(Timestamp::now().as_microsecond())
            .bind(whose)
            .execute(&mut *tx)
            .await?;
        self.commit(tx).await?;
        Ok(done.rows_affected())
    }
}

#[derive(FromRow)]
struct Row {
    id: String,
    digest: String,
    sandbox: String,
    run: String,
    agent: String,
    scope: String,
    issued: i64,
    expires: i64,
    revoked: Option<i64>,
}

impl Row {
    fn record(self) -> Option<TokenRecord> {
        let names = self.scope.split(' ').filter(|name| !name.is_empty());
        Some(TokenRecord {
            id: self.id.parse().ok()?,
            digest: *self.digest.parse::<Digest>().ok()?.as_bytes(),
            sandbox: self.sandbox.parse().ok()?,
            run: self.run.parse().ok()?,
            agent: self.agent.parse().ok()?,
            scope: names.map(str::parse).collect::<Result<_, _>>().ok()?,
            issued: Timestamp::from_microsecond(self.issued).ok()?,
            expires: Timestamp::from_microsecond(self.expires).ok()?,
            revoked: self
                .revoked
                .and_then(|at| Timestamp::from_microsecond(at).ok()),
        })
    }
}

/// Names of credentials have no spaces.
fn scope_text(scope: &[CredentialName]) -> String {
    scope
        .iter()
        .map(CredentialName::as_str)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests;
