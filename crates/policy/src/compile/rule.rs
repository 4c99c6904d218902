//! One compiled rule: defaults filled in, nothing left to look up.

use std::num::NonZeroU16;
use std::ops::{BitAnd, BitOr};
use std::sync::Arc;

use ipnet::IpNet;
use jiff::Timestamp;
use ringfence_model::{HostPattern, RuleRef, Scheme};

use super::requests::{Requests, limited_terms};
use crate::decide::RequestTerms;
use crate::document::{
    ApiRule, Cidr, Method, NetworkMatch, NetworkRule, PathPattern, Profile, Protocol, RuleId,
    has_parameters, unscoped, without_parameters,
};

/// The ports of an allow of a host that names none.
const DEFAULT_PORTS: &[u16] = &[80, 443];

/// A rule as the decision sees it.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) reference: RuleRef,
    pub(crate) is_forbid: bool,
    pub(crate) target: Target,
    pub(crate) ports: Ports,
    carries: Carries,
    pub(crate) methods: Option<Vec<Method>>,
    pub(crate) paths: Option<Vec<PathPattern>>,
    /// What a rule of the `api` section says about requests.
    pub(crate) requests: Option<Box<Requests>>,
    /// For an allow of some requests: how they are sent.
    terms: Option<Arc<RequestTerms>>,
    pub(crate) addresses: Option<Arc<[IpNet]>>,
    pub(crate) expires: Option<Timestamp>,
    pub(crate) reason: Option<String>,
}

/// What git, LLM or MCP rules say about connections to one host.
pub(super) struct Connection {
    pub(super) reference: RuleRef,
    pub(super) service: Service,
    pub(super) host: HostPattern,
    /// None: every port.
    pub(super) port: Option<u16>,
    pub(super) scheme: Scheme,
    pub(super) addresses: Option<Arc<[IpNet]>>,
    pub(super) expires: Option<Timestamp>,
    pub(super) reason: Option<String>,
}

/// What a rule is about.
#[derive(Debug)]
pub(crate) enum Target {
    Host(HostPattern),
    Network(IpNet),
}

/// The ports that a rule is about.
#[derive(Debug)]
pub(crate) enum Ports {
    Every,
    /// In ascending order.
    Named(Box<[u16]>),
}

/// Which bytes a rule is about.
#[derive(Debug, Clone, Copy)]
enum Carries {
    Network {
        protocol: Protocol,
        tunnel: bool,
    },
    Requests(Scheme),
    /// Requests to a service, which its own rules decide on.
    Service(Service, Scheme),
}

/// A kind of requests that a section of its own decides on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Service {
    /// To git servers.
    Git,
    /// To providers of language models.
    Llm,
    /// To servers of the Model Context Protocol.
    Mcp,
}

/// A set of the kinds of bytes that a connection can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Protocols(u8);

impl Protocols {
    pub(crate) const NONE: Self = Self(0);
    /// TLS that passes unread, unless some rule needs it to be read.
    pub(crate) const TLS: Self = Self(1);
    pub(crate) const HTTP: Self = Self(2);
    pub(crate) const OPAQUE: Self = Self(4);
    /// TLS that the gateway terminates to read the requests in it.
    pub(crate) const HTTPS: Self = Self(8);
    /// TLS that passes unread, whatever other allows need.
    pub(crate) const TUNNEL: Self = Self(16);
    /// What the gateway can read.
    pub(crate) const READABLE: Self = Self(Self::HTTP.0 | Self::HTTPS.0);
    pub(crate) const ALL: Self = Self(31);

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl BitAnd for Protocols {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl BitOr for Protocols {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl Ports {
    pub(crate) fn contain(&self, port: u16) -> bool {
        match self {
            Self::Every => true,
            Self::Named(ports) => ports.binary_search(&port).is_ok(),
        }
    }

    fn of(ports: Option<&Vec<NonZeroU16>>, is_forbid: bool, default: &[u16]) -> Self {
        match ports {
            None if is_forbid => Self::Every,
            None => Self::Named(default.into()),
            Some(ports) => {
                let mut ports: Vec<u16> = ports.iter().map(|port| port.get()).collect();
                ports.sort_unstable();
                Self::Named(ports.into())
            }
        }
    }
}

impl Rule {
    /// Whether it matches by the content of HTTP requests.
    pub(crate) fn is_limited(&self) -> bool {
        let has_conditions = |requests: &Requests| requests.has_conditions();
        self.service().is_some()
            || self.methods.is_some()
            || self.paths.is_some()
            || self.requests.as_deref().is_some_and(has_conditions)
    }

    /// The service that it opens connections to, if it says nothing about other requests.
    pub(crate) const fn service(&self) -> Option<Service> {
        match self.carries {
            Carries::Service(service, _) => Some(service),
            Carries::Network { .. } | Carries::Requests(_) => None,
        }
    }

    /// The rule for connections to a service.
    pub(super) fn of_service(connection: Connection, is_forbid: bool) -> Self {
        Self {
            reference: connection.reference,
            is_forbid,
            target: Target::Host(connection.host),
            ports: match connection.port {
                Some(port) => Ports::Named([port].into()),
                None => Ports::Every,
            },
            carries: Carries::Service(connection.service, connection.scheme),
            methods: None,
            paths: None,
            requests: None,
            terms: None,
            addresses: connection.addresses,
            expires: connection.expires,
            reason: connection.reason,
        }
    }

    /// Which bytes it lets through on `port`, before anything of a request is looked at.
    pub(crate) fn protocols_on(&self, port: u16) -> Protocols {
        let (protocol, tunnel) = match self.carries {
            Carries::Requests(scheme) | Carries::Service(_, scheme) => {
                return match scheme {
                    Scheme::Http => Protocols::HTTP,
                    Scheme::Https => Protocols::HTTPS,
                };
            }
            Carries::Network { protocol, tunnel } => (protocol, tunnel),
        };
        let tls = if tunnel {
            Protocols::TUNNEL
        } else {
            Protocols::TLS | Protocols::HTTPS
        };
        let meant = match (protocol, port) {
            (Protocol::Auto, 443) | (Protocol::Tls, _) => tls,
            (Protocol::Auto, 80) | (Protocol::Http, _) => Protocols::HTTP,
            (Protocol::Auto, _) => tls | Protocols::HTTP | Protocols::OPAQUE,
            (Protocol::Tcp, _) => Protocols::OPAQUE,
        };
        if self.is_limited() {
            meant & Protocols::READABLE
        } else {
            meant
        }
    }

    pub(crate) fn has_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// A forbid takes a method in any case, as some servers do.
    fn is_method(&self, known: &Method, method: &str) -> bool {
        let is_folded = self.is_forbid && known.as_str().eq_ignore_ascii_case(method);
        known.as_str() == method || is_folded
    }

    pub(crate) fn takes_method(&self, method: &str) -> bool {
        self.methods
            .as_ref()
            .is_none_or(|methods| methods.iter().any(|known| self.is_method(known, method)))
    }

    /// Servers differ in whether path parameters, case and a slash at the end belong to the path. A
    /// forbid takes every reading; an allow of the `api` section takes a path with them only where its pattern has some.
    /// The same is true of an encoded slash: an allow takes it only where it says so.
    pub(crate) fn takes_path(&self, path: &str) -> bool {
        if let Some(plain) = unscoped(path) {
            return if self.is_forbid {
                self.takes_reading(path) || self.takes_reading(&plain)
            } else {
                self.takes_scopes() && self.takes_reading(path)
            };
        }
        self.takes_reading(path)
    }

    /// Whether it allows paths with `@scope%2Fname`.
    pub(crate) fn takes_scopes(&self) -> bool {
        let requests = self.requests.as_deref();
        requests.is_some_and(|requests| requests.scoped_names)
    }

    /// How near a path comes to those that it takes, in octets.
    pub(crate) fn nearness(&self, path: &str) -> usize {
        let patterns = self.paths.iter().flatten();
        let nearness = patterns.map(|pattern| pattern.nearness(path));
        nearness.max().unwrap_or_default()
    }

    fn takes_reading(&self, path: &str) -> bool {
        let Some(patterns) = &self.paths else {
            return self.is_forbid || self.requests.is_none() || !has_parameters(path);
        };
        if self.is_forbid {
            let mut patterns = patterns.iter();
            let bare = has_parameters(path).then(|| without_parameters(path));
            let is_bare = |pattern: &PathPattern| {
                bare.as_deref()
                    .is_some_and(|path| pattern.matches_folded(path))
            };
            return patterns.any(|pattern| pattern.matches_folded(path) || is_bare(pattern));
        }
        if !has_parameters(path) {
            return patterns.iter().any(|pattern| pattern.matches(path));
        }
        let is_api = self.requests.is_some();
        let named = |pattern: &&PathPattern| !is_api || pattern.names_parameters();
        let mut patterns = patterns.iter().filter(named);
        patterns.any(|pattern| pattern.matches(path))
    }

    /// How requests are sent that it allows; none for a rule that allows them unread.
    pub(crate) const fn terms(&self) -> Option<&Arc<RequestTerms>> {
        self.terms.as_ref()
    }
}

/// The rules of a profile.
pub(super) fn of_profile(profile: &Profile) -> impl Iterator<Item = Rule> {
    let network = profile.network.iter().enumerate();
    let network =
        network.filter_map(|(index, rule)| compile(network_reference(profile, index, rule), rule));
    let api = profile.api.iter().enumerate();
    let api = api.map(|(index, rule)| compile_api(api_reference(profile, index, rule), rule));
    network.chain(api)
}

/// `profile/network/id`, or the position from 1 where the rule has no id.
pub(crate) fn network_reference(profile: &Profile, index: usize, rule: &NetworkRule) -> RuleRef {
    reference(profile, "network", index, rule.terms().id.as_ref())
}

/// The same in the section `api`.
pub(crate) fn api_reference(profile: &Profile, index: usize, rule: &ApiRule) -> RuleRef {
    reference(profile, "api", index, rule.terms().id.as_ref())
}

fn reference(profile: &Profile, section: &str, index: usize, id: Option<&RuleId>) -> RuleRef {
    let name = &profile.name;
    RuleRef(match id {
        Some(id) => format!("{name}/{section}/{id}"),
        None => format!("{name}/{section}/{}", index + 1),
    })
}

/// None where a rule names nothing, which the check of a profile refuses.
pub(crate) fn compile(reference: RuleRef, rule: &NetworkRule) -> Option<Rule> {
    let terms = rule.terms();
    let is_limited_allow = terms.is_limited() && !rule.is_forbid();
    Some(Rule {
        is_forbid: rule.is_forbid(),
        target: target(terms)?,
        ports: Ports::of(terms.ports.as_ref(), rule.is_forbid(), DEFAULT_PORTS),
        carries: Carries::Network {
            protocol: terms.protocol,
            tunnel: terms.tunnel,
        },
        methods: terms.methods.clone(),
        paths: paths(terms.paths.as_deref(), rule.is_forbid()),
        requests: None,
        terms: is_limited_allow.then(|| Arc::new(limited_terms(reference.clone()))),
        addresses: terms.addresses.as_deref().map(networks),
        expires: terms.expires,
        reason: terms.reason.clone(),
        reference,
    })
}

/// A rule of the `api` section.
pub(crate) fn compile_api(reference: RuleRef, rule: &ApiRule) -> Rule {
    let terms = rule.terms();
    let scheme = terms.scheme.unwrap_or(Scheme::Https);
    let default_port = match scheme {
        Scheme::Http => 80,
        Scheme::Https => 443,
    };
    let sent = Requests::terms_of(reference.clone(), terms);
    Rule {
        is_forbid: rule.is_forbid(),
        target: Target::Host(terms.host.clone()),
        ports: Ports::of(terms.ports.as_ref(), rule.is_forbid(), &[default_port]),
        carries: Carries::Requests(scheme),
        methods: terms.methods.clone(),
        paths: paths(terms.paths.as_deref(), rule.is_forbid()),
        requests: Some(Box::new(Requests::of(terms))),
        terms: (!rule.is_forbid()).then(|| Arc::new(sent)),
        addresses: terms.addresses.as_deref().map(networks),
        expires: terms.expires,
        reason: terms.reason.clone(),
        reference,
    }
}

/// The patterns of a rule, in the form in which it asks them.
fn paths(patterns: Option<&[PathPattern]>, is_forbid: bool) -> Option<Vec<PathPattern>> {
    let asked = |pattern: &PathPattern| {
        if is_forbid {
            pattern.folded()
        } else {
            pattern.clone()
        }
    };
    patterns.map(|patterns| patterns.iter().map(asked).collect())
}

fn networks(cidrs: &[Cidr]) -> Arc<[IpNet]> {
    cidrs.iter().map(Cidr::net).collect()
}

fn target(terms: &NetworkMatch) -> Option<Target> {
    match (&terms.host, terms.cidr) {
        (Some(host), None) => Some(Target::Host(host.clone())),
        (None, Some(cidr)) => Some(Target::Network(cidr.net())),
        _ => None,
    }
}
