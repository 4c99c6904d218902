//! The `llm` section compiled: providers by their names, rules by their providers.

mod rule;

use std::collections::BTreeMap;
use std::sync::Arc;

use ipnet::IpNet;
use jiff::Timestamp;
use ringfence_model::llm::{LlmProvider, ProviderName};
use ringfence_model::{HostPattern, RuleRef};

use super::Rule;
use super::rule::{Connection, Service};
use crate::document::{Cidr, LlmProviderTerms, Profile};
pub(crate) use rule::{LlmRule, llm_reference, provider_reference};

/// What the LLM sections of all profiles say.
#[derive(Debug, Default)]
pub(crate) struct LlmPolicy {
    /// Those that are known from the start and those that profiles describe.
    providers: BTreeMap<ProviderName, Provider>,
    /// Those that some rule is about.
    named: Vec<LlmProvider>,
    pub(crate) allows: LlmRules,
    pub(crate) forbids: LlmRules,
    aliases: BTreeMap<ProviderName, BTreeMap<String, String>>,
}

/// A provider and where it is.
#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) provider: Arc<LlmProvider>,
    /// Networks that it may resolve into; none: public addresses.
    pub(crate) addresses: Option<Arc<[IpNet]>>,
}

/// LLM rules of one effect.
#[derive(Debug, Default)]
pub(crate) struct LlmRules {
    /// Sorted by name.
    rules: Vec<Arc<LlmRule>>,
    /// By provider; the rules that name none are with each of them.
    by_provider: BTreeMap<ProviderName, Vec<usize>>,
}

impl LlmPolicy {
    pub(super) fn compile(profiles: &[Profile]) -> Self {
        let providers = providers(profiles);
        let rules = profiles.iter().flat_map(|profile| {
            let numbered = profile.llm.iter().enumerate();
            numbered.map(|(index, rule)| {
                let reference = llm_reference(profile, index, rule);
                let of = rule.terms().provider.as_ref();
                let provider = of.and_then(|name| providers.get(name));
                let provider = provider.map(|it| it.provider.as_ref());
                Arc::new(LlmRule::of(reference, rule, provider, &profile.name))
            })
        });
        let (forbids, allows): (Vec<_>, Vec<_>) = rules.partition(|rule| rule.is_forbid);
        let allows = LlmRules::new(allows, &providers);
        let forbids = LlmRules::new(forbids, &providers);
        let is_named = |it: &&Provider| {
            let name = &it.provider.name;
            allows.by_provider.contains_key(name) || forbids.by_provider.contains_key(name)
        };
        let named = providers.values().filter(is_named);
        Self {
            named: named.map(|it| LlmProvider::clone(&it.provider)).collect(),
            aliases: aliases(profiles),
            providers,
            allows,
            forbids,
        }
    }

    /// A policy without rules.
    pub(super) fn empty() -> Self {
        Self {
            providers: providers(&[]),
            ..Self::default()
        }
    }

    pub(crate) fn provider(&self, name: &ProviderName) -> Option<&Provider> {
        self.providers.get(name)
    }

    /// The providers that some rule is about.
    pub(crate) fn named(&self) -> &[LlmProvider] {
        &self.named
    }

    /// The model behind a name that rules made up.
    pub(crate) fn alias(&self, provider: &ProviderName, model: &str) -> Option<&str> {
        let of_provider = self.aliases.get(provider)?;
        of_provider.get(model).map(String::as_str)
    }

    /// The rules for connections to the providers that rules are about: one for each provider and
    /// effect, called by the rule that counts longest.
    pub(super) fn connections(&self) -> Vec<Rule> {
        let mut rules = Vec::new();
        let named = self.named.iter();
        for provider in named.filter_map(|it| self.provider(&it.name)) {
            for of_effect in [&self.allows, &self.forbids] {
                let longest = of_effect.longest(&provider.provider.name);
                rules.extend(longest.and_then(|rule| provider.connection(rule)));
            }
        }
        rules
    }
}

impl Provider {
    fn new(provider: LlmProvider, addresses: Option<&[Cidr]>) -> Self {
        Self {
            provider: Arc::new(provider),
            addresses: addresses.map(|cidrs| cidrs.iter().map(Cidr::net).collect()),
        }
    }

    /// None where it has no name, which none of them lacks.
    fn connection(&self, rule: &LlmRule) -> Option<Rule> {
        let destination = &self.provider.destination;
        let connection = Connection {
            reference: rule.reference.clone(),
            service: Service::Llm,
            host: HostPattern::Exact(destination.host.name()?.clone()),
            // Another port of the same host need not be the same service.
            port: Some(destination.port),
            scheme: self.provider.scheme,
            addresses: self.addresses.clone(),
            expires: rule.expires,
            reason: rule.reason.clone(),
        };
        Some(Rule::of_service(connection, rule.is_forbid))
    }
}

impl LlmRules {
    fn new(mut rules: Vec<Arc<LlmRule>>, providers: &BTreeMap<ProviderName, Provider>) -> Self {
        rules.sort_by(|a, b| a.reference.cmp(&b.reference));
        let mut by_provider: BTreeMap<ProviderName, Vec<usize>> = BTreeMap::new();
        for (position, rule) in rules.iter().enumerate() {
            let named: Vec<&ProviderName> = match &rule.provider {
                Some(name) => vec![name],
                None => providers.keys().collect(),
            };
            for name in named {
                by_provider.entry(name.clone()).or_default().push(position);
            }
        }
        Self { rules, by_provider }
    }

    /// The rules that are about a provider, by their names.
    pub(crate) fn about(&self, provider: &ProviderName) -> impl Iterator<Item = &Arc<LlmRule>> {
        let positions = self.by_provider.get(provider).into_iter().flatten();
        positions.filter_map(|at| self.rules.get(*at))
    }

    /// The names of all rules, and until when they count.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&RuleRef, Option<Timestamp>)> {
        self.rules
            .iter()
            .map(|rule| (&rule.reference, rule.expires))
    }

    /// Of the rules about a provider the one that expires last.
    fn longest(&self, provider: &ProviderName) -> Option<&LlmRule> {
        let rank = |rule: &LlmRule| rule.expires.unwrap_or(Timestamp::MAX);
        let rules = self.about(provider).map(Arc::as_ref);
        rules.reduce(|best, other| {
            if rank(other) > rank(best) {
                other
            } else {
                best
            }
        })
    }
}

fn providers(profiles: &[Profile]) -> BTreeMap<ProviderName, Provider> {
    let builtin = LlmProvider::builtin();
    let builtin = builtin.into_iter().map(|it| Provider::new(it, None));
    let described = profiles.iter().flat_map(|profile| &profile.llm_providers);
    let described = described.filter_map(|terms: &LlmProviderTerms| {
        Some(Provider::new(terms.provider()?, terms.addresses.as_deref()))
    });
    builtin
        .chain(described)
        .map(|it| (it.provider.name.clone(), it))
        .collect()
}

/// The names that rules made up. Two rules that mean different models by one are refused before.
fn aliases(profiles: &[Profile]) -> BTreeMap<ProviderName, BTreeMap<String, String>> {
    let mut aliases: BTreeMap<ProviderName, BTreeMap<String, String>> = BTreeMap::new();
    for terms in profiles.iter().flat_map(|it| &it.llm).map(|it| it.terms()) {
        if let (Some(provider), Some(stated)) = (&terms.provider, &terms.aliases) {
            let known = aliases.entry(provider.clone()).or_default();
            known.extend(stated.iter().map(|(a, b)| (a.clone(), b.clone())));
        }
    }
    aliases
}
