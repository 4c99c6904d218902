//! Calls of tools that wait for a person. What is said to one counts once.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;
use ringfence_model::mcp::McpRequest;
use ringfence_model::{
    Action, AgentName, EventId, NoticeKind, Outcome, ReasonCode, SandboxId, WorkspaceName,
};
use ringfence_store::{
    Approvals, CallOf, Digest, Filter, Reply, Said, Store, StoreError, StoredEvent, StoredRecord,
    user,
};
use serde::Serialize;

use super::{ReplyError, record};
use crate::limits::HELD_SHOWN;

/// A call of a tool that a rule wants a person to approve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeldCall {
    /// The event of the newest attempt.
    pub event: EventId,
    /// When it was tried.
    pub time: Timestamp,
    /// Who tried.
    pub agent: AgentName,
    /// The workspace of the agent.
    pub workspace: WorkspaceName,
    /// The sandbox of the agent: an approval counts in no other.
    pub sandbox: SandboxId,
    /// What was tried.
    pub request: McpRequest,
    /// All that the server gets of it, as JSON, secrets taken out.
    pub call: String,
    /// Until when the same call passes, once; none for one that waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_until: Option<Timestamp>,
    #[serde(skip)]
    digest: Digest,
}

/// The newest calls that wait, and those that were approved and were not made since, the newest
/// first; each once, however often it was tried.
///
/// # Errors
/// Where the store or a reply cannot be read.
pub async fn held(
    store: &Store,
    data: &Path,
    since: Timestamp,
    now: Timestamp,
) -> Result<Vec<HeldCall>, StoreError> {
    let approvals = Approvals::new(data);
    let filter = Filter {
        refusal: Some(ReasonCode::ApprovalNeeded),
        since: Some(since),
        ..Filter::default()
    };
    let mut known = BTreeSet::new();
    let mut held = Vec::new();
    for record in store.records(&filter).await?.into_iter().rev() {
        let StoredRecord::Event(event) = record else {
            continue;
        };
        let Some(call) = HeldCall::of(*event) else {
            continue;
        };
        if held.len() == HELD_SHOWN || !known.insert(*call.digest.as_bytes()) {
            continue;
        }
        let reply = approvals.reply(call.digest)?;
        held.extend(call.replied(reply.as_ref(), now));
    }
    Ok(held)
}

/// The call of this event.
///
/// # Errors
/// Where there is none, or it does not wait for a person.
pub async fn find(store: &Store, id: EventId) -> Result<HeldCall, ReplyError> {
    let event = store.event(id).await?.ok_or(ReplyError::Unknown(id))?;
    HeldCall::of(event).ok_or(ReplyError::NotHeld(id))
}

/// Lets the same call pass once, until then. It is recorded first: what cannot be recorded is not
/// allowed.
///
/// # Errors
/// Where it was made since, or cannot be recorded or kept.
pub fn approve(
    data: &Path,
    call: &HeldCall,
    until: Timestamp,
    now: Timestamp,
) -> Result<(), ReplyError> {
    let event = call.event;
    let approvals = Approvals::new(data);
    let before = approvals.reply(call.digest)?;
    let is_used = |it: &Reply| it.event == event && matches!(it.said, Said::Used { .. });
    if before.as_ref().is_some_and(is_used) {
        return Err(ReplyError::Used(event));
    }
    let by = user();
    let kind = NoticeKind::CallApproved { event, until, by };
    record(data, (call.sandbox, &call.agent), kind, now)?;
    Ok(approvals.keep(call.digest, (event, Said::Approved { until }), now)?)
}

/// Lets the same call not pass, whatever was said before. It counts before it is recorded.
///
/// # Errors
/// Where it cannot be kept or recorded.
pub fn reject(data: &Path, call: &HeldCall, now: Timestamp) -> Result<(), ReplyError> {
    let event = call.event;
    Approvals::new(data).keep(call.digest, (event, Said::Rejected), now)?;
    let kind = NoticeKind::CallRejected { event, by: user() };
    record(data, (call.sandbox, &call.agent), kind, now)
}

impl HeldCall {
    /// None where the event is not one of a call that was held.
    fn of(stored: StoredEvent) -> Option<Self> {
        let StoredEvent { event, closing, .. } = stored;
        let closing = closing?;
        if closing.outcome != Outcome::Refused(ReasonCode::ApprovalNeeded) {
            return None;
        }
        let Action::Mcp(request) = event.action else {
            return None;
        };
        let held = closing.mcp?.held?;
        let of = CallOf {
            agent: &event.agent,
            workspace: &event.workspace,
            sandbox: event.sandbox,
            generation: event.decision.generation,
            request: &request,
            parameters: &held.digest,
        };
        Some(Self {
            digest: of.digest(),
            event: event.id,
            time: event.time,
            agent: event.agent,
            workspace: event.workspace,
            sandbox: event.sandbox,
            request: *request,
            call: held.call,
            approved_until: None,
        })
    }

    /// What is left of it after a person's reply: nothing, where the reply settles it.
    fn replied(mut self, reply: Option<&Reply>, now: Timestamp) -> Option<Self> {
        let Some(reply) = reply else {
            return Some(self);
        };
        match reply.said {
            Said::Rejected => return None,
            Said::Approved { until } if now < until => self.approved_until = Some(until),
            // Not tried since: the agent has not come back for it.
            Said::Approved { until } if self.time < until => return None,
            Said::Used { .. } if self.time < reply.at => return None,
            Said::Approved { .. } | Said::Used { .. } => {}
        }
        Some(self)
    }
}

#[cfg(test)]
mod tests;
