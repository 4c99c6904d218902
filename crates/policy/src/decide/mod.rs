//! The decision: one action against one snapshot. Forbids are asked first and win; then every
//! allow of the destination is asked; what none of them allows is denied, with the rule that
//! came closest.

mod api;
mod conditions;
mod document;
mod fit;
mod gather;
pub(crate) mod git;
mod grant;
pub(crate) mod llm;
pub(crate) mod mcp;
mod query;
mod sent;
mod service;
mod terms;
pub(crate) mod words;

use jiff::Timestamp;
use ringfence_model::{Action, Decision, Effect, Host, HttpRequest, ReasonCode};

use crate::compile::{Protocols, Rule, Snapshot};
use crate::document::{HOST_NAME, PathError, check_path, is_control_plane, unscoped};
pub(crate) use fit::{Bar, Fit, Miss, bar, fit};
use gather::Gathered;
pub use git::{
    ChangedFile, ChangedFiles, CommitSignature, GitDenial, GitLimits, GitTerms, PushFacts,
    PushedCommit,
};
use grant::Scope;
pub use grant::{AddressGrant, Grant};
pub use llm::{
    BudgetScope, BudgetTerms, BudgetWindow, LlmAsked, LlmSecrets, LlmTerms, LoopTerms, Price,
    RateTerms,
};
pub use mcp::{McpEntry, McpRate, McpSecrets, McpTerms, PinMode};
pub(crate) use query::Query;
use sent::Sent;
pub use terms::{Auth, Precondition, Reading, RequestTerms};
use words::Cause;

/// A decision and, where it allows, what it grants.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// Allow or deny, and why.
    pub decision: Decision,
    /// What the action may carry; there exactly when the decision allows.
    pub grant: Option<Grant>,
}

impl Snapshot {
    /// Decides one action. `now` is compared with the expiry of rules.
    ///
    /// The cost depends on the rules that name this destination, not on how many there are.
    #[must_use]
    pub fn decide(&self, action: &Action, now: Timestamp) -> Verdict {
        self.decide_query(&Query::of(action), now)
    }

    /// Decides an action from the record, which holds neither headers nor bodies: a rule that
    /// looks at them does not allow it, and one that forbids does.
    pub(crate) fn decide_recorded(&self, action: &Action, now: Timestamp) -> Verdict {
        self.decide_query(&Query::of(action).recorded(), now)
    }

    /// What of the body of `request`, whose head is known, the decision on it needs.
    #[must_use]
    pub fn reading(&self, request: &HttpRequest, now: Timestamp) -> Reading {
        let query = Query::of_request(request);
        let host = &request.destination.host;
        let rules = self
            .forbids
            .covering(host)
            .chain(self.allows.covering(host));
        let mut reading = Reading::default();
        for rule in rules.filter(|rule| fit::reaches_body(rule, &query, now)) {
            if let Some(requests) = &rule.requests {
                reading.add(requests.needs, requests.octets());
            }
        }
        reading
    }

    fn decide_query(&self, query: &Query<'_>, now: Timestamp) -> Verdict {
        if let Some(request) = query.git {
            return self.decide_git(request, now);
        }
        if let Some(request) = query.llm {
            return self.decide_llm(request, now);
        }
        if let Some(request) = query.mcp {
            return self.decide_mcp(request, now);
        }
        if let Some(verdict) = self.decide_proxy(query, now) {
            return verdict;
        }
        if let Some(cause) = refuse_outright(query) {
            return self.deny(cause, query);
        }
        if let Some(service) = self.strayed(query) {
            return self.deny(Cause::Stray(service), query);
        }
        let barred = self.barred(query, now);
        if let Some(rule) = barred.everything {
            return self.deny(Cause::Forbidden(rule), query);
        }
        let gathered = self.gather(query, &barred, now);
        match (gathered.rule, barred.unread) {
            (Some(rule), _) => match Sent::of(rule, &gathered, query) {
                Ok(sent) => self.allow(sent, &gathered, query, now),
                Err(cause) => self.deny(cause, query),
            },
            (None, Some(rule)) if gathered.lost_to_forbid => {
                self.deny(Cause::Unreadable(rule), query)
            }
            (None, _) => self.deny(nothing_allows(gathered.closest(), query), query),
        }
    }

    /// Whether this policy would allow the action if it had `rule` as well.
    pub(crate) fn would_allow(&self, rule: &Rule, action: &Action, now: Timestamp) -> bool {
        let query = Query::of(action);
        let left = self.barred(&query, now).left;
        let covers =
            |rule| matches!(fit(rule, &query, now), Fit::Covers(offered) if offered.has(left));
        refuse_outright(&query).is_none() && covers(rule)
    }

    fn allow(
        &self,
        sent: Sent<'_>,
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
        let carried = gathered.carried(query);
        let scope = match sent.rules.as_slice() {
            [] => gathered.scope.clone(),
            rules => {
                let mut scope = Scope::of(&query.destination.host, HOST_NAME);
                for rule in rules {
                    scope.add(rule.addresses.as_ref());
                }
                scope
            }
        };
        Verdict {
            decision: Decision {
                effect: Effect::Allow,
                code: ReasonCode::Allowed,
                reason: words::allowed(sent.rule, query),
                rule: Some(sent.rule.reference.clone()),
                generation: self.generation(),
                next_step: None,
                credential: sent.credential,
                access: sent.access,
            },
            grant: Some(Grant {
                tls: carried.has(Protocols::TLS),
                http: carried.has(Protocols::HTTP),
                opaque: carried.has(Protocols::OPAQUE),
                https: carried.has(Protocols::HTTPS),
                terms: sent.terms,
                git: None,
                llm: None,
                mcp: None,
                addresses: AddressGrant::new(scope, barred),
                valid_until: gathered.valid_until,
            }),
        }
    }

    fn deny(&self, cause: Cause<'_>, query: &Query<'_>) -> Verdict {
        Verdict {
            decision: Decision {
                effect: Effect::Deny,
                code: cause.code(),
                reason: words::denied(&cause, query),
                next_step: words::next_step(&cause, query),
                rule: cause.rule().map(|rule| rule.reference.clone()),
                generation: self.generation(),
                credential: None,
                access: None,
            },
            grant: None,
        }
    }
}

/// What no rule is asked about.
fn refuse_outright<'a>(query: &Query<'_>) -> Option<Cause<'a>> {
    let host = &query.destination.host;
    if host.name().is_some_and(is_control_plane) {
        return Some(Cause::Outright(ReasonCode::ControlPlane));
    }
    let path = &query.request?.path;
    // `*` is the target of `OPTIONS *`; it names no path and matches no pattern.
    if path == "*" {
        return None;
    }
    // A name in a scope has two readings, of which a rule can say that it means the one.
    match check_path(path) {
        Ok(()) => None,
        Err(PathError::TooLong) => Some(Cause::Outright(ReasonCode::LimitReached)),
        Err(_) => Some(Cause::Outright(ReasonCode::Malformed)),
    }
}

fn nothing_allows<'a>(closest: Option<(Miss, &'a Rule)>, query: &Query<'_>) -> Cause<'a> {
    let (_, path) = query.line();
    let takes_scopes = closest.is_some_and(|(_, rule)| rule.takes_scopes());
    if !takes_scopes && unscoped(path).is_some() {
        return Cause::Outright(ReasonCode::Malformed);
    }
    match (closest, &query.destination.host) {
        (Some((miss, rule)), _) => Cause::Missed(miss, rule),
        (None, Host::Name(_)) => Cause::Outright(ReasonCode::NoRule),
        (None, Host::Address(_)) => Cause::Outright(ReasonCode::AddressNotNamed),
    }
}

#[cfg(test)]
mod tests;
