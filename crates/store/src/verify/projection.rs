//! Compares the query tables with the records that they are drawn from, a page of entries at a
//! time. Each row is reached from the entry that it came from; rows that none leads to show in
//! the totals.

use std::collections::HashMap;

use ringfence_model::{Closing, Event, Notice, Record};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row, SqliteConnection};

use super::walk::{Fault, decode, undecoded};
use crate::columns::{ClosingColumns, EventColumns, NoticeColumns, refused};

/// How many rows of the query tables entries account for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, FromRow)]
pub(super) struct Found {
    events: i64,
    closings: i64,
    notices: i64,
}

impl Found {
    pub(super) const fn add(&mut self, more: Self) {
        self.events += more.events;
        self.closings += more.closings;
        self.notices += more.notices;
    }

    /// How many rows there are. A row without closing has nothing in any column of it.
    pub(super) async fn stored(db: &mut SqliteConnection) -> Result<Self, sqlx::Error> {
        sqlx::query_as(
            "SELECT COUNT(*) AS events,
                    COUNT(COALESCE(closed_seq, closed_at, outcome, sent, received, duration_us)) AS closings,
                    (SELECT COUNT(*) FROM notices) AS notices
             FROM events",
        )
        .fetch_one(db)
        .await
    }
}

/// The rows that entries of one page should have led to.
pub(super) struct Page {
    opened: HashMap<i64, SqliteRow>,
    closed: HashMap<i64, SqliteRow>,
    notices: HashMap<i64, SqliteRow>,
    found: Found,
}

impl Page {
    /// Loads what the tables hold for the entries after `after` up to `last`.
    pub(super) async fn load(
        db: &mut SqliteConnection,
        after: i64,
        last: i64,
    ) -> Result<Self, Fault> {
        let opened = "SELECT * FROM events WHERE seq > $1 AND seq <= $2";
        let closed = "SELECT * FROM events WHERE closed_seq > $1 AND closed_seq <= $2";
        let notices = "SELECT * FROM notices WHERE seq > $1 AND seq <= $2";
        Ok(Self {
            opened: rows(db, opened, "seq", after, last).await?,
            closed: rows(db, closed, "closed_seq", after, last).await?,
            notices: rows(db, notices, "seq", after, last).await?,
            found: Found::default(),
        })
    }

    /// How many rows the checked entries account for.
    pub(super) const fn found(&self) -> Found {
        self.found
    }

    /// Checks the rows that come from the record of entry `seq`.
    pub(super) async fn check(
        &mut self,
        db: &mut SqliteConnection,
        seq: i64,
        record: &Record,
    ) -> Result<(), Fault> {
        match record {
            Record::Opened(event) => self.check_opened(seq, event),
            Record::Notice(notice) => self.check_notice(seq, notice),
            Record::Closed(closing) => self.check_closed(db, seq, closing).await,
        }
    }

    fn check_opened(&mut self, seq: i64, event: &Event) -> Result<(), Fault> {
        let Some(row) = self.opened.get(&seq) else {
            return Err(Fault::at(seq, "the event is missing from the query tables"));
        };
        let stored: EventColumns = decode(row, seq)?;
        let expected = EventColumns::of(seq, event)?;
        let closed: (Option<i64>, Option<String>) = closed_seq_and_refusal(row, seq)?;
        // What a closing adds is checked with the closing.
        let refusal_is_well = closed.0.is_some() || closed.1.as_deref() == expected.refusal();
        if stored != expected || !refusal_is_well {
            return Err(Fault::at(seq, "the columns of the event were changed"));
        }
        self.found.events += 1;
        Ok(())
    }

    fn check_notice(&mut self, seq: i64, notice: &Notice) -> Result<(), Fault> {
        let Some(row) = self.notices.get(&seq) else {
            return Err(Fault::at(
                seq,
                "the notice is missing from the query tables",
            ));
        };
        if decode::<NoticeColumns>(row, seq)? != NoticeColumns::of(seq, notice)? {
            return Err(Fault::at(seq, "the columns of the notice were changed"));
        }
        self.found.notices += 1;
        Ok(())
    }

    async fn check_closed(
        &mut self,
        db: &mut SqliteConnection,
        seq: i64,
        closing: &Closing,
    ) -> Result<(), Fault> {
        let Some(row) = self.closed.get(&seq) else {
            return check_unused(db, seq, closing).await;
        };
        let event: EventColumns = decode(row, seq)?;
        let stored: ClosingColumns = decode(row, seq)?;
        let (_, refusal) = closed_seq_and_refusal(row, seq)?;
        let after = refused(&closing.outcome).map(|code| code.as_str());
        let same = event.id == closing.id.to_string()
            && event.seq < seq
            && stored == ClosingColumns::of(seq, closing)?
            && refusal.as_deref() == event.refusal().or(after);
        if !same {
            return Err(Fault::at(seq, "the columns of the closing were changed"));
        }
        self.found.closings += 1;
        Ok(())
    }
}

/// A closing that changed nothing: its event is not there, or an earlier one closed it.
async fn check_unused(db: &mut SqliteConnection, seq: i64, closing: &Closing) -> Result<(), Fault> {
    let row = sqlx::query("SELECT seq, closed_seq, refusal FROM events WHERE id = $1 AND seq < $2")
        .bind(closing.id.to_string())
        .bind(seq)
        .fetch_optional(db)
        .await?;
    let Some(row) = row else {
        return Ok(());
    };
    match closed_seq_and_refusal(&row, seq)? {
        (Some(earlier), _) if earlier < seq => Ok(()),
        _ => Err(Fault::at(seq, "the columns of the closing were changed")),
    }
}

async fn rows(
    db: &mut SqliteConnection,
    query: &'static str,
    column: &str,
    after: i64,
    last: i64,
) -> Result<HashMap<i64, SqliteRow>, Fault> {
    let rows = sqlx::query(query)
        .bind(after)
        .bind(last)
        .fetch_all(db)
        .await?;
    let keyed = rows.into_iter().map(|row| {
        let seq = row.try_get(column);
        Ok((seq.map_err(|error| undecoded(error, after + 1))?, row))
    });
    keyed.collect()
}

fn closed_seq_and_refusal(
    row: &SqliteRow,
    seq: i64,
) -> Result<(Option<i64>, Option<String>), Fault> {
    #[derive(FromRow)]
    struct Columns {
        closed_seq: Option<i64>,
        refusal: Option<String>,
    }
    let columns: Columns = decode(row, seq)?;
    Ok((columns.closed_seq, columns.refusal))
}
