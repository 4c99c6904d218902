//! One compiled rule: defaults filled in, nothing left to look up.

use std::num::NonZeroU16;
use std::ops::{BitAnd, BitOr};
use std::sync::Arc;

use ipnet::IpNet;
use jiff::Timestamp;
use ringfence_model::{HostPattern, RuleRef};

use crate::document::{Cidr, Method, NetworkMatch, NetworkRule, PathPattern, Profile, Protocol};

/// The ports of an allow of a host that names none.
const DEFAULT_PORTS: [u16; 2] = [80, 443];

/// A rule as the decision sees it.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) reference: RuleRef,
    pub(crate) is_forbid: bool,
    pub(crate) target: Target,
    pub(crate) ports: Ports,
    protocol: Protocol,
    pub(crate) methods: Option<Vec<Method>>,
    pub(crate) paths: Option<Vec<PathPattern>>,
    pub(crate) addresses: Option<Arc<[IpNet]>>,
    pub(crate) expires: Option<Timestamp>,
    pub(crate) reason: Option<String>,
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

/// A set of the three kinds of bytes that a connection can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Protocols(u8);

impl Protocols {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const TLS: Self = Self(1);
    pub(crate) const HTTP: Self = Self(2);
    pub(crate) const OPAQUE: Self = Self(4);
    pub(crate) const ALL: Self = Self(7);

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

    fn of(ports: Option<&Vec<NonZeroU16>>, is_forbid: bool) -> Self {
        match ports {
            None if is_forbid => Self::Every,
            None => Self::Named(Box::new(DEFAULT_PORTS)),
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
    pub(crate) const fn is_limited(&self) -> bool {
        self.methods.is_some() || self.paths.is_some()
    }

    /// Which bytes it lets through on `port`, before methods and paths are looked at.
    pub(crate) const fn protocols_on(&self, port: u16) -> Protocols {
        match (self.protocol, port) {
            (Protocol::Auto, 443) | (Protocol::Tls, _) => Protocols::TLS,
            (Protocol::Auto, 80) | (Protocol::Http, _) => Protocols::HTTP,
            (Protocol::Auto, _) => Protocols::ALL,
            (Protocol::Tcp, _) => Protocols::OPAQUE,
        }
    }

    pub(crate) fn has_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    pub(crate) fn takes_method(&self, method: &str) -> bool {
        self.methods
            .as_ref()
            .is_none_or(|methods| methods.iter().any(|known| known.as_str() == method))
    }

    pub(crate) fn takes_path(&self, path: &str) -> bool {
        self.paths
            .as_ref()
            .is_none_or(|paths| paths.iter().any(|pattern| pattern.matches(path)))
    }
}

/// The rules of a profile.
pub(super) fn of_profile(profile: &Profile) -> impl Iterator<Item = Rule> {
    let rules = profile.network.iter().enumerate();
    rules.filter_map(|(index, rule)| compile(reference(profile, index, rule), rule))
}

/// `profile/network/id`, or the position from 1 where the rule has no id.
pub(crate) fn reference(profile: &Profile, index: usize, rule: &NetworkRule) -> RuleRef {
    let name = &profile.name;
    RuleRef(match &rule.terms().id {
        Some(id) => format!("{name}/network/{id}"),
        None => format!("{name}/network/{}", index + 1),
    })
}

/// None where a rule names nothing, which the check of a profile refuses.
pub(crate) fn compile(reference: RuleRef, rule: &NetworkRule) -> Option<Rule> {
    let terms = rule.terms();
    Some(Rule {
        reference,
        is_forbid: rule.is_forbid(),
        target: target(terms)?,
        ports: Ports::of(terms.ports.as_ref(), rule.is_forbid()),
        protocol: terms.protocol,
        methods: terms.methods.clone(),
        paths: terms.paths.clone(),
        addresses: terms
            .addresses
            .as_ref()
            .map(|networks| networks.iter().map(Cidr::net).collect()),
        expires: terms.expires,
        reason: terms.reason.clone(),
    })
}

fn target(terms: &NetworkMatch) -> Option<Target> {
    match (&terms.host, terms.cidr) {
        (Some(host), None) => Some(Target::Host(host.clone())),
        (None, Some(cidr)) => Some(Target::Network(cidr.net())),
        _ => None,
    }
}
