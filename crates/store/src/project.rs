//! Writes what a record says into the query tables.

use ringfence_model::{Closing, Event, Notice, Record};
use sqlx::SqliteConnection;

use crate::columns::{ClosingColumns, EventColumns, NoticeColumns, refused};
use crate::error::StoreError;

/// Writes the columns of the record of entry `seq`. False where it opens an event whose id is
/// taken; then nothing was written, and the record contradicts the log.
pub(crate) async fn project(
    db: &mut SqliteConnection,
    seq: i64,
    record: &Record,
) -> Result<bool, StoreError> {
    match record {
        Record::Opened(event) => open(db, seq, event).await,
        Record::Closed(closing) => close(db, seq, closing).await.map(|()| true),
        Record::Notice(notice) => note(db, seq, notice).await.map(|()| true),
    }
}

async fn open(db: &mut SqliteConnection, seq: i64, event: &Event) -> Result<bool, StoreError> {
    let columns = EventColumns::of(seq, event)?;
    let done = sqlx::query(
        "INSERT INTO events (seq, id, parent, time, run, sandbox, agent, workspace, kind, host, port,
                             effect, code, rule, generation, action, refusal)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(columns.seq)
    .bind(&columns.id)
    .bind(&columns.parent)
    .bind(columns.time)
    .bind(&columns.run)
    .bind(&columns.sandbox)
    .bind(&columns.agent)
    .bind(&columns.workspace)
    .bind(&columns.kind)
    .bind(&columns.host)
    .bind(columns.port)
    .bind(&columns.effect)
    .bind(&columns.code)
    .bind(&columns.rule)
    .bind(columns.generation)
    .bind(&columns.action)
    .bind(columns.refusal())
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The first closing of an event counts; another one stays in the log and changes nothing.
async fn close(db: &mut SqliteConnection, seq: i64, closing: &Closing) -> Result<(), StoreError> {
    let columns = ClosingColumns::of(seq, closing)?;
    sqlx::query(
        "UPDATE events SET closed_seq = $1, closed_at = $2, outcome = $3, sent = $4, received = $5,
                           duration_us = $6, refusal = COALESCE(refusal, $7)
         WHERE id = $8 AND closed_seq IS NULL",
    )
    .bind(columns.closed_seq)
    .bind(columns.closed_at)
    .bind(&columns.outcome)
    .bind(columns.sent)
    .bind(columns.received)
    .bind(columns.duration_us)
    .bind(refused(&closing.outcome).map(|code| code.as_str()))
    .bind(closing.id.to_string())
    .execute(db)
    .await?;
    Ok(())
}

async fn note(db: &mut SqliteConnection, seq: i64, notice: &Notice) -> Result<(), StoreError> {
    let columns = NoticeColumns::of(seq, notice)?;
    sqlx::query("INSERT INTO notices (seq, time, run, agent, kind) VALUES ($1, $2, $3, $4, $5)")
        .bind(columns.seq)
        .bind(columns.time)
        .bind(&columns.run)
        .bind(&columns.agent)
        .bind(&columns.kind)
        .execute(db)
        .await?;
    Ok(())
}
