//! The gateway and its one decision point.

use std::sync::Arc;

use jiff::Timestamp;
use ringfence_inspect::ScrubSet;
use ringfence_model::git::{GitUpstream, UpstreamName};
use ringfence_model::llm::{LlmProvider, ProviderName};
use ringfence_model::mcp::{McpServer, ServerName};
use ringfence_model::{Action, Destination, Event, EventId, Generation, HttpRequest, ReasonCode};
use ringfence_policy::{McpEntry, Reading, Snapshot, Verdict};
use tokio::sync::watch;

use super::approvals::{Approval, Approvals, HeldCall, Taken};
use super::audit::{Audit, AuditError};
use super::budgets::Budgets;
use super::credentials::Credentials;
use super::hosted::Hosted;
use super::permit::Permit;
use super::pins::Pins;
use super::recorded;
use super::refusal::{Refusal, denial};
use super::room::Room;
use super::session::Session;
use crate::config::{Config, ConfigError};
use crate::dial::Dialer;
use crate::forward::Upstreams;
use crate::limits::{Limits, ROOM_OF_GATEWAY};
use crate::listen::Capacity;
use crate::relay::Pipes;

/// What the gateway works with that is not its own.
pub struct Ports {
    /// Where events are recorded.
    pub audit: Arc<dyn Audit>,
    /// The policy; the newest snapshot decides.
    pub policy: watch::Receiver<Arc<Snapshot>>,
    /// Where credentials come from.
    pub credentials: Arc<dyn Credentials>,
    /// What people said to actions that were held.
    pub approvals: Arc<dyn Approvals>,
    /// What agents may spend.
    pub budgets: Arc<dyn Budgets>,
    /// What is known of servers of the Model Context Protocol.
    pub pins: Arc<dyn Pins>,
    /// Servers that are started as programs.
    pub hosted: Arc<dyn Hosted>,
}

/// The data plane of any number of sandboxes.
pub struct Gateway {
    audit: Arc<dyn Audit>,
    policy: watch::Receiver<Arc<Snapshot>>,
    credentials: Arc<dyn Credentials>,
    approvals: Arc<dyn Approvals>,
    budgets: Arc<dyn Budgets>,
    pins: Arc<dyn Pins>,
    hosted: Arc<dyn Hosted>,
    limits: Limits,
    deaf: bool,
    dialer: Dialer,
    upstreams: Upstreams,
    pipes: Pipes,
    capacity: Capacity,
    room: Room,
}

impl Gateway {
    /// A gateway that works with these ports.
    ///
    /// # Errors
    /// Where the configuration breaks a limit or names a file that cannot be used.
    pub fn new(config: Config, ports: Ports) -> Result<Arc<Self>, ConfigError> {
        let capacity = Capacity::new(config.limits.connections);
        Ok(Arc::new(Self {
            audit: ports.audit,
            policy: ports.policy,
            credentials: ports.credentials,
            approvals: ports.approvals,
            budgets: ports.budgets,
            pins: ports.pins,
            hosted: ports.hosted,
            limits: config.limits.clone(),
            deaf: config.deaf,
            upstreams: Upstreams::new(&config)?,
            dialer: Dialer::new(config)?,
            pipes: Pipes::default(),
            capacity,
            room: Room::new(ROOM_OF_GATEWAY),
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
        let (recorded, whole) = recorded::decided((action, decision), || self.withheld());
        let event = event(session, recorded, parent);
        if let Err(error) = self.audit.open(&event) {
            return Err(unavailable(event.action.to_string(), generation, &error));
        }
        match grant {
            Some(grant) if event.decision.is_allow() => {
                let action = whole.unwrap_or(event.action);
                let audit = Arc::clone(&self.audit);
                let permit = Permit::new(audit, event.id, action, generation, grant);
                if matches!(permit.action(), Action::Git(_)) {
                    permit.git().withhold(self.withheld());
                }
                Ok(permit)
            }
            _ => {
                session.denials().keep(&event);
                Err(refusal(event))
            }
        }
    }

    /// The narrowest rule that would allow an action, as a line of a profile.
    pub(super) fn suggest(&self, action: &Action) -> Option<String> {
        let snapshot = Arc::clone(&self.policy.borrow());
        let rule = snapshot.suggest(action, Timestamp::now())?;
        Some(rule.to_line())
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
        let denial = denial(code, reason, generation);
        let (recorded, _) = recorded::decided((action, denial), || self.withheld());
        let event = event(session, recorded, None);
        match self.audit.open(&event) {
            Ok(()) => {
                session.denials().keep(&event);
                refusal(event)
            }
            Err(error) => unavailable(event.action.to_string(), generation, &error),
        }
    }

    /// The words for what is refused within an action whose event is open and will record it.
    #[must_use]
    pub fn refuse_within(
        &self,
        event: EventId,
        tried: String,
        (code, reason): (ReasonCode, &str),
    ) -> Refusal {
        Refusal {
            event: Some(event),
            tried,
            decision: Box::new(denial(code, reason, self.generation())),
        }
    }

    /// Whether sandboxes may tell of themselves.
    #[must_use]
    pub const fn hears(&self) -> bool {
        !self.deaf
    }

    /// The bounds in force.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whether rules of the `api` section are about `destination`, so that its requests need all
    /// that those can ask for.
    #[must_use]
    pub fn has_api_rules(&self, destination: &Destination) -> bool {
        self.policy.borrow().has_api_rules(destination)
    }

    /// The git server at `destination`, where a rule names it.
    #[must_use]
    pub fn git_at(&self, destination: &Destination) -> Option<Arc<GitUpstream>> {
        let snapshot = self.policy.borrow();
        let upstream = snapshot.git_at(&destination.host, destination.port)?;
        Some(Arc::new(upstream.clone()))
    }

    /// The git server of this short name, where a rule names it.
    #[must_use]
    pub fn git_named(&self, name: &UpstreamName) -> Option<Arc<GitUpstream>> {
        let snapshot = self.policy.borrow();
        let upstreams = snapshot.git_upstreams().iter();
        let upstream = upstreams.clone().find(|upstream| upstream.name == *name)?;
        Some(Arc::new(upstream.clone()))
    }

    /// The providers of language models at `destination` that rules name.
    #[must_use]
    pub fn llm_at(&self, destination: &Destination) -> Vec<Arc<LlmProvider>> {
        let snapshot = self.policy.borrow();
        let providers = snapshot.llm_at(&destination.host, destination.port);
        providers.map(|it| Arc::new(it.clone())).collect()
    }

    /// The provider of language models of this name, where a rule names it.
    #[must_use]
    pub fn llm_named(&self, name: &ProviderName) -> Option<Arc<LlmProvider>> {
        let snapshot = self.policy.borrow();
        snapshot.llm_named(name).map(|it| Arc::new(it.clone()))
    }

    /// The model that stands behind a name that rules made up; none where the name is the model's.
    #[must_use]
    pub fn llm_alias(&self, provider: &ProviderName, model: &str) -> Option<String> {
        let snapshot = self.policy.borrow();
        snapshot.llm_alias(provider, model).map(str::to_owned)
    }

    /// Which of these models an agent is shown in a list.
    pub fn shown_models(&self, provider: &ProviderName) -> impl Fn(&str) -> bool + Send + use<> {
        let snapshot = Arc::clone(&self.policy.borrow());
        let (provider, now) = (provider.clone(), Timestamp::now());
        move |model| snapshot.shows_model(&provider, model, now)
    }

    /// The servers of the Model Context Protocol at `destination` that rules name.
    #[must_use]
    pub fn mcp_at(&self, destination: &Destination) -> Vec<Arc<McpServer>> {
        let snapshot = self.policy.borrow();
        let servers = snapshot.mcp_at(&destination.host, destination.port);
        servers.map(|it| Arc::new(it.clone())).collect()
    }

    /// The server of the Model Context Protocol of this name, where a rule names it.
    #[must_use]
    pub fn mcp_named(&self, name: &ServerName) -> Option<Arc<McpServer>> {
        let snapshot = self.policy.borrow();
        snapshot.mcp_named(name).map(|it| Arc::new(it.clone()))
    }

    /// Which entries of lists an agent is shown, and the schemas that the arguments of tools must
    /// match besides.
    #[must_use]
    pub fn mcp_view(&self, server: &ServerName) -> McpView {
        McpView {
            snapshot: Arc::clone(&self.policy.borrow()),
            server: server.clone(),
            now: Timestamp::now(),
        }
    }

    /// When other policies come into force, from now on.
    #[must_use]
    pub fn policy_changes(&self) -> PolicyChanges {
        let mut policy = self.policy.clone();
        policy.mark_unchanged();
        PolicyChanges(policy)
    }

    /// What is known of servers of the Model Context Protocol.
    #[must_use]
    pub fn pins(&self) -> &Arc<dyn Pins> {
        &self.pins
    }

    /// What agents may spend.
    #[must_use]
    pub fn budgets(&self) -> &Arc<dyn Budgets> {
        &self.budgets
    }

    /// What a person said to exactly this action. It may wait for a file, so no task may call it
    /// that others wait for.
    #[must_use]
    pub fn approval(&self, session: &Session, action: &Action) -> Approval {
        self.approvals.approval(session.identity(), action)
    }

    /// Takes a person's approval of exactly this call, as [`Self::approval`] asks for it.
    #[must_use]
    pub fn take_approval(&self, call: HeldCall<'_>) -> Taken {
        self.approvals.take(call)
    }

    /// Whatever no agent may hold, for the search of what an agent writes.
    #[must_use]
    pub fn withheld(&self) -> ScrubSet {
        self.upstreams.withheld()
    }

    /// What of the body of `request`, whose head is known, the decision on it needs.
    #[must_use]
    pub fn reading(&self, request: &HttpRequest) -> Reading {
        let snapshot = Arc::clone(&self.policy.borrow());
        snapshot.reading(request, Timestamp::now())
    }

    pub(crate) fn credentials(&self) -> &dyn Credentials {
        self.credentials.as_ref()
    }

    pub(crate) const fn hosted(&self) -> &Arc<dyn Hosted> {
        &self.hosted
    }

    pub(crate) const fn upstreams(&self) -> &Upstreams {
        &self.upstreams
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

    pub(super) const fn room(&self) -> &Room {
        &self.room
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

/// Tells when another policy came into force.
pub struct PolicyChanges(watch::Receiver<Arc<Snapshot>>);

impl PolicyChanges {
    /// Waits for the next policy. False where there will be none.
    pub async fn next(&mut self) -> bool {
        self.0.changed().await.is_ok()
    }
}

/// What an agent is shown of a server of the Model Context Protocol, by one policy.
pub struct McpView {
    snapshot: Arc<Snapshot>,
    server: ServerName,
    now: Timestamp,
}

impl McpView {
    /// Whether an entry is shown.
    #[must_use]
    pub fn shows(&self, entry: McpEntry<'_>) -> bool {
        self.snapshot.mcp_shows(&self.server, entry, self.now)
    }

    /// The schema that the arguments of a tool must match besides its own.
    #[must_use]
    pub fn narrowed(&self, tool: &str) -> Option<&serde_json::Value> {
        self.snapshot.mcp_narrowed(&self.server, tool, self.now)
    }
}

fn event(
    session: &Session,
    (action, decision): recorded::Decided,
    parent: Option<EventId>,
) -> Event {
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
