//! What an allowed action may carry, and which addresses may be dialled for it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;
use jiff::Timestamp;
use ringfence_model::git::GitUpstream;
use ringfence_model::llm::LlmProvider;
use ringfence_model::mcp::McpServer;
use ringfence_model::{Host, RuleRef, classify};

use super::terms::RequestTerms;
use crate::compile::{Rule, RuleIndex};
use crate::document::Cidr;

/// What an allowed action may carry. For a request, only one of the protocols is set, and
/// `addresses` and `valid_until` are what matters.
#[derive(Debug, Clone)]
pub struct Grant {
    /// A TLS tunnel whose server name equals the decided name.
    pub tls: bool,
    /// Plain HTTP, every request of which is then decided on as a request.
    pub http: bool,
    /// Any other bytes.
    pub opaque: bool,
    /// TLS that the gateway terminates, every request in which is then decided on as a request.
    /// Where `tls` is set as well, the rules leave it to the gateway; it does not look inside then.
    pub https: bool,
    /// For a request: the terms of each rule that allows it, by the names of the rules. All name
    /// the same credential or none. The first whose precondition holds counts.
    pub terms: Vec<Arc<RequestTerms>>,
    /// For a git request: the server that its repository is on.
    pub git: Option<Arc<GitUpstream>>,
    /// For a request to a language model: its provider.
    pub llm: Option<Arc<LlmProvider>>,
    /// For a message to a server of the Model Context Protocol: the server.
    pub mcp: Option<Arc<McpServer>>,
    /// Which resolved addresses may be dialled.
    pub addresses: AddressGrant,
    /// The earliest expiry among the rules that allow it; then it must be decided on again.
    pub valid_until: Option<Timestamp>,
}

/// Which addresses may be dialled for an allowed action.
#[derive(Debug, Clone)]
pub struct AddressGrant {
    scope: Scope,
    barred: Option<BarredNetworks>,
}

/// Where a destination may be.
#[derive(Debug, Clone)]
pub(super) enum Scope {
    /// At this address alone.
    Only(IpAddr),
    /// At public addresses, and in the named networks.
    Resolved {
        public: bool,
        named: Vec<Arc<[IpNet]>>,
    },
}

/// The networks that no name may resolve into.
#[derive(Debug, Clone)]
pub(super) struct BarredNetworks {
    pub(super) forbids: Arc<RuleIndex>,
    pub(super) port: u16,
    pub(super) now: Timestamp,
}

impl AddressGrant {
    pub(super) const fn new(scope: Scope, barred: Option<BarredNetworks>) -> Self {
        Self { scope, barred }
    }

    /// Public addresses and these networks, for a destination that no rule is about.
    #[must_use]
    pub fn beside_public(networks: &[Cidr]) -> Self {
        let named: Arc<[IpNet]> = networks.iter().map(Cidr::net).collect();
        let scope = Scope::Resolved {
            public: true,
            named: vec![named],
        };
        Self::new(scope, None)
    }

    /// Whether `address` may be dialled.
    ///
    /// An IPv6 address that carries an IPv4 address is never public, but is inside a named or
    /// forbidden network when the IPv4 address is.
    #[must_use]
    pub fn permits(&self, address: IpAddr) -> bool {
        let canonical = address.to_canonical();
        let in_scope = match &self.scope {
            Scope::Only(only) => *only == canonical,
            Scope::Resolved { public, named } => {
                let is_named = || {
                    let mut networks = named.iter().flat_map(|networks| networks.iter());
                    networks.any(|network| network.contains(&canonical))
                };
                (*public && classify(address).is_public()) || is_named()
            }
        };
        let barred = self.barred.as_ref();
        in_scope && barred.is_none_or(|barred| barred.by(canonical, barred.port).is_none())
    }

    /// The addresses that a redirect to another host may lead to: public ones that no rule
    /// forbids. None where the destination is itself an address, whose rules say nothing of names.
    #[must_use]
    pub fn of_redirect(&self) -> Option<Self> {
        match self.scope {
            Scope::Only(_) => None,
            Scope::Resolved { .. } => Some(Self {
                scope: Scope::Resolved {
                    public: true,
                    named: Vec::new(),
                },
                barred: self.barred.clone(),
            }),
        }
    }

    /// The rule that forbids to dial `address`, however a name leads there: a forbid of a network
    /// wins over what configuration says about a name as well.
    #[must_use]
    pub fn barred_by(&self, address: SocketAddr) -> Option<&RuleRef> {
        let barred = self.barred.as_ref()?;
        barred.by(address.ip().to_canonical(), address.port())
    }
}

impl Scope {
    /// Before any rule was asked. `host_name` is the name of this machine's loopback.
    pub(super) fn of(host: &Host, host_name: &str) -> Self {
        match host {
            Host::Address(address) => Self::Only(address.to_canonical()),
            Host::Name(name) if name.as_str() == host_name => {
                Self::Only(IpAddr::V4(Ipv4Addr::LOCALHOST))
            }
            Host::Name(_) => Self::Resolved {
                public: false,
                named: Vec::new(),
            },
        }
    }

    /// Adds what a rule with these `addresses` grants.
    pub(super) fn add(&mut self, addresses: Option<&Arc<[IpNet]>>) {
        match (self, addresses) {
            (Self::Only(_), _) => {}
            (Self::Resolved { public, .. }, None) => *public = true,
            (Self::Resolved { named, .. }, Some(networks)) => named.push(networks.clone()),
        }
    }
}

impl BarredNetworks {
    /// The forbid that holds `address`, on the port that was decided on or on the one that is
    /// dialled instead. One with methods or paths counts as well: a name gives no way to check them.
    fn by(&self, address: IpAddr, dialled: u16) -> Option<&RuleRef> {
        let on_port = |rule: &&Rule| rule.ports.contain(self.port) || rule.ports.contain(dialled);
        self.forbids
            .covering_address(address)
            .filter(on_port)
            .filter(|rule| !rule.has_expired(self.now))
            .map(|rule| &rule.reference)
            .min()
    }
}
