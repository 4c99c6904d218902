//! Pushes and calls of tools that wait for a person: which there are, and what the person says to
//! them. The person is whoever can write into the data directory, which no sandbox is shown.

pub mod call;

use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;
use ringfence_gateway::{Approval, HeldCall as Call, Identity, Taken};
use ringfence_model::git::{GitFacts, GitRequest};
use ringfence_model::mcp::McpApproved;
use ringfence_model::{
    Action, AgentName, Effect, EventId, Notice, NoticeKind, Outcome, ReasonCode, Record, RunId,
    SandboxId, WorkspaceName,
};
use ringfence_store::{
    Approvals, CallOf, Digest, Filter, Reply, Said, Spool, SpoolError, Store, StoreError,
    StoredEvent, StoredRecord, push_digest,
};
use serde::Serialize;

use crate::limits::{HELD_SHOWN, LATER_EVENTS};

/// The gateway's port to the replies on this machine.
#[derive(Debug, Clone)]
pub struct LocalApprovals(Approvals);

/// A push that a rule wants a person to approve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeldPush {
    /// The event of the newest attempt.
    pub event: EventId,
    /// When it was tried.
    pub time: Timestamp,
    /// Who tried.
    pub agent: AgentName,
    /// The workspace of the agent.
    pub workspace: WorkspaceName,
    /// What was tried.
    pub push: GitRequest,
    /// What it turned out to be.
    pub facts: GitFacts,
    /// Until when the same push passes; none for one that waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_until: Option<Timestamp>,
    #[serde(skip)]
    sandbox: SandboxId,
    #[serde(skip)]
    digest: Digest,
}

/// Why a reply is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ReplyError {
    /// There is no such event.
    #[error("there is no event {0}")]
    Unknown(EventId),
    /// The event is not one of what waits.
    #[error("event {0} is of nothing that waits for a person")]
    NotHeld(EventId),
    /// The call was made since.
    #[error(
        "the call of event {0} was approved and made since: one more like it has an event of its own"
    )]
    Used(EventId),
    /// The reply cannot be kept, or the event not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The reply cannot be recorded, so it does not count.
    #[error(transparent)]
    Record(#[from] SpoolError),
}

impl LocalApprovals {
    /// The replies below the data directory `data`.
    #[must_use]
    pub fn new(data: &Path) -> Self {
        Self(Approvals::new(data))
    }

    fn at(&self, identity: &Identity, action: &Action, now: Timestamp) -> Approval {
        let Action::Git(request) = action else {
            return Approval::Waiting;
        };
        let digest = push_digest(&identity.agent, &identity.workspace, request);
        let reply = digest.map(|digest| self.0.reply(digest));
        match reply {
            Some(Ok(Some(reply))) if reply.approves(now) => Approval::Approved,
            Some(Ok(Some(reply))) if reply.said == Said::Rejected => Approval::Rejected,
            // What cannot be read approves nothing.
            _ => Approval::Waiting,
        }
    }

    fn take_at(&self, call: Call<'_>, now: Timestamp) -> Taken {
        let of = CallOf {
            agent: &call.identity.agent,
            workspace: &call.identity.workspace,
            sandbox: call.identity.sandbox,
            generation: call.generation,
            request: call.request,
            parameters: call.digest,
        };
        let taken = self.0.take(of.digest(), call.event, now);
        match taken {
            Ok(Some(reply)) if reply.approves(now) => match reply.by {
                Some(by) => Taken::Approved(McpApproved {
                    event: reply.event,
                    by,
                }),
                None => Taken::Waiting,
            },
            Ok(Some(reply)) => match reply.said {
                Said::Rejected => Taken::Rejected,
                Said::Used { .. } => Taken::Used,
                Said::Approved { .. } => Taken::Waiting,
            },
            // What cannot be read, or not be used up, approves nothing.
            Ok(None) | Err(_) => Taken::Waiting,
        }
    }
}

impl ringfence_gateway::Approvals for LocalApprovals {
    fn approval(&self, identity: &Identity, action: &Action) -> Approval {
        self.at(identity, action, Timestamp::now())
    }

    fn take(&self, call: Call<'_>) -> Taken {
        self.take_at(call, Timestamp::now())
    }
}

/// The newest pushes that wait, and those that were approved and have not passed yet, the newest
/// first; each once, however often it was tried.
///
/// # Errors
/// Where the store or a reply cannot be read.
pub async fn held(
    store: &Store,
    data: &Path,
    since: Timestamp,
    now: Timestamp,
) -> Result<Vec<HeldPush>, StoreError> {
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
        let Some(push) = HeldPush::of(*event) else {
            continue;
        };
        if held.len() == HELD_SHOWN || !known.insert(*push.digest.as_bytes()) {
            continue;
        }
        let reply = approvals.reply(push.digest)?;
        let open = push.replied(reply.as_ref(), now);
        if let Some(push) = open
            && !push.has_passed(store).await?
        {
            held.push(push);
        }
    }
    Ok(held)
}

/// The push of this event.
///
/// # Errors
/// Where there is none, or it does not wait for a person.
pub async fn find(store: &Store, id: EventId) -> Result<HeldPush, ReplyError> {
    let event = store.event(id).await?.ok_or(ReplyError::Unknown(id))?;
    HeldPush::of(event).ok_or(ReplyError::NotHeld(id))
}

/// Lets the same push pass until then. It is recorded first: what cannot be recorded is not allowed.
///
/// # Errors
/// Where it cannot be recorded or kept.
pub fn approve(
    data: &Path,
    push: &HeldPush,
    until: Timestamp,
    now: Timestamp,
) -> Result<(), ReplyError> {
    let event = push.event;
    record(
        data,
        push.whose(),
        NoticeKind::PushApproved { event, until },
        now,
    )?;
    let said = Said::Approved { until };
    Ok(Approvals::new(data).keep(push.digest, (event, said), now)?)
}

/// Lets the same push not pass, whatever was said before. It counts before it is recorded.
///
/// # Errors
/// Where it cannot be kept or recorded.
pub fn reject(data: &Path, push: &HeldPush, now: Timestamp) -> Result<(), ReplyError> {
    let event = push.event;
    Approvals::new(data).keep(push.digest, (event, Said::Rejected), now)?;
    record(data, push.whose(), NoticeKind::PushRejected { event }, now)
}

/// A person acts outside of any run, so the notice has a run of its own.
fn record(
    data: &Path,
    (sandbox, agent): (SandboxId, &AgentName),
    kind: NoticeKind,
    now: Timestamp,
) -> Result<(), ReplyError> {
    let run = RunId::new();
    let spool = Spool::create(data, run)?;
    spool.append(&Record::Notice(Notice {
        time: now,
        run,
        sandbox,
        agent: agent.clone(),
        kind,
    }))?;
    Ok(spool.sync()?)
}

impl HeldPush {
    /// None where the event is not one of a push that was held.
    fn of(stored: StoredEvent) -> Option<Self> {
        let StoredEvent { event, closing, .. } = stored;
        let closing = closing?;
        if closing.outcome != Outcome::Refused(ReasonCode::ApprovalNeeded) {
            return None;
        }
        let Action::Git(push) = event.action else {
            return None;
        };
        Some(Self {
            digest: push_digest(&event.agent, &event.workspace, &push)?,
            event: event.id,
            time: event.time,
            agent: event.agent,
            workspace: event.workspace,
            push,
            facts: closing.git.map(|facts| *facts).unwrap_or_default(),
            approved_until: None,
            sandbox: event.sandbox,
        })
    }

    const fn whose(&self) -> (SandboxId, &AgentName) {
        (self.sandbox, &self.agent)
    }

    /// What is left of it after a person's reply: nothing, where the reply settles it.
    fn replied(mut self, reply: Option<&Reply>, now: Timestamp) -> Option<Self> {
        match reply.map(|reply| reply.said) {
            Some(Said::Rejected) => return None,
            Some(Said::Approved { until }) if now < until => self.approved_until = Some(until),
            // Not tried since: the agent has not come back for it.
            Some(Said::Approved { until }) if self.time < until => return None,
            // No push is used up.
            Some(Said::Approved { .. } | Said::Used { .. }) | None => {}
        }
        Some(self)
    }

    /// Whether the same push went through later.
    async fn has_passed(&self, store: &Store) -> Result<bool, StoreError> {
        let filter = Filter {
            agent: Some(self.agent.clone()),
            decision: Some(Effect::Allow),
            host: Some(self.push.destination.host.clone()),
            since: Some(self.time),
            limit: Some(LATER_EVENTS),
            ..Filter::default()
        };
        let later = store.records(&filter).await?;
        Ok(later.iter().any(|record| match record {
            StoredRecord::Event(event) => self.is_passed_by(event),
            StoredRecord::Notice(_) => false,
        }))
    }

    fn is_passed_by(&self, stored: &StoredEvent) -> bool {
        let (event, Action::Git(request)) = (&stored.event, &stored.event.action) else {
            return false;
        };
        let has_succeeded = stored.closing.as_ref().is_some_and(|closing| {
            let facts = closing.git.as_deref();
            let taken = facts
                .is_some_and(|facts| facts.updates.iter().all(|update| update.refused.is_none()));
            matches!(closing.outcome, Outcome::Status(200)) && taken
        });
        has_succeeded && push_digest(&event.agent, &event.workspace, request) == Some(self.digest)
    }
}

#[cfg(test)]
mod tests;
