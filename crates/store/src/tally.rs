//! Counts of a run as it goes, without a database: what was allowed and denied, by destination, and
//! what was spent on language models.

mod llm;

use std::collections::{BTreeMap, HashMap};

use ringfence_model::git::RepoId;
use ringfence_model::{Action, Closing, Destination, Event, EventId, Outcome, ReasonCode, Record};
use serde::Serialize;

use crate::limits::{TALLY_DESTINATIONS, TALLY_OPEN};

pub use self::llm::LlmCounts;

/// Counts records as they come. Memory is bounded: the agent chooses the destinations.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    allowed: BTreeMap<Destination, u64>,
    denied: BTreeMap<(Place, ReasonCode), Denied>,
    open: HashMap<EventId, Open>,
    totals: Totals,
    llm: LlmCounts,
}

/// An action under way.
#[derive(Debug, Clone)]
struct Open {
    place: Place,
    /// Whether it is within another one, which counts its octets as well.
    is_within: bool,
    is_llm: bool,
}

/// Where an action leads, and for one of git to which repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    destination: Destination,
    repository: Option<RepoId>,
}

impl Place {
    fn of(action: &Action) -> Self {
        Self {
            destination: action.destination().clone(),
            repository: match action {
                Action::Git(request) => Some(request.repo.clone()),
                Action::Connect(_) | Action::Http(_) | Action::Llm(_) | Action::Mcp(_) => None,
            },
        }
    }
}

#[derive(Debug, Clone, Default)]
struct Denied {
    count: u64,
    next_step: Option<String>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Totals {
    allowed: u64,
    denied: u64,
    sent: u64,
    received: u64,
}

/// The counts of a tally at one moment. Its JSON is a promise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Actions that went ahead.
    pub allowed: u64,
    /// Actions that did not, be it by the decision or after it.
    pub denied: u64,
    /// Octets from the agent to upstreams.
    pub sent: u64,
    /// Octets from upstreams to the agent.
    pub received: u64,
    /// What went ahead, by destination; fewer than `allowed` where there were very many.
    pub allowed_by_destination: Vec<AllowedCount>,
    /// What did not, by destination or repository, and reason; fewer than `denied` where there were very many.
    pub denied_by_destination: Vec<DeniedCount>,
    /// What was asked of language models.
    #[serde(skip_serializing_if = "LlmCounts::is_none")]
    pub llm: LlmCounts,
}

/// Actions that went ahead to one destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AllowedCount {
    /// Where they led.
    pub destination: Destination,
    /// How many there were.
    pub count: u64,
}

/// Actions that were denied alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeniedCount {
    /// Where they led.
    pub destination: Destination,
    /// For actions of git: the repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<RepoId>,
    /// The stable reason.
    pub code: ReasonCode,
    /// How many there were.
    pub count: u64,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_step: Option<String>,
}

impl Tally {
    /// Counts a record.
    pub fn feed(&mut self, record: &Record) {
        match record {
            Record::Opened(event) if event.decision.is_allow() => self.allow(event),
            Record::Opened(event) => {
                self.llm.denied += u64::from(is_llm(event));
                self.deny(
                    Place::of(&event.action),
                    event.decision.code,
                    event.decision.next_step.as_deref(),
                );
            }
            Record::Closed(closing) => self.close(closing),
            Record::Notice(_) => {}
        }
    }

    /// The counts so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let allowed = self.allowed.iter().filter(|(_, count)| **count > 0);
        Counts {
            allowed: self.totals.allowed,
            denied: self.totals.denied,
            sent: self.totals.sent,
            received: self.totals.received,
            allowed_by_destination: allowed
                .map(|(destination, count)| AllowedCount {
                    destination: destination.clone(),
                    count: *count,
                })
                .collect(),
            denied_by_destination: self
                .denied
                .iter()
                .map(|((place, code), denied)| DeniedCount {
                    destination: place.destination.clone(),
                    repository: place.repository.clone(),
                    code: *code,
                    count: denied.count,
                    next_step: denied.next_step.clone(),
                })
                .collect(),
            llm: self.llm,
        }
    }

    fn allow(&mut self, event: &Event) {
        let destination = event.action.destination();
        self.totals.allowed += 1;
        self.llm.requests += u64::from(is_llm(event));
        if let Some(count) = self.allowed.get_mut(destination) {
            *count += 1;
        } else if self.allowed.len() < TALLY_DESTINATIONS {
            self.allowed.insert(destination.clone(), 1);
        }
        if self.open.len() < TALLY_OPEN {
            let open = Open {
                place: Place::of(&event.action),
                is_within: event.parent.is_some(),
                is_llm: is_llm(event),
            };
            self.open.insert(event.id, open);
        }
    }

    fn deny(&mut self, place: Place, code: ReasonCode, next_step: Option<&str>) {
        self.totals.denied += 1;
        let full = self.denied.len() >= TALLY_DESTINATIONS;
        let key = (place, code);
        if full && !self.denied.contains_key(&key) {
            return;
        }
        let denied = self.denied.entry(key).or_default();
        denied.count += 1;
        denied.next_step = next_step.map(str::to_owned);
    }

    /// An action that was refused after the decision goes over to the denied ones.
    fn close(&mut self, closing: &Closing) {
        let open = self.open.remove(&closing.id);
        if !open.as_ref().is_some_and(|open| open.is_within) {
            self.totals.sent = self.totals.sent.saturating_add(closing.sent);
            self.totals.received = self.totals.received.saturating_add(closing.received);
        }
        if let Some(facts) = &closing.llm {
            self.llm.add(facts);
        }
        let Some(Open { place, is_llm, .. }) = open else {
            return;
        };
        if let Outcome::Refused(code) = closing.outcome {
            self.totals.allowed = self.totals.allowed.saturating_sub(1);
            if is_llm {
                self.llm.refuse();
            }
            if let Some(count) = self.allowed.get_mut(&place.destination) {
                *count = count.saturating_sub(1);
            }
            self.deny(place, code, closing.next_step.as_deref());
        }
    }
}

const fn is_llm(event: &Event) -> bool {
    matches!(event.action, Action::Llm(_))
}

#[cfg(test)]
mod tests;
