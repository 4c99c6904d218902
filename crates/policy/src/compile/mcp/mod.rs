//! The `mcp` section compiled: servers by their names, rules by their servers.

mod rule;

use std::collections::BTreeMap;
use std::sync::Arc;

use ipnet::IpNet;
use jiff::Timestamp;
use ringfence_model::mcp::{McpServer, ServerName};
use ringfence_model::{HostPattern, RuleRef};

use super::Rule;
use super::rule::{Connection, Service};
use crate::document::{Cidr, Profile};
pub(crate) use rule::{McpRule, mcp_reference, server_reference};

/// What the MCP sections of all profiles say.
#[derive(Debug, Default)]
pub(crate) struct McpPolicy {
    servers: BTreeMap<ServerName, Server>,
    /// Those that some rule is about.
    named: Vec<McpServer>,
    pub(crate) allows: McpRules,
    pub(crate) forbids: McpRules,
}

/// A server and where it is.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) server: Arc<McpServer>,
    /// Networks that it may resolve into; none: public addresses.
    pub(crate) addresses: Option<Arc<[IpNet]>>,
}

/// MCP rules of one effect.
#[derive(Debug, Default)]
pub(crate) struct McpRules {
    /// Sorted by name.
    rules: Vec<Arc<McpRule>>,
    by_server: BTreeMap<ServerName, Vec<usize>>,
}

impl McpPolicy {
    pub(super) fn compile(profiles: &[Profile]) -> Self {
        let servers = servers(profiles);
        let rules = profiles.iter().flat_map(|profile| {
            let numbered = profile.mcp.iter().enumerate();
            numbered.map(|(index, rule)| {
                let reference = mcp_reference(profile, index, rule);
                let server = servers.get(&rule.terms().server);
                let server = server.map(|it| it.server.as_ref());
                Arc::new(McpRule::of(reference, rule, server))
            })
        });
        let (forbids, allows): (Vec<_>, Vec<_>) = rules.partition(|rule| rule.is_forbid);
        let (allows, forbids) = (McpRules::new(allows), McpRules::new(forbids));
        let is_named = |it: &&Server| {
            let name = &it.server.name;
            allows.by_server.contains_key(name) || forbids.by_server.contains_key(name)
        };
        let named = servers.values().filter(is_named);
        Self {
            named: named.map(|it| McpServer::clone(&it.server)).collect(),
            servers,
            allows,
            forbids,
        }
    }

    pub(crate) fn server(&self, name: &ServerName) -> Option<&Server> {
        self.servers.get(name)
    }

    /// The servers that some rule is about.
    pub(crate) fn named(&self) -> &[McpServer] {
        &self.named
    }

    /// The rules for connections to the servers that rules are about: one for each server and
    /// effect, called by the rule that counts longest.
    pub(crate) fn connections(&self) -> Vec<Rule> {
        let mut rules = Vec::new();
        // Nothing is dialled for the gateway's own.
        let named = self.named.iter().filter(|it| !it.name.is_own());
        for server in named.filter_map(|it| self.server(&it.name)) {
            for of_effect in [&self.allows, &self.forbids] {
                let longest = of_effect.longest(&server.server.name);
                rules.extend(longest.and_then(|rule| server.connection(rule)));
            }
        }
        rules
    }
}

impl Server {
    /// None where it has no name, which none of them lacks.
    fn connection(&self, rule: &McpRule) -> Option<Rule> {
        let destination = &self.server.destination;
        let connection = Connection {
            reference: rule.reference.clone(),
            service: Service::Mcp,
            host: HostPattern::Exact(destination.host.name()?.clone()),
            // Another port of the same host need not be the same service.
            port: Some(destination.port),
            scheme: self.server.scheme,
            addresses: self.addresses.clone(),
            expires: rule.expires,
            reason: rule.reason.clone(),
        };
        Some(Rule::of_service(connection, rule.is_forbid))
    }
}

impl McpRules {
    fn new(mut rules: Vec<Arc<McpRule>>) -> Self {
        rules.sort_by(|a, b| a.reference.cmp(&b.reference));
        let mut by_server: BTreeMap<ServerName, Vec<usize>> = BTreeMap::new();
        for (position, rule) in rules.iter().enumerate() {
            by_server
                .entry(rule.server.clone())
                .or_default()
                .push(position);
        }
        Self { rules, by_server }
    }

    /// The rules that are about a server, by their names.
    pub(crate) fn about(&self, server: &ServerName) -> impl Iterator<Item = &McpRule> {
        let positions = self.by_server.get(server).into_iter().flatten();
        positions.filter_map(|at| self.rules.get(*at).map(Arc::as_ref))
    }

    /// The names of all rules, and until when they count.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&RuleRef, Option<Timestamp>)> {
        self.rules
            .iter()
            .map(|rule| (&rule.reference, rule.expires))
    }

    /// Of the rules about a server the one that expires last.
    fn longest(&self, server: &ServerName) -> Option<&McpRule> {
        let rank = |rule: &McpRule| rule.expires.unwrap_or(Timestamp::MAX);
        let rules = self.about(server);
        rules.reduce(|best, other| {
            if rank(other) > rank(best) {
                other
            } else {
                best
            }
        })
    }
}

fn servers(profiles: &[Profile]) -> BTreeMap<ServerName, Server> {
    let described = profiles.iter().flat_map(|profile| &profile.mcp_servers);
    let server = described.map(|terms| Server {
        server: Arc::new(terms.server()),
        addresses: terms
            .addresses
            .as_ref()
            .map(|cidrs| cidrs.iter().map(Cidr::net).collect()),
    });
    let own = McpServer::own().map(|server| Server {
        server: Arc::new(server),
        addresses: None,
    });
    // The gateway's own counts more than what says to be it.
    let all = server.chain(own);
    all.map(|it| (it.server.name.clone(), it)).collect()
}
