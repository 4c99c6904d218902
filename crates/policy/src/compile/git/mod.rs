//! The `git` section compiled: servers by their hosts, rules by their repositories.

mod repos;
mod rule;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use ipnet::IpNet;
use jiff::Timestamp;
use ringfence_model::git::{GitUpstream, RepoError, RepoId, UpstreamKind, UpstreamName};
use ringfence_model::{Destination, Host, HostPattern, RuleRef, Scheme};

use super::Rule;
use super::rule::{Connection, Service};
use crate::document::{Cidr, GitUpstreamTerms, Profile};
use repos::Repos;
pub(crate) use rule::{GitRule, git_reference, upstream_reference};

/// What the git sections of all profiles say.
#[derive(Debug, Default)]
pub(crate) struct GitPolicy {
    /// Those that are known from the start and those that profiles describe.
    servers: BTreeMap<UpstreamName, Server>,
    /// Those that some rule names.
    named: Vec<GitUpstream>,
    pub(crate) allows: GitRules,
    pub(crate) forbids: GitRules,
}

/// A git server and where it is.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) upstream: Arc<GitUpstream>,
    hosts: Vec<HostPattern>,
    /// Networks that it may resolve into; none: public addresses.
    pub(crate) addresses: Option<Arc<[IpNet]>>,
}

/// Git rules of one effect, found by repository.
#[derive(Debug, Default)]
pub(crate) struct GitRules {
    /// Sorted by name.
    rules: Vec<Arc<GitRule>>,
    by_upstream: HashMap<UpstreamName, ByRepo>,
}

#[derive(Debug, Default)]
struct ByRepo {
    exact: HashMap<String, Vec<usize>>,
    patterns: Vec<usize>,
    all: Vec<usize>,
}

impl GitPolicy {
    pub(super) fn compile(profiles: &[Profile]) -> Self {
        let servers = servers(profiles);
        let rules = profiles.iter().flat_map(|profile| {
            let numbered = profile.git.iter().enumerate();
            numbered.map(|(index, rule)| (git_reference(profile, index, rule), rule))
        });
        let (forbids, allows): (Vec<_>, Vec<_>) = rules
            .filter_map(|(reference, rule)| {
                let upstream = &servers.get(rule.terms().upstream()?)?.upstream;
                GitRule::of(reference, rule, upstream).map(Arc::new)
            })
            .partition(|rule| rule.is_forbid);
        let (allows, forbids) = (GitRules::new(allows), GitRules::new(forbids));
        let is_named = |name: &UpstreamName| {
            allows.by_upstream.contains_key(name) || forbids.by_upstream.contains_key(name)
        };
        let named = servers.values().filter(|it| is_named(&it.upstream.name));
        Self {
            named: named.map(|it| GitUpstream::clone(&it.upstream)).collect(),
            servers,
            allows,
            forbids,
        }
    }

    /// A policy without rules.
    pub(super) fn empty() -> Self {
        Self {
            servers: servers(&[]),
            ..Self::default()
        }
    }

    pub(crate) fn server(&self, name: &UpstreamName) -> Option<&Server> {
        self.servers.get(name)
    }

    /// The servers that some rule names.
    pub(crate) fn named(&self) -> &[GitUpstream] {
        &self.named
    }

    /// The same with where they are.
    pub(crate) fn named_servers(&self) -> impl Iterator<Item = &Server> {
        self.named.iter().filter_map(|it| self.server(&it.name))
    }

    /// The rules for connections to the servers that rules name: one for each host and effect,
    /// called by the rule that counts longest.
    pub(super) fn connections(&self) -> Vec<Rule> {
        let mut rules = Vec::new();
        for server in self.named_servers() {
            for of_effect in [&self.allows, &self.forbids] {
                let longest = of_effect.longest(&server.upstream.name);
                if let Some(rule) = longest {
                    let hosts = server.hosts.iter();
                    rules.extend(hosts.map(|host| server.connection(rule, host)));
                }
            }
        }
        rules
    }

    /// The repository that a text names, as in `github/acme/docs`, with its server.
    pub(crate) fn repository(&self, text: &str) -> Result<(&Server, RepoId), RepoError> {
        let (name, path) = text.split_once('/').ok_or(RepoError::Upstream)?;
        let server = self.server(&UpstreamName::new(name)?);
        let server = server.ok_or(RepoError::Upstream)?;
        Ok((server, RepoId::new(&server.upstream, path)?))
    }
}

impl Server {
    fn new(upstream: GitUpstream, addresses: Option<&[Cidr]>) -> Self {
        Self {
            hosts: upstream.hosts(),
            upstream: Arc::new(upstream),
            addresses: addresses.map(|cidrs| cidrs.iter().map(Cidr::net).collect()),
        }
    }

    /// Whether it is at `host`, whatever the port.
    pub(crate) fn is_known_as(&self, host: &Host) -> bool {
        let is_known = |name| self.hosts.iter().any(|known| known.matches(name));
        host.name().is_some_and(is_known)
    }

    /// Whether git requests to `destination` are requests to it.
    pub(crate) fn is_at(&self, destination: &Destination) -> bool {
        self.upstream.destination.port == destination.port && self.is_known_as(&destination.host)
    }

    /// Whether an agent that speaks HTTP to `destination` speaks to it.
    pub(crate) fn is_spoken_at(&self, destination: &Destination) -> bool {
        self.spoken_port() == destination.port && self.is_known_as(&destination.host)
    }

    /// The port at which an agent speaks to it. Over SSH speaks the gateway alone.
    fn spoken_port(&self) -> u16 {
        match self.upstream.kind {
            UpstreamKind::Ssh => HTTPS,
            _ => self.upstream.destination.port,
        }
    }

    fn connection(&self, rule: &GitRule, host: &HostPattern) -> Rule {
        let port = self.spoken_port();
        let connection = Connection {
            reference: rule.reference.clone(),
            service: Service::Git,
            host: host.clone(),
            // A forbid is about the server by whatever way it is reached.
            port: (!rule.is_forbid).then_some(port),
            scheme: match self.upstream.kind {
                UpstreamKind::Ssh => Scheme::Https,
                _ => self.upstream.scheme,
            },
            addresses: self.addresses.clone(),
            expires: rule.expires,
            reason: rule.reason.clone(),
        };
        Rule::of_service(connection, rule.is_forbid)
    }
}

impl GitRules {
    fn new(mut rules: Vec<Arc<GitRule>>) -> Self {
        rules.sort_by(|a, b| a.reference.cmp(&b.reference));
        let mut by_upstream: HashMap<UpstreamName, ByRepo> = HashMap::new();
        for (position, rule) in rules.iter().enumerate() {
            let of_upstream = by_upstream.entry(rule.upstream.clone()).or_default();
            of_upstream.all.push(position);
            for path in rule.repos.exact() {
                let known = of_upstream.exact.entry(path.clone()).or_default();
                known.push(position);
            }
            if rule.repos.has_patterns() {
                of_upstream.patterns.push(position);
            }
        }
        Self { rules, by_upstream }
    }

    /// The rules that are about a repository, by their names.
    pub(crate) fn about(&self, repo: &RepoId) -> Vec<&Arc<GitRule>> {
        let Some(of_upstream) = self.by_upstream.get(repo.upstream()) else {
            return Vec::new();
        };
        let readings = Repos::readings(repo.path());
        let exact = readings
            .iter()
            .filter_map(|path| of_upstream.exact.get(path));
        let mut positions: Vec<usize> = exact.flatten().copied().collect();
        positions.extend(&of_upstream.patterns);
        positions.sort_unstable();
        positions.dedup();
        let rules = positions.iter().filter_map(|at| self.rules.get(*at));
        rules
            .filter(|rule| rule.repos.matches(repo.path()))
            .collect()
    }

    /// All rules of a server, by their names.
    pub(crate) fn of(&self, upstream: &UpstreamName) -> impl Iterator<Item = &Arc<GitRule>> {
        let of_upstream = self.by_upstream.get(upstream);
        let positions = of_upstream.into_iter().flat_map(|it| &it.all);
        positions.filter_map(|at| self.rules.get(*at))
    }

    /// The names of all rules, and until when they count.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&RuleRef, Option<Timestamp>)> {
        let rules = self.rules.iter();
        rules.map(|rule| (&rule.reference, rule.expires))
    }

    /// Of the rules of a server the one that expires last.
    fn longest(&self, upstream: &UpstreamName) -> Option<&GitRule> {
        let rank = |rule: &GitRule| rule.expires.unwrap_or(Timestamp::MAX);
        self.of(upstream).map(Arc::as_ref).reduce(|best, other| {
            if rank(other) > rank(best) {
                other
            } else {
                best
            }
        })
    }
}

const HTTPS: u16 = 443;

fn servers(profiles: &[Profile]) -> BTreeMap<UpstreamName, Server> {
    let builtin = GitUpstream::builtin();
    let builtin = builtin.into_iter().map(|it| Server::new(it, None));
    let described = profiles.iter().flat_map(|profile| &profile.git_upstreams);
    let described = described
        .map(|terms: &GitUpstreamTerms| Server::new(terms.upstream(), terms.addresses.as_deref()));
    builtin
        .chain(described)
        .map(|server| (server.upstream.name.clone(), server))
        .collect()
}
