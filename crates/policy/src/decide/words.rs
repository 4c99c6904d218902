//! Decisions in words: for the agent that was refused and the person who reviews it. Text
//! that the agent chose is quoted, escaped and cut.

use std::fmt::{self, Display};

use ringfence_model::ReasonCode;

use super::{Miss, Query, conditions};
use crate::compile::{Ports, Rule, Service, Target};
use crate::error::quoted;
use crate::limits::PATH_OCTETS;

/// Most entries of a list that are spelled out.
const LISTED: usize = 6;

pub(super) fn allowed(rule: &Rule, query: &Query<'_>) -> String {
    format!("rule {} allows {}", rule.reference, Subject(query))
}

/// Why an action is denied.
pub(super) enum Cause<'a> {
    /// No rule is asked, or none is about it.
    Outright(ReasonCode),
    /// It belongs to a service, and did not come as a request to it.
    Stray(Service),
    Forbidden(&'a Rule),
    /// A forbid would have to read what cannot be read.
    Unreadable(&'a Rule),
    /// The rule that came closest.
    Missed(Miss, &'a Rule),
    /// Two rules that send different credentials.
    Ambiguous(&'a Rule, &'a Rule),
}

impl<'a> Cause<'a> {
    pub(super) const fn code(&self) -> ReasonCode {
        match self {
            Self::Outright(code) => *code,
            Self::Stray(_) => ReasonCode::ProtocolMismatch,
            Self::Forbidden(_) => ReasonCode::Forbidden,
            Self::Unreadable(_) => ReasonCode::NeedsInterception,
            Self::Missed(miss, _) => miss.code(),
            Self::Ambiguous(..) => ReasonCode::CredentialAmbiguous,
        }
    }

    pub(super) const fn rule(&self) -> Option<&'a Rule> {
        match self {
            Self::Outright(_) | Self::Stray(_) => None,
            Self::Forbidden(rule)
            | Self::Unreadable(rule)
            | Self::Missed(_, rule)
            | Self::Ambiguous(rule, _) => Some(rule),
        }
    }
}

pub(super) fn denied(cause: &Cause<'_>, query: &Query<'_>) -> String {
    match cause {
        Cause::Outright(code) => outright(*code, query),
        Cause::Stray(service) => {
            let (host, section) = (&query.destination.host, service.section());
            format!(
                "{service} to {host} are decided by {section} rules, and this did not come as one"
            )
        }
        Cause::Forbidden(rule) => forbidden(rule, query),
        Cause::Unreadable(rule) => format!(
            "rule {} is about some requests to {}, which cannot be told apart without reading them",
            rule.reference, query.destination
        ),
        Cause::Missed(miss, rule) => {
            format!("rule {} {}", rule.reference, missed(*miss, rule, query))
        }
        Cause::Ambiguous(one, other) => format!(
            "rules {} and {} allow {} with different credentials",
            one.reference,
            other.reference,
            Subject(query)
        ),
    }
}

fn outright(code: ReasonCode, query: &Query<'_>) -> String {
    let host = &query.destination.host;
    match code {
        ReasonCode::ControlPlane => format!("{host} is Ringfence itself, which no rule can open"),
        ReasonCode::Malformed => {
            let (_, path) = query.line();
            format!("the path \"{}\" can be read in several ways", quoted(path))
        }
        ReasonCode::LimitReached => format!("the path is longer than {PATH_OCTETS} octets"),
        ReasonCode::AddressNotNamed => format!("no rule names the address {host}"),
        _ => format!("no rule allows {host}"),
    }
}

/// What a person can do about a denial; none where nothing can be granted.
pub(super) fn next_step(cause: &Cause<'_>, query: &Query<'_>) -> Option<String> {
    let destination = query.destination;
    match cause {
        Cause::Outright(
            ReasonCode::ControlPlane | ReasonCode::Malformed | ReasonCode::LimitReached,
        )
        | Cause::Stray(_) => None,
        Cause::Outright(_) => Some(format!("ringfence allow {destination}")),
        Cause::Forbidden(rule) => Some(format!(
            "a forbid wins over every allow: a person can change rule {}",
            rule.reference
        )),
        Cause::Unreadable(rule) => Some(format!("a person can change rule {}", rule.reference)),
        Cause::Missed(miss, rule) => Some(after_miss(*miss, rule, query)),
        Cause::Ambiguous(one, other) => Some(format!(
            "a person can change rule {} or {}, so that one of them is for it",
            one.reference, other.reference
        )),
    }
}

fn after_miss(miss: Miss, rule: &Rule, query: &Query<'_>) -> String {
    let destination = query.destination;
    let reference = &rule.reference;
    let (method, path) = query.line();
    match miss {
        // The command writes a network rule, which would send requests without the credential.
        Miss::Port if rule.requests.is_some() => {
            format!("a person can set `ports` in rule {reference}")
        }
        Miss::Protocol if rule.requests.is_some() => {
            format!("a person can set `scheme` in rule {reference}")
        }
        Miss::Expired if rule.requests.is_some() => {
            format!("a person can set `expires` in rule {reference}")
        }
        Miss::Port => format!("ringfence allow {destination}"),
        // What is asked for has nothing to do with it: a rule of another section is for it.
        Miss::Service(_) => format!("ringfence allow {destination}"),
        Miss::Protocol => format!("a person can set `protocol` in rule {reference}"),
        Miss::Method => format!(
            "a person can add {} to `methods` of rule {reference}",
            quoted(method)
        ),
        Miss::Path if rule.paths.is_some() => format!(
            "a person can add \"{}\" to `paths` of rule {reference}",
            quoted(path)
        ),
        Miss::Path | Miss::Condition(_) => format!("a person can change rule {reference}"),
        Miss::Expired => format!("ringfence allow {destination} --for 1h"),
    }
}

/// What a rule with a miss does allow (or forbid), and what was wanted.
pub(crate) fn missed(miss: Miss, rule: &Rule, query: &Query<'_>) -> String {
    let target = &rule.target;
    let (method, path) = query.line();
    let port = query.destination.port;
    match miss {
        Miss::Port => format!("is for {target} on {}, not on {port}", rule.ports),
        Miss::Protocol => format!("is not for {} on {target}:{port}", query.wanted_name()),
        Miss::Service(service) => format!("is for {service} to {target}, not for others"),
        Miss::Method => {
            let methods = List(rule.methods.as_deref().unwrap_or_default());
            format!("is for {methods} to {target}, not for {}", quoted(method))
        }
        Miss::Path => match &rule.paths {
            Some(paths) => format!(
                "is for {} on {target}, not for \"{}\"",
                List(paths),
                quoted(path)
            ),
            None => format!(
                "is for {target}, but not for the path parameters in \"{}\"",
                quoted(path)
            ),
        },
        Miss::Condition(unmet) => match &rule.requests {
            Some(requests) => conditions::words::missed(unmet, requests, query),
            None => format!("is for {target}"),
        },
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
            Some(request) => {
                let (method, path) = (quoted(&request.method), quoted(&request.path));
                write!(f, "{method} {destination}{path}")
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

impl Service {
    /// The section of its rules.
    const fn section(self) -> &'static str {
        match self {
            Self::Git => "git",
            Self::Llm => "llm",
            Self::Mcp => "mcp",
        }
    }
}

impl Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Git => "git requests",
            Self::Llm => "LLM requests",
            Self::Mcp => "MCP messages",
        })
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

pub(super) struct List<'a, T>(pub(super) &'a [T]);

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
