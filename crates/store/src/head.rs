//! The signed head of the log. There is one, it names the last entry, and it is replaced in the
//! same transaction that adds entries; so a log without its tail does not match any head.

use jiff::Timestamp;
use sqlx::{FromRow, SqliteConnection};

use crate::digest::Digest;
use crate::entry::Tip;
use crate::error::StoreError;
use crate::key::AuditKey;

/// A row of `head`.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub(crate) struct Head {
    pub(crate) seq: i64,
    hash: String,
    time: i64,
    mac: String,
}

impl Head {
    /// The head as it is stored.
    pub(crate) async fn stored(db: &mut SqliteConnection) -> Result<Option<Self>, sqlx::Error> {
        sqlx::query_as("SELECT seq, hash, time, mac FROM head WHERE id = 1")
            .fetch_optional(db)
            .await
    }

    /// What is wrong with the head over a log that ends in `tip`; none where all is well.
    pub(crate) fn fault(&self, key: &AuditKey, tip: &Tip) -> Option<&'static str> {
        let signed = self
            .mac
            .parse()
            .is_ok_and(|mac| key.verifies(&message(self.seq, &self.hash, self.time), &mac));
        if !signed {
            Some("the signature of its head is not valid")
        } else if self.seq > tip.seq {
            Some("entries are missing at its end")
        } else if self.seq < tip.seq {
            Some("entries were added behind its signed head")
        } else if self.hash != tip.hash.to_string() {
            Some("its last entry is not the one that was signed")
        } else {
            None
        }
    }
}

/// Signs `tip` as the end of the log.
pub(crate) async fn sign(
    db: &mut SqliteConnection,
    key: &AuditKey,
    tip: &Tip,
) -> Result<(), StoreError> {
    let hash = tip.hash.to_string();
    let time = Timestamp::now().as_microsecond();
    let mac = key
        .sign(&message(tip.seq, &hash, time))
        .ok_or(StoreError::Tampered("its key cannot sign"))?;
    sqlx::query(
        "INSERT INTO head (id, seq, hash, time, mac) VALUES (1, $1, $2, $3, $4)
         ON CONFLICT (id) DO UPDATE SET
             seq = excluded.seq, hash = excluded.hash, time = excluded.time, mac = excluded.mac",
    )
    .bind(tip.seq)
    .bind(hash)
    .bind(time)
    .bind(mac.to_string())
    .execute(db)
    .await?;
    Ok(())
}

/// The end of the log, if it is the one that was signed: only such a log is continued, or a new
/// head would hide what was done to it.
pub(crate) async fn trusted_tip(
    db: &mut SqliteConnection,
    key: &AuditKey,
) -> Result<Tip, StoreError> {
    let tip = Tip::stored(db).await?.ok_or(StoreError::Tampered(
        "the hash of its last entry is not one",
    ))?;
    let head = Head::stored(db)
        .await?
        .ok_or(StoreError::Tampered("its signed head is missing"))?;
    head.fault(key, &tip)
        .map_or(Ok(tip), |why| Err(StoreError::Tampered(why)))
}

fn message(seq: i64, hash: &str, time: i64) -> Vec<u8> {
    Digest::of_framed(&[
        b"ringfence-head-v1",
        &seq.to_be_bytes(),
        hash.as_bytes(),
        &time.to_be_bytes(),
    ])
    .as_bytes()
    .to_vec()
}
