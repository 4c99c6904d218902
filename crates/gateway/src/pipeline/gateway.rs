//! The gateway and its one decision point.

use std::sync::Arc;

use jiff::Timestamp;
use ringfence_model::{Action, Decision, Event, EventId, Generation, ReasonCode};
use ringfence_policy::{Snapshot, Verdict};
use tokio::sync::watch;

use super::audit::{Audit, AuditError};
use super::permit::Permit;
use super::refusal::{Refusal, denial};
use super::session::Session;
use crate::config::{Config, ConfigError};
use crate::dial::Dialer;
use crate::limits::Limits;
use crate::listen::Capacity;
use crate::relay::Pipes;

/// The data plane of any number of sandboxes.
pub struct Gateway {
    audit: Arc<dyn Audit>,
    policy: watch::Receiver<Arc<Snapshot>>,
    limits: Limits,
    dialer: Dialer,
    pipes: Pipes,
    capacity: Capacity,
}

impl Gateway {
    /// A gateway that decides by the newest snapshot of `policy` and records to `audit`.
    ///
    /// # Errors
    /// Where the configuration breaks a limit.
    pub fn new(
        config: Config,
        audit: Arc<dyn Audit>,
        policy: watch::Receiver<Arc<Snapshot>>,
    ) -> Result<Arc<Self>, ConfigError> {
        let capacity = Capacity::new(config.limits.connections);
        Ok(Arc::new(Self {
            audit,
            policy,
            limits: config.limits.clone(),
            dialer: Dialer::new(config)?,
            pipes: Pipes::default(),
            capacity,
        }))
    }

    /// Decides on an action and opens its event, before anything is looked up or dialled.
    /// `parent` is the event of the enclosing action, as a connection is of its requests.
    ///
    /// # Errors
    /// The refusal, where policy denies it or the event cannot be recorded.
    pub fn decide(
        &self,
        session: &Session,
        action: Action,
        parent: Option<EventId>,
    ) -> Result<Permit, Refusal> {
        let Verdict { decision, grant } = self.verdict(&action);
        let generation = decision.generation;
        let event = event(session, action, decision, parent);
        if let Err(error) = self.audit.open(&event) {
            return Err(unavailable(event.action.to_string(), generation, &error));
        }
        match grant {
            Some(grant) if event.decision.is_allow() => Ok(Permit::new(
                Arc::clone(&self.audit),
                event.id,
                event.action,
                generation,
                grant,
            )),
            _ => Err(refusal(event)),
        }
    }

    /// Refuses an action that policy is not asked about, and records it.
    pub fn deny(
        &self,
        session: &Session,
        action: Action,
        code: ReasonCode,
        reason: &str,
    ) -> Refusal {
        let generation = self.generation();
        let event = event(session, action, denial(code, reason, generation), None);
        match self.audit.open(&event) {
            Ok(()) => refusal(event),
            Err(error) => unavailable(event.action.to_string(), generation, &error),
        }
    }

    /// The bounds in force.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) const fn dialer(&self) -> &Dialer {
        &self.dialer
    }

    pub(crate) const fn pipes(&self) -> &Pipes {
        &self.pipes
    }

    pub(crate) const fn capacity(&self) -> &Capacity {
        &self.capacity
    }

    pub(super) fn audit(&self) -> &dyn Audit {
        self.audit.as_ref()
    }

    pub(super) fn generation(&self) -> Generation {
        self.policy.borrow().generation()
    }

    pub(super) fn policy(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.policy.clone()
    }

    /// The only call to the policy.
    pub(super) fn verdict(&self, action: &Action) -> Verdict {
        let snapshot = Arc::clone(&self.policy.borrow());
        snapshot.decide(action, Timestamp::now())
    }
}

fn event(session: &Session, action: Action, decision: Decision, parent: Option<EventId>) -> Event {
    let identity = session.identity();
    Event {
        id: EventId::new(),
        parent,
        time: Timestamp::now(),
        run: identity.run,
        sandbox: identity.sandbox,
        agent: identity.agent.clone(),
        workspace: identity.workspace.clone(),
        action,
        decision,
    }
}

fn refusal(event: Event) -> Refusal {
    Refusal {
        event: Some(event.id),
        tried: event.action.to_string(),
        decision: Box::new(event.decision),
    }
}

/// The refusal of what could not be recorded.
pub(super) fn unavailable(tried: String, generation: Generation, error: &AuditError) -> Refusal {
    let reason = format!("{error}, and nothing is allowed that is not recorded");
    Refusal {
        event: None,
        tried,
        decision: Box::new(denial(ReasonCode::Unavailable, &reason, generation)),
    }
}
