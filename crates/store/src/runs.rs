//! One run, looked back on: what it was, what it was allowed and denied, what was found.

use jiff::Timestamp;
use ringfence_model::{AgentName, NoticeKind, Record, RunId};
use serde::Serialize;
use sqlx::{QueryBuilder, Sqlite};

use crate::entry;
use crate::error::StoreError;
use crate::limits::{MOST_ANSWERS, PAGE_RECORDS};
use crate::records::StoredNotice;
use crate::store::Store;
use crate::tally::{Counts, Tally};

/// A run, looked back on. Its JSON is a promise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunSummary {
    /// The run.
    pub run: RunId,
    /// Its agent.
    pub agent: AgentName,
    /// When it started; none where the log does not hold its start.
    pub started: Option<Timestamp>,
    /// When it ended; none while it goes on, or where its writer died.
    pub ended: Option<Timestamp>,
    /// The exit code of its command.
    pub exit_code: Option<i32>,
    /// What it tried.
    pub counts: Counts,
    /// What is not an action, its start and end included, at most [`MOST_ANSWERS`].
    pub notices: Vec<StoredNotice>,
}

impl Store {
    /// Looks back on a run; none where the log knows nothing of it.
    ///
    /// # Errors
    /// Where the database fails or a record cannot be read.
    pub async fn run_summary(&self, run: RunId) -> Result<Option<RunSummary>, StoreError> {
        let mut draft = Draft::default();
        let mut after = 0;
        loop {
            let page = self.run_page(run, after).await?;
            for (seq, record) in &page {
                draft.feed(*seq, &entry::parse(*seq, record)?);
            }
            match page.last() {
                Some((seq, _)) => after = *seq,
                None => return Ok(draft.finish(run)),
            }
        }
    }

    /// The newest runs that started, the newest first; of one agent, and since then, where it says so.
    ///
    /// # Errors
    /// Where the database fails or a record cannot be read.
    pub async fn newest_runs(
        &self,
        agent: Option<&AgentName>,
        since: Option<Timestamp>,
        limit: u32,
    ) -> Result<Vec<RunId>, StoreError> {
        let mut query = QueryBuilder::<Sqlite>::new(
            r#"SELECT seq, run FROM notices WHERE kind LIKE '{"notice":"run-started"%'"#,
        );
        if let Some(agent) = agent {
            query
                .push(" AND agent = ")
                .push_bind(agent.as_str().to_owned());
        }
        if let Some(since) = since {
            query
                .push(" AND time >= ")
                .push_bind(since.as_microsecond());
        }
        query.push(" ORDER BY time DESC, seq DESC LIMIT ");
        query.push_bind(i64::from(limit.min(MOST_ANSWERS)));
        let rows: Vec<(i64, String)> = query.build_query_as().fetch_all(&self.pool).await?;
        let run = |(seq, run): (i64, String)| {
            let corrupt = |_| StoreError::corrupt(seq, "it is of no run");
            run.parse().map_err(corrupt)
        };
        rows.into_iter().map(run).collect()
    }

    /// The next records of a run, as they were written, with their numbers in the log; those after
    /// `after`, in pages of bounded size. An empty page is the end.
    ///
    /// # Errors
    /// Where the database fails or a record cannot be read.
    pub async fn records_of(
        &self,
        run: RunId,
        after: u64,
    ) -> Result<Vec<(u64, Record)>, StoreError> {
        let page = self.run_page(run, entry::saturating(after)).await?;
        let read = |(seq, text): &(i64, String)| {
            let record = entry::parse(*seq, text)?;
            Ok((seq.cast_unsigned(), record))
        };
        page.iter().map(read).collect()
    }

    async fn run_page(&self, run: RunId, after: i64) -> Result<Vec<(i64, String)>, StoreError> {
        let page = sqlx::query_as(
            "SELECT seq, record FROM entries WHERE run = $1 AND seq > $2 ORDER BY seq LIMIT $3",
        )
        .bind(run.to_string())
        .bind(after)
        .bind(PAGE_RECORDS)
        .fetch_all(&self.pool)
        .await?;
        Ok(page)
    }
}

#[derive(Default)]
struct Draft {
    tally: Tally,
    agent: Option<AgentName>,
    notices: Vec<StoredNotice>,
}

impl Draft {
    fn feed(&mut self, seq: i64, record: &Record) {
        self.tally.feed(record);
        match record {
            Record::Opened(event) => {
                self.agent.get_or_insert_with(|| event.agent.clone());
            }
            Record::Notice(notice) => {
                self.agent.get_or_insert_with(|| notice.agent.clone());
                if self.notices.len() < MOST_ANSWERS as usize {
                    self.notices.push(StoredNotice {
                        seq: u64::try_from(seq).unwrap_or(0),
                        notice: notice.clone(),
                    });
                }
            }
            Record::Closed(_) => {}
        }
    }

    fn finish(self, run: RunId) -> Option<RunSummary> {
        let ended = self.notices.iter().rev().find_map(|stored| {
            let NoticeKind::RunEnded { exit_code } = stored.notice.kind else {
                return None;
            };
            Some((stored.notice.time, exit_code))
        });
        let started = self.notices.iter().find_map(|stored| {
            let start = matches!(stored.notice.kind, NoticeKind::RunStarted { .. });
            start.then_some(stored.notice.time)
        });
        Some(RunSummary {
            run,
            agent: self.agent?,
            started,
            ended: ended.map(|(time, _)| time),
            exit_code: ended.map(|(_, code)| code),
            counts: self.tally.counts(),
            notices: self.notices,
        })
    }
}

#[cfg(test)]
mod tests;
