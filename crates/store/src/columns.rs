//! The columns of the query tables, as they follow from the records. Taking in writes them from
//! here, and `verify` compares with what is computed here, so the two cannot drift apart.

use ringfence_model::{ActionKind, Closing, Decision, Effect, Event, Notice, Outcome, ReasonCode};
use sqlx::FromRow;

use crate::entry::saturating;
use crate::error::StoreError;

/// What the opening record says; a row of `events` without the closing.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub(crate) struct EventColumns {
    pub(crate) seq: i64,
    pub(crate) id: String,
    pub(crate) parent: Option<String>,
    pub(crate) time: i64,
    pub(crate) run: String,
    pub(crate) sandbox: String,
    pub(crate) agent: String,
    pub(crate) workspace: String,
    pub(crate) kind: String,
    pub(crate) host: String,
    pub(crate) port: i64,
    pub(crate) effect: String,
    pub(crate) code: String,
    pub(crate) rule: Option<String>,
    pub(crate) generation: i64,
    pub(crate) action: String,
}

impl EventColumns {
    pub(crate) fn of(seq: i64, event: &Event) -> Result<Self, StoreError> {
        let destination = event.action.destination();
        let decision = &event.decision;
        Ok(Self {
            seq,
            id: event.id.to_string(),
            parent: event.parent.map(|parent| parent.to_string()),
            time: event.time.as_microsecond(),
            run: event.run.to_string(),
            sandbox: event.sandbox.to_string(),
            agent: event.agent.to_string(),
            workspace: event.workspace.to_string(),
            kind: kind(event.action.kind()).to_owned(),
            host: destination.host.to_string(),
            port: i64::from(destination.port),
            effect: decision.effect.to_string(),
            code: decision.code.to_string(),
            rule: decision.rule.as_ref().map(|rule| rule.0.clone()),
            generation: saturating(decision.generation.0),
            action: json(seq, &event.action)?,
        })
    }

    /// The code of the denial, where the decision was one.
    pub(crate) fn refusal(&self) -> Option<&str> {
        (self.effect == effect(Effect::Deny)).then_some(&self.code)
    }
}

/// What the closing record adds to a row of `events`.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub(crate) struct ClosingColumns {
    pub(crate) closed_seq: i64,
    pub(crate) closed_at: i64,
    pub(crate) outcome: String,
    pub(crate) sent: i64,
    pub(crate) received: i64,
    pub(crate) duration_us: i64,
}

impl ClosingColumns {
    pub(crate) fn of(seq: i64, closing: &Closing) -> Result<Self, StoreError> {
        Ok(Self {
            closed_seq: seq,
            closed_at: closing.time.as_microsecond(),
            outcome: json(seq, &closing.outcome)?,
            sent: saturating(closing.sent),
            received: saturating(closing.received),
            duration_us: saturating(closing.duration_us),
        })
    }
}

/// A row of `notices`.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub(crate) struct NoticeColumns {
    pub(crate) seq: i64,
    pub(crate) time: i64,
    pub(crate) run: String,
    pub(crate) agent: String,
    pub(crate) kind: String,
}

impl NoticeColumns {
    pub(crate) fn of(seq: i64, notice: &Notice) -> Result<Self, StoreError> {
        Ok(Self {
            seq,
            time: notice.time.as_microsecond(),
            run: notice.run.to_string(),
            agent: notice.agent.to_string(),
            kind: json(seq, &notice.kind)?,
        })
    }
}

/// The code of a refusal after the decision.
pub(crate) const fn refused(outcome: &Outcome) -> Option<ReasonCode> {
    match outcome {
        Outcome::Refused(code) => Some(*code),
        _ => None,
    }
}

/// Why an action did not go ahead, be it by the decision or after it.
pub(crate) fn refusal(decision: &Decision, closing: Option<&Closing>) -> Option<ReasonCode> {
    if decision.is_allow() {
        closing.and_then(|closing| refused(&closing.outcome))
    } else {
        Some(decision.code)
    }
}

/// What to do about it, in the words of whoever refused it.
pub(crate) fn next_step(decision: &Decision, closing: Option<&Closing>) -> Option<String> {
    let later = closing.and_then(|closing| closing.next_step.as_ref());
    later.or(decision.next_step.as_ref()).cloned()
}

pub(crate) const fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Allow => "allow",
        Effect::Deny => "deny",
    }
}

pub(crate) const fn kind(kind: ActionKind) -> &'static str {
    match kind {
        ActionKind::Connect => "connect",
        ActionKind::Http => "http",
        ActionKind::Git => "git",
        ActionKind::Llm => "llm",
        ActionKind::Mcp => "mcp",
    }
}

fn json(seq: i64, value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::corrupt(seq, error))
}
