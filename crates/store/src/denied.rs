//! Denials: what did not go ahead, grouped by destination (with git: by repository), agent and
//! reason, for a person to review.

use jiff::Timestamp;
use ringfence_model::{Action, AgentName, Closing, Decision, Destination, Effect, ReasonCode};
use serde::Serialize;
use sqlx::{FromRow, QueryBuilder, Sqlite};

use crate::columns::{next_step, refusal};
use crate::error::StoreError;
use crate::events::{parse_closed, parse_opened};
use crate::filter::Filter;
use crate::store::Store;

/// Events that were refused alike. Its JSON is a promise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Denial {
    /// Where they lead.
    pub destination: Destination,
    /// Who tried.
    pub agent: AgentName,
    /// The stable reason.
    pub code: ReasonCode,
    /// The reason of the latest in words.
    pub reason: String,
    /// How many there are.
    pub count: u64,
    /// The time of the earliest.
    pub first_seen: Timestamp,
    /// The time of the latest.
    pub last_seen: Timestamp,
    /// The latest action.
    pub sample: Action,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_step: Option<String>,
}

impl Store {
    /// The denials that the filter lets through, the latest first. Its `decision` has no meaning
    /// here. Reads refused events only, in the order of their index, so what was allowed costs
    /// nothing.
    ///
    /// # Errors
    /// Where the database fails or a record cannot be read.
    pub async fn denied(&self, filter: &Filter) -> Result<Vec<Denial>, StoreError> {
        let mut query = listing("", filter);
        let rows: Vec<Row> = query.build_query_as().fetch_all(&self.pool).await?;
        rows.into_iter().map(Row::into_denial).collect()
    }
}

#[derive(FromRow)]
struct Row {
    seq: i64,
    count: i64,
    first_seen: i64,
    last_seen: i64,
    opened: String,
    closed_seq: Option<i64>,
    closed: Option<String>,
}

impl Row {
    fn into_denial(self) -> Result<Denial, StoreError> {
        let event = parse_opened(self.seq, &self.opened)?;
        let closing = parse_closed(self.closed_seq, self.closed.as_deref())?;
        let corrupt = |why: &str| StoreError::corrupt(self.seq, why);
        let time = |micros| {
            Timestamp::from_microsecond(micros).map_err(|_| corrupt("its time is out of range"))
        };
        let code = refusal(&event.decision, closing.as_ref())
            .ok_or_else(|| corrupt("it was not refused"))?;
        let next_step = next_step(&event.decision, closing.as_ref());
        Ok(Denial {
            destination: event.action.destination().clone(),
            agent: event.agent,
            code,
            reason: reason(&event.decision, closing, code),
            count: u64::try_from(self.count).unwrap_or(0),
            first_seen: time(self.first_seen)?,
            last_seen: time(self.last_seen)?,
            sample: event.action,
            next_step,
        })
    }
}

/// The words of the decision, or of the refusal that came after an allow.
fn reason(decision: &Decision, closing: Option<Closing>, code: ReasonCode) -> String {
    if decision.is_allow() {
        closing
            .and_then(|closing| closing.detail)
            .unwrap_or_else(|| code.to_string())
    } else {
        decision.reason.clone()
    }
}

fn listing(prefix: &'static str, filter: &Filter) -> QueryBuilder<Sqlite> {
    let refused = Filter {
        decision: Some(Effect::Deny),
        ..filter.clone()
    };
    let mut query = QueryBuilder::new(prefix);
    query.push(
        "SELECT d.seq, d.count, d.first_seen, d.last_seen,
                o.record AS opened, s.closed_seq, c.record AS closed
         FROM (SELECT MAX(e.seq) AS seq, COUNT(*) AS count,
                      MIN(e.time) AS first_seen, MAX(e.time) AS last_seen
               FROM events e WHERE 1 = 1",
    );
    refused.narrow(&mut query);
    query.push(
        " GROUP BY e.agent, e.host, e.port, e.refusal, e.repository ORDER BY MAX(e.time) DESC, MAX(e.seq) DESC LIMIT ",
    );
    query.push_bind(i64::from(filter.answers()));
    query.push(
        ") d JOIN events s ON s.seq = d.seq
             JOIN entries o ON o.seq = d.seq
             LEFT JOIN entries c ON c.seq = s.closed_seq
         ORDER BY d.last_seen DESC, d.seq DESC",
    );
    query
}

#[cfg(test)]
mod tests;
