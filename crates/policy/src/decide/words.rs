//! Decisions in words: for the agent that was refused and the person who reviews it. Text
//! that the agent chose is quoted, escaped and cut.

use std::fmt::{self, Display};

use ringfence_model::ReasonCode;

use super::{Miss, Query};
use crate::compile::{Ports, Rule, Target};
use crate::error::quoted;
use crate::limits::PATH_OCTETS;

/// Most entries of a list that are spelled out.
const LISTED: usize = 6;

pub(super) fn allowed(rule: &Rule, query: &Query<'_>) -> String {
    format!("rule {} allows {}", rule.reference, Subject(query))
}

pub(super) fn denied(code: ReasonCode, rule: Option<&Rule>, query: &Query<'_>) -> String {
    let host = &query.destination.host;
    match (code, rule) {
        (ReasonCode::ControlPlane, _) => {
            format!("{host} is Ringfence itself, which no rule can open")
        }
        (ReasonCode::Malformed, _) => {
            let (_, path) = query.request.unwrap_or_default();
            format!("the path \"{}\" can be read in several ways", quoted(path))
        }
        (ReasonCode::LimitReached, _) => format!("the path is longer than {PATH_OCTETS} octets"),
        (ReasonCode::AddressNotNamed, _) => format!("no rule names the address {host}"),
        (ReasonCode::Forbidden, Some(rule)) => forbidden(rule, query),
        (ReasonCode::NeedsInterception, Some(rule)) => unreadable(rule, query),
        (_, Some(rule)) => match miss_of(code) {
            Some(miss) => format!("rule {} {}", rule.reference, missed(miss, rule, query)),
            None => format!("rule {} does not allow {}", rule.reference, Subject(query)),
        },
        (_, None) => format!("no rule allows {host}"),
    }
}

/// What a person can do about a denial; none where nothing can be granted.
pub(super) fn next_step(
    code: ReasonCode,
    rule: Option<&Rule>,
    query: &Query<'_>,
) -> Option<String> {
    let destination = query.destination;
    match (code, rule) {
        (ReasonCode::ControlPlane | ReasonCode::Malformed | ReasonCode::LimitReached, _) => None,
        (ReasonCode::Forbidden, Some(rule)) => Some(format!(
            "a forbid wins over every allow: a person can change rule {}",
            rule.reference
        )),
        (ReasonCode::NeedsInterception, Some(rule)) if rule.is_forbid => {
            Some(format!("a person can change rule {}", rule.reference))
        }
        (ReasonCode::NeedsInterception, Some(rule)) => Some(format!(
            "a person can write a rule for {destination} without `methods` and `paths`, or change rule {}",
            rule.reference
        )),
        (ReasonCode::ProtocolMismatch, Some(rule)) => Some(format!(
            "a person can set `protocol` in rule {}",
            rule.reference
        )),
        (ReasonCode::MethodNotAllowed, Some(rule)) => {
            let (method, _) = query.request?;
            let reference = &rule.reference;
            Some(format!(
                "a person can add {} to `methods` of rule {reference}",
                quoted(method)
            ))
        }
        (ReasonCode::PathNotAllowed, Some(rule)) => {
            let (_, path) = query.request?;
            let reference = &rule.reference;
            Some(format!(
                "a person can add \"{}\" to `paths` of rule {reference}",
                quoted(path)
            ))
        }
        (ReasonCode::RuleExpired, Some(_)) => {
            Some(format!("ringfence allow {destination} --for 1h"))
        }
        _ => Some(format!("ringfence allow {destination}")),
    }
}

/// What a rule with a miss does allow (or forbid), and what was wanted.
pub(crate) fn missed(miss: Miss, rule: &Rule, query: &Query<'_>) -> String {
    let target = &rule.target;
    let (method, path) = query.request.unwrap_or_default();
    let port = query.destination.port;
    match miss {
        Miss::Port => format!("is for {target} on {}, not on {port}", rule.ports),
        Miss::Protocol => format!("is not for {} on {target}:{port}", query.wanted_name()),
        Miss::Interception => format!(
            "is for some requests to {target}:{port}, which cannot be told apart inside TLS"
        ),
        Miss::Method => {
            let methods = List(rule.methods.as_deref().unwrap_or_default());
            format!("is for {methods} to {target}, not for {}", quoted(method))
        }
        Miss::Path => {
            let paths = List(rule.paths.as_deref().unwrap_or_default());
            format!("is for {paths} on {target}, not for \"{}\"", quoted(path))
        }
        Miss::Expired => match rule.expires {
            Some(expires) => format!("was for {target} until {expires}"),
            None => format!("is for {target}"),
        },
    }
}

fn forbidden(rule: &Rule, query: &Query<'_>) -> String {
    let start = format!("rule {} forbids {}", rule.reference, Subject(query));
    match &rule.reason {
        Some(reason) => format!("{start}: {reason}"),
        None => start,
    }
}

/// Both an allow that would have to look inside TLS and a forbid that would have to.
fn unreadable(rule: &Rule, query: &Query<'_>) -> String {
    let destination = query.destination;
    format!(
        "rule {} is about some requests to {destination}, which cannot be told apart without reading them",
        rule.reference
    )
}

const fn miss_of(code: ReasonCode) -> Option<Miss> {
    match code {
        ReasonCode::PortNotAllowed => Some(Miss::Port),
        ReasonCode::ProtocolMismatch => Some(Miss::Protocol),
        ReasonCode::MethodNotAllowed => Some(Miss::Method),
        ReasonCode::PathNotAllowed => Some(Miss::Path),
        ReasonCode::RuleExpired => Some(Miss::Expired),
        _ => None,
    }
}

/// What was wanted: `example.com:443`, or `GET example.com:80/path`.
pub(crate) struct Subject<'a>(pub(crate) &'a Query<'a>);

impl Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Query {
            destination,
            request,
            ..
        } = self.0;
        match request {
            Some((method, path)) => {
                write!(f, "{} {destination}{}", quoted(method), quoted(path))
            }
            None => write!(f, "{destination}"),
        }
    }
}

impl Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(pattern) => pattern.fmt(f),
            Self::Network(net) => net.fmt(f),
        }
    }
}

impl Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every => f.write_str("every port"),
            Self::Named(ports) if ports.len() == 1 => write!(f, "port {}", List(ports)),
            Self::Named(ports) => write!(f, "ports {}", List(ports)),
        }
    }
}

struct List<'a, T>(&'a [T]);

impl<T: Display> Display for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, entry) in self.0.iter().take(LISTED).enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{entry}")?;
        }
        match self.0.len().saturating_sub(LISTED) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}
