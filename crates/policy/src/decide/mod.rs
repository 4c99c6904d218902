//! The decision: one action against one snapshot. Forbids are asked first and win; then every
//! allow of the destination is asked; what none of them allows is denied, with the rule that
//! came closest.

mod fit;
mod grant;
pub(crate) mod words;

use jiff::Timestamp;
use ringfence_model::{Action, Decision, Effect, Host, ReasonCode, RuleRef};

use crate::compile::{Protocols, Rule, Snapshot};
use crate::document::{HOST_NAME, PathError, check_canonical, is_control_plane};
pub(crate) use fit::{Bar, Fit, Miss, Query, bar, fit};
use grant::Scope;
pub use grant::{AddressGrant, Grant};

/// A decision and, where it allows, what it grants.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// Allow or deny, and why.
    pub decision: Decision,
    /// What the action may carry; there exactly when the decision allows.
    pub grant: Option<Grant>,
}

/// What the forbids of a destination leave.
#[derive(Clone, Copy)]
enum Barred<'a> {
    Nothing,
    /// Bytes that cannot be read, because this rule would have to read them.
    Unreadable(&'a Rule),
    Everything(&'a Rule),
}

/// The allows of a destination, put together.
struct Gathered<'a> {
    allowed: Protocols,
    rule: Option<&'a Rule>,
    closest: Option<(Miss, &'a Rule)>,
    /// Whether some rule allows what a forbid that cannot be checked takes away.
    lost_to_forbid: bool,
    scope: Scope,
    valid_until: Option<Timestamp>,
}

impl Snapshot {
    /// Decides one action. `now` is compared with the expiry of rules.
    ///
    /// The cost depends on the rules that name this destination, not on how many there are.
    #[must_use]
    pub fn decide(&self, action: &Action, now: Timestamp) -> Verdict {
        let query = Query::of(action);
        if let Some(refused) = self.refuse_outright(&query) {
            return refused;
        }
        let barred = self.barred(&query, now);
        if let Barred::Everything(rule) = barred {
            return self.deny(ReasonCode::Forbidden, Some(rule), &query);
        }
        let gathered = self.gather(&query, barred, now);
        match (gathered.rule, barred) {
            (Some(rule), _) => self.allow(rule, &gathered, &query, now),
            (None, Barred::Unreadable(rule)) if gathered.lost_to_forbid => {
                self.deny(ReasonCode::NeedsInterception, Some(rule), &query)
            }
            _ => self.deny_by_closest(gathered.closest, &query),
        }
    }

    /// What no rule is asked about.
    fn refuse_outright(&self, query: &Query<'_>) -> Option<Verdict> {
        let host = &query.destination.host;
        if host.name().is_some_and(is_control_plane) {
            return Some(self.deny(ReasonCode::ControlPlane, None, query));
        }
        let (_, path) = query.request?;
        // `*` is the target of `OPTIONS *`; it names no path and matches no pattern.
        if path == "*" {
            return None;
        }
        let code = match check_canonical(path) {
            Ok(()) => return None,
            Err(PathError::TooLong) => ReasonCode::LimitReached,
            Err(_) => ReasonCode::Malformed,
        };
        Some(self.deny(code, None, query))
    }

    fn barred<'a>(&'a self, query: &Query<'a>, now: Timestamp) -> Barred<'a> {
        let mut unreadable: Option<&Rule> = None;
        let mut forbidden: Option<&Rule> = None;
        for rule in self.forbids.covering(&query.destination.host) {
            match bar(rule, query, now) {
                Bar::Nothing(_) => {}
                Bar::Unreadable => unreadable = Some(first(unreadable, rule)),
                Bar::Everything => forbidden = Some(first(forbidden, rule)),
            }
        }
        match (forbidden, unreadable) {
            (Some(rule), _) => Barred::Everything(rule),
            (None, Some(rule)) => Barred::Unreadable(rule),
            (None, None) => Barred::Nothing,
        }
    }

    fn gather<'a>(&'a self, query: &Query<'a>, barred: Barred<'_>, now: Timestamp) -> Gathered<'a> {
        let left = barred.leaves();
        let mut gathered = Gathered::new(&query.destination.host);
        for rule in self.allows.covering(&query.destination.host) {
            match fit(rule, query, now) {
                Fit::Misses(miss) => gathered.miss(miss, rule),
                Fit::Covers(offered) => gathered.cover(offered & left, rule),
            }
        }
        gathered
    }

    /// Whether this policy would allow the action if it had `rule` as well.
    pub(crate) fn would_allow(&self, rule: &Rule, action: &Action, now: Timestamp) -> bool {
        let query = Query::of(action);
        let left = self.barred(&query, now).leaves();
        self.refuse_outright(&query).is_none()
            && matches!(fit(rule, &query, now), Fit::Covers(offered) if offered.has(left))
    }

    fn allow(
        &self,
        rule: &Rule,
        gathered: &Gathered<'_>,
        query: &Query<'_>,
        now: Timestamp,
    ) -> Verdict {
        let is_name = matches!(query.destination.host, Host::Name(_));
        let barred = (is_name && self.forbids.has_networks()).then(|| grant::BarredNetworks {
            forbids: self.forbids.clone(),
            port: query.destination.port,
            now,
        });
        Verdict {
            decision: Decision {
                effect: Effect::Allow,
                code: ReasonCode::Allowed,
                reason: words::allowed(rule, query),
                rule: Some(rule.reference.clone()),
                generation: self.generation(),
                next_step: None,
            },
            grant: Some(Grant {
                tls: gathered.allowed.has(Protocols::TLS),
                http: gathered.allowed.has(Protocols::HTTP),
                opaque: gathered.allowed.has(Protocols::OPAQUE),
                addresses: AddressGrant::new(gathered.scope.clone(), barred),
                valid_until: gathered.valid_until,
            }),
        }
    }

    fn deny_by_closest(&self, closest: Option<(Miss, &Rule)>, query: &Query<'_>) -> Verdict {
        match (closest, &query.destination.host) {
            (Some((miss, rule)), _) => self.deny(miss.code(), Some(rule), query),
            (None, Host::Name(_)) => self.deny(ReasonCode::NoRule, None, query),
            (None, Host::Address(_)) => self.deny(ReasonCode::AddressNotNamed, None, query),
        }
    }

    fn deny(&self, code: ReasonCode, rule: Option<&Rule>, query: &Query<'_>) -> Verdict {
        let reference: Option<RuleRef> = rule.map(|rule| rule.reference.clone());
        Verdict {
            decision: Decision {
                effect: Effect::Deny,
                code,
                reason: words::denied(code, rule, query),
                next_step: words::next_step(code, rule, query),
                rule: reference,
                generation: self.generation(),
            },
            grant: None,
        }
    }
}

impl Barred<'_> {
    const fn leaves(self) -> Protocols {
        match self {
            Self::Nothing => Protocols::ALL,
            Self::Unreadable(_) => Protocols::HTTP,
            Self::Everything(_) => Protocols::NONE,
        }
    }
}

impl<'a> Gathered<'a> {
    fn new(host: &Host) -> Self {
        Self {
            allowed: Protocols::NONE,
            rule: None,
            closest: None,
            lost_to_forbid: false,
            scope: Scope::of(host, HOST_NAME),
            valid_until: None,
        }
    }

    fn miss(&mut self, miss: Miss, rule: &'a Rule) {
        self.closest = Some(match self.closest {
            Some((closest, named)) if closest > miss => (closest, named),
            Some((closest, named)) if closest == miss => (closest, first(Some(named), rule)),
            _ => (miss, rule),
        });
    }

    fn cover(&mut self, offered: Protocols, rule: &'a Rule) {
        if offered.is_empty() {
            self.lost_to_forbid = true;
            return;
        }
        self.allowed = self.allowed | offered;
        self.rule = Some(first(self.rule, rule));
        self.scope.add(rule.addresses.as_ref());
        self.valid_until = match (self.valid_until, rule.expires) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
}

/// Of two rules the one that is named, whatever the order in which they were found.
fn first<'a>(known: Option<&'a Rule>, other: &'a Rule) -> &'a Rule {
    match known {
        Some(known) if known.reference <= other.reference => known,
        _ => other,
    }
}

#[cfg(test)]
mod tests;
