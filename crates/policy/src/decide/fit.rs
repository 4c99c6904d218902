//! One rule against one action.

use jiff::Timestamp;
use ringfence_model::ReasonCode;

use super::Query;
use super::conditions::{self, Unmet};
use crate::compile::{Protocols, Rule, Service};

/// What an allow says to an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    Covers(Protocols),
    Misses(Miss),
}

/// What a forbid says to an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bar {
    Nothing(Miss),
    /// It is about some requests, so what cannot be read is gone. For a request that it is not
    /// about, the miss says why.
    Unread(Option<Miss>),
    Everything,
}

/// The first thing in which a rule for the right host does not match, from the farthest miss
/// to the closest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Miss {
    Port,
    Protocol,
    /// It is for requests to a service alone.
    Service(Service),
    Method,
    Path,
    Condition(Unmet),
    Expired,
}

impl Miss {
    pub(crate) const fn code(self) -> ReasonCode {
        match self {
            Self::Port => ReasonCode::PortNotAllowed,
            Self::Protocol => ReasonCode::ProtocolMismatch,
            Self::Service(_) => ReasonCode::PathNotAllowed,
            Self::Method => ReasonCode::MethodNotAllowed,
            Self::Path => ReasonCode::PathNotAllowed,
            Self::Condition(_) => ReasonCode::ConditionNotMet,
            Self::Expired => ReasonCode::RuleExpired,
        }
    }
}

/// Asks an allow whose target covers the destination.
pub(crate) fn fit(rule: &Rule, query: &Query<'_>, now: Timestamp) -> Fit {
    let port = query.destination.port;
    if !rule.ports.contain(port) {
        return Fit::Misses(Miss::Port);
    }
    let offered = rule.protocols_on(port) & query.wanted;
    if offered.is_empty() {
        return Fit::Misses(Miss::Protocol);
    }
    if let Some(miss) = misses_request(rule, query) {
        return Fit::Misses(miss);
    }
    if rule.has_expired(now) {
        return Fit::Misses(Miss::Expired);
    }
    Fit::Covers(offered)
}

/// Asks a forbid whose target covers the destination.
pub(crate) fn bar(rule: &Rule, query: &Query<'_>, now: Timestamp) -> Bar {
    if !rule.ports.contain(query.destination.port) {
        return Bar::Nothing(Miss::Port);
    }
    if rule.has_expired(now) {
        return Bar::Nothing(Miss::Expired);
    }
    if query.request.is_none() && rule.is_limited() {
        return Bar::Unread(None);
    }
    match misses_request(rule, query) {
        Some(miss) => Bar::Unread(Some(miss)),
        None => Bar::Everything,
    }
}

/// Whether a rule is about the head of a request on its way, as far as it can be told before its
/// body is read.
pub(super) fn reaches_body(rule: &Rule, query: &Query<'_>, now: Timestamp) -> bool {
    let port = query.destination.port;
    let is_carried = rule.is_forbid || rule.protocols_on(port).has(query.wanted);
    let (method, path) = query.line();
    rule.ports.contain(port)
        && is_carried
        && !rule.has_expired(now)
        && rule.takes_method(method)
        && rule.takes_path(path)
        && conditions::head_is_met(rule, query)
}

fn misses_request(rule: &Rule, query: &Query<'_>) -> Option<Miss> {
    let request = query.request?;
    if let Some(service) = rule.service() {
        return Some(Miss::Service(service));
    }
    if !rule.takes_method(&request.method) {
        return Some(Miss::Method);
    }
    if !rule.takes_path(&request.path) {
        return Some(Miss::Path);
    }
    conditions::unmet(rule, query).map(Miss::Condition)
}
