//! The proof of an allow. Whoever holds a permit may dial what was decided on, and owes the
//! audit log its end: a permit that is dropped unfinished is recorded as aborted.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use jiff::Timestamp;
use ringfence_model::{
    Action, Closing, CredentialName, Decision, Destination, EventId, Generation, HttpRequest,
    Outcome, ReasonCode, RuleRef, Upstream,
};
use ringfence_policy::{GitDenial, Grant, RequestTerms};

use super::audit::Audit;
use super::decided::Decided;
use super::note::GitNote;
use super::refusal::{Refusal, denial};
use super::room::Reserved;

/// What an allowed connection carries, once its bytes are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// TLS that is passed on unopened.
    Tls,
    /// Plain HTTP, each request of which is decided on.
    Http,
    /// TLS that the gateway terminates, each request in which is decided on.
    Https,
    /// Any other bytes.
    Opaque,
}

/// The proof that policy allows one action. Only [`super::Gateway::decide`] makes one.
pub struct Permit {
    audit: Arc<dyn Audit>,
    event: EventId,
    subject: Arc<Subject>,
    started: Instant,
    tls: OnceLock<TlsFacts>,
    git: GitNote,
    closed: bool,
}

/// What a permit is about: all that a later decision on the same needs. The parts of an exchange
/// share it, each of which stops by itself when policy takes the permit back.
pub(crate) struct Subject {
    decided: Decided,
    /// How an action that is no HTTP request itself is put into one.
    carrier: Option<Box<HttpRequest>>,
    generation: Generation,
    grant: Grant,
    meter: Meter,
    transport: OnceLock<Transport>,
    address: OnceLock<SocketAddr>,
    reached: OnceLock<SocketAddr>,
    credential: OnceLock<CredentialName>,
    terms: OnceLock<Arc<RequestTerms>>,
    body: OnceLock<Reserved>,
}

/// Octets moved so far, in both directions.
#[derive(Debug, Default)]
pub struct Meter {
    sent: AtomicU64,
    received: AtomicU64,
    scrubbed: AtomicU64,
}

struct TlsFacts {
    sni: Option<String>,
    alpn: Vec<String>,
}

impl Permit {
    pub(super) fn new(
        audit: Arc<dyn Audit>,
        event: EventId,
        action: Action,
        generation: Generation,
        grant: Grant,
    ) -> Self {
        let carrier = match (&action, &grant.git) {
            (Action::Git(request), Some(upstream)) => Some(Box::new(request.to_http(upstream))),
            (Action::Llm(request), _) => {
                let provider = grant.llm.as_ref();
                provider.map(|provider| Box::new(request.to_http(provider)))
            }
            (Action::Mcp(request), _) => {
                let server = grant.mcp.as_ref();
                server.map(|server| Box::new(request.to_http(server)))
            }
            _ => None,
        };
        Self {
            audit,
            event,
            subject: Arc::new(Subject {
                decided: Decided::new(action),
                carrier,
                generation,
                grant,
                meter: Meter::default(),
                transport: OnceLock::new(),
                address: OnceLock::new(),
                reached: OnceLock::new(),
                credential: OnceLock::new(),
                terms: OnceLock::new(),
                body: OnceLock::new(),
            }),
            started: Instant::now(),
            tls: OnceLock::new(),
            git: GitNote::default(),
            closed: false,
        }
    }

    /// The event that records it.
    #[must_use]
    pub const fn event(&self) -> EventId {
        self.event
    }

    /// What was decided on.
    #[must_use]
    pub fn action(&self) -> &Action {
        self.subject.action()
    }

    /// The HTTP request that it allows: what was decided on, or what carries it.
    #[must_use]
    pub fn request(&self) -> Option<&HttpRequest> {
        match self.action() {
            Action::Http(request) => Some(request),
            Action::Git(_) | Action::Llm(_) | Action::Mcp(_) => self.subject.carrier.as_deref(),
            Action::Connect(_) => None,
        }
    }

    /// Where it leads.
    #[must_use]
    pub fn destination(&self) -> &Destination {
        self.subject.destination()
    }

    /// The policy that allowed it.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.subject.generation
    }

    /// What it covers.
    #[must_use]
    pub fn grant(&self) -> &Grant {
        &self.subject.grant
    }

    /// Counts the octets of the connection.
    #[must_use]
    pub fn meter(&self) -> &Meter {
        &self.subject.meter
    }

    pub(crate) const fn subject(&self) -> &Arc<Subject> {
        &self.subject
    }

    /// States what the connection carries; false where the grant does not cover it.
    #[must_use]
    pub fn carry(&self, transport: Transport) -> bool {
        let subject = &self.subject;
        let carried = || *subject.transport.get_or_init(|| transport);
        covers(&subject.grant, transport) && carried() == transport
    }

    /// What the connection carries, once it is known.
    #[must_use]
    pub fn transport(&self) -> Option<Transport> {
        self.subject.transport()
    }

    /// Notes what the agent's TLS hello said, for the record.
    pub fn note_tls(&self, sni: Option<&str>, alpn: &[Vec<u8>]) {
        let facts = TlsFacts {
            sni: sni.map(str::to_owned),
            alpn: alpn
                .iter()
                .map(|name| name.escape_ascii().to_string())
                .collect(),
        };
        // A second hello on one connection would be a fault of the caller; the first stands.
        let _ = self.tls.set(facts);
    }

    /// Where the facts of a git request are noted.
    #[must_use]
    pub const fn git(&self) -> &GitNote {
        &self.git
    }

    /// Notes the address that was dialled, or of a connection that is used again.
    pub(crate) fn note_address(&self, address: SocketAddr) {
        let _ = self.subject.address.set(address);
    }

    /// Notes the credential that the request is sent with: a policy that names another one takes
    /// the permit back.
    pub(crate) fn note_credential(&self, name: &CredentialName) {
        let _ = self.subject.credential.set(name.clone());
    }

    /// Notes the terms that the request is sent by: a policy that has not the same any more takes
    /// the permit back.
    pub(crate) fn note_terms(&self, terms: &Arc<RequestTerms>) {
        let _ = self.subject.terms.set(Arc::clone(terms));
    }

    /// Keeps room for the body that was read for the decision, for as long as the exchange lasts.
    pub fn keep_room(&self, room: Reserved) {
        // There is one body, so a second room is not taken.
        let _ = self.subject.body.set(room);
    }

    /// The address that was dialled.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.subject.address()
    }

    /// Takes what an action within this one moved, and where to, into this one's record.
    pub fn account(&self, inner: &Self) {
        self.meter().add_sent(inner.meter().sent());
        self.meter().add_received(inner.meter().received());
        if let Some(address) = inner.address() {
            self.note_address(address);
        }
    }

    /// Records the end.
    pub fn finish(mut self, outcome: Outcome) {
        self.close(outcome, None, None);
    }

    /// Records the end, with what went wrong.
    pub fn finish_with(mut self, outcome: Outcome, detail: impl Into<String>) {
        self.close(outcome, Some(detail.into()), None);
    }

    /// Takes the permit back: what came was not what was decided on.
    #[must_use]
    pub fn refuse(self, code: ReasonCode, reason: &str) -> Refusal {
        let decision = denial(code, reason, self.generation());
        self.take_back(code, decision)
    }

    /// As [`Self::refuse`], with what a person can do about it.
    #[must_use]
    pub fn refuse_with(self, code: ReasonCode, reason: &str, next_step: String) -> Refusal {
        let decision = Decision {
            next_step: Some(next_step),
            ..denial(code, reason, self.generation())
        };
        self.take_back(code, decision)
    }

    /// Takes the permit back because what a git request turned out to be is not allowed.
    #[must_use]
    pub fn refuse_git(self, denial: GitDenial) -> Refusal {
        let decision = Decision {
            rule: Some(denial.rule),
            next_step: Some(denial.next_step),
            ..self::denial(denial.code, &denial.reason, self.generation())
        };
        self.take_back(denial.code, decision)
    }

    /// Takes the permit back because of what a rule wants that the decision could not see.
    #[must_use]
    pub fn refuse_by(self, rule: RuleRef, code: ReasonCode, words: (&str, &str)) -> Refusal {
        let (reason, next_step) = words;
        let decision = Decision {
            rule: Some(rule),
            next_step: Some(next_step.to_owned()),
            ..denial(code, reason, self.generation())
        };
        self.take_back(code, decision)
    }

    /// Takes the permit back because the policy does, in the words of its new decision.
    #[must_use]
    pub fn revoke(self, decision: Decision) -> Refusal {
        self.take_back(ReasonCode::Revoked, decision)
    }

    /// Records the denial that follows the allow.
    pub(crate) fn take_back(mut self, code: ReasonCode, decision: Decision) -> Refusal {
        let (reason, next_step) = (decision.reason.clone(), decision.next_step.clone());
        self.close(Outcome::Refused(code), Some(reason), next_step);
        Refusal {
            event: Some(self.event),
            tried: self.action().to_string(),
            decision: Box::new(decision),
        }
    }

    fn close(&mut self, outcome: Outcome, detail: Option<String>, next_step: Option<String>) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        let closing = Closing {
            id: self.event,
            time: Timestamp::now(),
            outcome,
            detail,
            next_step,
            upstream: self.upstream(),
            sent: self.meter().sent(),
            received: self.meter().received(),
            duration_us: u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX),
            scrubbed: self.meter().scrubbed(),
            git: None,
            llm: None,
            mcp: None,
        };
        self.git.close(&self.audit, closing);
    }

    fn upstream(&mut self) -> Option<Upstream> {
        let address = self.address().or_else(|| self.subject.reached())?;
        let (sni, alpn) = match self.tls.take() {
            Some(facts) => (facts.sni, facts.alpn),
            None => (None, Vec::new()),
        };
        Some(Upstream { address, sni, alpn })
    }
}

impl Subject {
    /// What was decided on, without the JSON of its body.
    pub(crate) const fn action(&self) -> &Action {
        self.decided.action()
    }

    /// All that was decided on.
    pub(crate) fn whole(&self) -> Cow<'_, Action> {
        self.decided.whole()
    }

    pub(crate) const fn destination(&self) -> &Destination {
        self.action().destination()
    }

    pub(crate) const fn generation(&self) -> Generation {
        self.generation
    }

    pub(crate) const fn grant(&self) -> &Grant {
        &self.grant
    }

    pub(crate) const fn meter(&self) -> &Meter {
        &self.meter
    }

    pub(crate) fn transport(&self) -> Option<Transport> {
        self.transport.get().copied()
    }

    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.address.get().copied()
    }

    /// Notes an address that an action within this one was dialled to, for the record; the first
    /// stands. The action inside answers for it when policy changes.
    pub(crate) fn note_reached(&self, address: SocketAddr) {
        let _ = self.reached.set(address);
    }

    fn reached(&self) -> Option<SocketAddr> {
        self.reached.get().copied()
    }

    /// The terms that the request is sent by, once they are chosen.
    pub(crate) fn terms(&self) -> Option<&Arc<RequestTerms>> {
        self.terms.get()
    }

    pub(crate) fn credential(&self) -> Option<&CredentialName> {
        self.credential.get()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.close(Outcome::Aborted, None, None);
    }
}

impl Meter {
    /// Octets from the agent to the upstream.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Octets from the upstream to the agent.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Credential values that were removed from what went to the agent.
    #[must_use]
    pub fn scrubbed(&self) -> u64 {
        self.scrubbed.load(Ordering::Relaxed)
    }

    /// Counts removed credential values.
    pub fn add_scrubbed(&self, values: u64) {
        self.scrubbed.fetch_add(values, Ordering::Relaxed);
    }

    /// Counts octets to the upstream.
    pub fn add_sent(&self, octets: u64) {
        self.sent.fetch_add(octets, Ordering::Relaxed);
    }

    /// Counts octets to the agent.
    pub fn add_received(&self, octets: u64) {
        self.received.fetch_add(octets, Ordering::Relaxed);
    }
}

/// Whether `grant` covers `transport`.
pub(super) const fn covers(grant: &Grant, transport: Transport) -> bool {
    match transport {
        Transport::Tls => grant.tls,
        Transport::Http => grant.http,
        Transport::Https => grant.https,
        Transport::Opaque => grant.opaque,
    }
}
