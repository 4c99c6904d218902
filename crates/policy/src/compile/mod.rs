//! Profiles become a [`Snapshot`]: rules flattened, ordered and indexed by destination, so
//! that a decision looks at the rules of one destination and at no other.

mod git;
mod hosts;
mod llm;
mod mcp;
mod networks;
mod requests;
mod rule;

use std::net::IpAddr;
use std::sync::Arc;

use ringfence_model::{Generation, Host, RuleRef};

use crate::document::{Profile, check, check_set};
use crate::error::PolicyError;
pub(crate) use git::{GitPolicy, GitRule, Server, git_reference, upstream_reference};
use hosts::HostIndex;
pub(crate) use llm::{LlmPolicy, LlmRule, Provider, llm_reference, provider_reference};
pub(crate) use mcp::{McpPolicy, McpRule, Server as McpServer, mcp_reference, server_reference};
use networks::NetworkIndex;
pub(crate) use requests::{Requests, limited_terms};
pub(crate) use rule::{
    Ports, Protocols, Rule, Service, Target, api_reference, compile as compile_rule, compile_api,
    network_reference,
};

/// A compiled policy: immutable, numbered, cheap to share behind an `Arc`.
///
/// It is the union of the allows of all its profiles, from which every forbid of any of them
/// is taken away. Neither the order of the profiles nor that of their rules matters.
#[derive(Debug)]
pub struct Snapshot {
    generation: Generation,
    pub(crate) allows: RuleIndex,
    /// Shared with the grants, which hold the networks that no name may resolve into.
    pub(crate) forbids: Arc<RuleIndex>,
    pub(crate) git: GitPolicy,
    pub(crate) llm: LlmPolicy,
    pub(crate) mcp: McpPolicy,
    rule_count: usize,
}

/// Rules of one effect, found by destination.
#[derive(Debug, Default)]
pub(crate) struct RuleIndex {
    rules: Vec<Rule>,
    hosts: HostIndex,
    networks: NetworkIndex,
}

impl Snapshot {
    /// Compiles profiles.
    ///
    /// # Errors
    /// When a profile that was not read by [`Profile::parse`] is not valid, or two profiles
    /// have the same name.
    pub fn compile(generation: Generation, profiles: &[Profile]) -> Result<Self, PolicyError> {
        for profile in profiles {
            check(profile).map_err(|fault| fault.into_error(profile.name.as_str()))?;
        }
        check_set(profiles).map_err(|fault| fault.into_error("policy"))?;
        let git = GitPolicy::compile(profiles);
        let llm = LlmPolicy::compile(profiles);
        let mcp = McpPolicy::compile(profiles);
        let (forbids, allows): (Vec<_>, Vec<_>) = profiles
            .iter()
            .flat_map(rule::of_profile)
            .chain(git.connections())
            .chain(llm.connections())
            .chain(mcp.connections())
            .partition(|rule| rule.is_forbid);
        Ok(Self {
            generation,
            git,
            llm,
            mcp,
            rule_count: profiles.iter().map(Profile::rule_count).sum(),
            allows: RuleIndex::new(allows),
            forbids: Arc::new(RuleIndex::new(forbids)),
        })
    }

    /// A snapshot that allows nothing: what a gateway holds before it has a policy.
    #[must_use]
    pub fn deny_all(generation: Generation) -> Self {
        Self {
            generation,
            allows: RuleIndex::default(),
            forbids: Arc::new(RuleIndex::default()),
            git: GitPolicy::empty(),
            llm: LlmPolicy::empty(),
            mcp: McpPolicy::default(),
            rule_count: 0,
        }
    }

    /// The number of this policy.
    #[must_use]
    pub const fn generation(&self) -> Generation {
        self.generation
    }

    /// How many rules it holds.
    #[must_use]
    pub const fn rule_count(&self) -> usize {
        self.rule_count
    }
}

impl RuleIndex {
    fn new(mut rules: Vec<Rule>) -> Self {
        // Sorted by name, so that of several rules the same one is named whatever their order.
        rules.sort_by(|a, b| a.reference.cmp(&b.reference));
        let mut index = Self::default();
        for (position, rule) in rules.iter().enumerate() {
            match &rule.target {
                Target::Host(pattern) => index.hosts.insert(pattern, position),
                Target::Network(net) => index.networks.insert(*net, position),
            }
        }
        Self { rules, ..index }
    }

    /// The rules whose host or network covers `host`.
    pub(crate) fn covering<'a>(&'a self, host: &'a Host) -> impl Iterator<Item = &'a Rule> {
        let (names, networks) = match host {
            Host::Name(name) => (Some(self.hosts.covering(name)), None),
            Host::Address(address) => (None, Some(self.networks.covering(*address))),
        };
        names
            .into_iter()
            .flatten()
            .chain(networks.into_iter().flatten())
            .filter_map(|position| self.rules.get(position))
    }

    /// The rule of that name.
    pub(crate) fn named(&self, reference: &RuleRef) -> Option<&Rule> {
        let rules = &self.rules;
        let found = rules.binary_search_by(|rule| rule.reference.cmp(reference));
        found.ok().and_then(|position| rules.get(position))
    }

    /// The rules whose network covers `address`.
    pub(crate) fn covering_address(&self, address: IpAddr) -> impl Iterator<Item = &Rule> {
        let positions = self.networks.covering(address);
        positions.filter_map(|position| self.rules.get(position))
    }

    /// Whether any of the rules names a network.
    pub(crate) fn has_networks(&self) -> bool {
        !self.networks.is_empty()
    }
}

#[cfg(test)]
mod tests;
