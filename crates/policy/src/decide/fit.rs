//! One rule against one action.

use jiff::Timestamp;
use ringfence_model::{Action, Destination, ReasonCode, Scheme};

use crate::compile::{Protocols, Rule};

/// An action in the terms of a network rule.
pub(crate) struct Query<'a> {
    pub(crate) destination: &'a Destination,
    /// Which bytes would have to pass.
    wanted: Protocols,
    /// Method and path of a request that the gateway reads.
    pub(crate) request: Option<(&'a str, &'a str)>,
}

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
    /// It would have to read what cannot be read, so only readable HTTP is left.
    Unreadable,
    Everything,
}

/// The first thing in which a rule for the right host does not match, from the farthest miss
/// to the closest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Miss {
    Port,
    Protocol,
    Interception,
    Method,
    Path,
    Expired,
}

impl<'a> Query<'a> {
    pub(crate) fn of(action: &'a Action) -> Self {
        match action {
            Action::Connect(connect) => Self {
                destination: &connect.destination,
                wanted: Protocols::ALL,
                request: None,
            },
            Action::Http(request) => Self {
                destination: &request.destination,
                wanted: match request.scheme {
                    Scheme::Http => Protocols::HTTP,
                    // A request inside TLS passes where the tunnel may pass unread.
                    Scheme::Https => Protocols::TLS,
                },
                request: Some((&request.method, &request.path)),
            },
        }
    }

    /// The wanted bytes in words.
    pub(crate) fn wanted_name(&self) -> &'static str {
        if self.wanted == Protocols::TLS {
            "TLS"
        } else {
            "plain HTTP"
        }
    }

    /// Whether the gateway reads method and path.
    fn readable(&self) -> Option<(&'a str, &'a str)> {
        self.request.filter(|_| self.wanted == Protocols::HTTP)
    }
}

impl Miss {
    pub(crate) const fn code(self) -> ReasonCode {
        match self {
            Self::Port => ReasonCode::PortNotAllowed,
            Self::Protocol => ReasonCode::ProtocolMismatch,
            Self::Interception => ReasonCode::NeedsInterception,
            Self::Method => ReasonCode::MethodNotAllowed,
            Self::Path => ReasonCode::PathNotAllowed,
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
    let meant = rule.protocols_on(port) & query.wanted;
    if meant.is_empty() {
        return Fit::Misses(Miss::Protocol);
    }
    let offered = if rule.is_limited() {
        meant & Protocols::HTTP
    } else {
        meant
    };
    if offered.is_empty() {
        return Fit::Misses(Miss::Interception);
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
    if rule.is_limited() && query.readable().is_none() {
        return Bar::Unreadable;
    }
    misses_request(rule, query).map_or(Bar::Everything, Bar::Nothing)
}

/// Method and path are only looked at where the gateway reads them.
fn misses_request(rule: &Rule, query: &Query<'_>) -> Option<Miss> {
    let (method, path) = query.readable()?;
    if !rule.takes_method(method) {
        return Some(Miss::Method);
    }
    (!rule.takes_path(path)).then_some(Miss::Path)
}
