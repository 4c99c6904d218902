//! What a question about records is narrowed to.

use jiff::Timestamp;
use ringfence_model::{ActionKind, AgentName, Effect, Host, ReasonCode, RunId};
use sqlx::{QueryBuilder, Sqlite};

use crate::columns;
use crate::entry::saturating;
use crate::limits::{DEFAULT_ANSWERS, MOST_ANSWERS};

/// Narrows a question; what is absent does not narrow it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Records of this agent.
    pub agent: Option<AgentName>,
    /// `Deny`: what did not go ahead, by the decision or after it. `Allow`: the rest. Either
    /// way, events only.
    pub decision: Option<Effect>,
    /// Records from this time on.
    pub since: Option<Timestamp>,
    /// Records before this time.
    pub until: Option<Timestamp>,
    /// Events that lead to this name or address; no notice does.
    pub host: Option<Host>,
    /// Events that were refused for this reason, by the decision or after it.
    pub refusal: Option<ReasonCode>,
    /// Events of actions of this kind; no notice is one.
    pub kind: Option<ActionKind>,
    /// Records of this run.
    pub run: Option<RunId>,
    /// Most answers; [`DEFAULT_ANSWERS`] where absent, never more than [`MOST_ANSWERS`].
    pub limit: Option<u32>,
    /// Records that the log took in after this number.
    pub after_seq: Option<u64>,
}

impl Filter {
    /// Appends the conditions to a query over `events e`, which has a `WHERE` already.
    pub(crate) fn narrow(&self, query: &mut QueryBuilder<Sqlite>) {
        self.narrow_records(query);
        match self.decision {
            Some(Effect::Deny) => query.push(" AND e.refusal IS NOT NULL"),
            Some(Effect::Allow) => query.push(" AND e.refusal IS NULL"),
            None => query,
        };
        if let Some(code) = self.refusal {
            query.push(" AND e.refusal = ").push_bind(code.as_str());
        }
        if let Some(kind) = self.kind {
            query.push(" AND e.kind = ").push_bind(columns::kind(kind));
        }
        if let Some(host) = &self.host {
            query.push(" AND e.host = ").push_bind(host.to_string());
        }
    }

    /// Appends those that are about any record to a query over `events e` or `notices e`.
    pub(crate) fn narrow_records(&self, query: &mut QueryBuilder<Sqlite>) {
        if let Some(agent) = &self.agent {
            query
                .push(" AND e.agent = ")
                .push_bind(agent.as_str().to_owned());
        }
        if let Some(since) = self.since {
            query
                .push(" AND e.time >= ")
                .push_bind(since.as_microsecond());
        }
        if let Some(until) = self.until {
            query
                .push(" AND e.time < ")
                .push_bind(until.as_microsecond());
        }
        if let Some(run) = self.run {
            query.push(" AND e.run = ").push_bind(run.to_string());
        }
        if let Some(after) = self.after_seq {
            query.push(" AND e.seq > ").push_bind(saturating(after));
        }
    }

    /// Whether notices can be among the answers: they have no decision, reason, destination
    /// or action.
    pub(crate) const fn admits_notices(&self) -> bool {
        self.decision.is_none()
            && self.refusal.is_none()
            && self.host.is_none()
            && self.kind.is_none()
    }

    /// The most answers that the question gets.
    pub(crate) fn answers(&self) -> u32 {
        self.limit.unwrap_or(DEFAULT_ANSWERS).min(MOST_ANSWERS)
    }
}
