//! One compiled LLM rule: defaults filled in, patterns in the form in which they are asked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ringfence_model::llm::{HostedFeature, LlmEndpoint, LlmProvider, ProviderName};
use ringfence_model::{CredentialName, ProfileName, RuleRef};

use crate::decide::{
    BudgetScope, BudgetTerms, BudgetWindow, LlmSecrets, LlmTerms, LoopTerms, Price, RateTerms,
};
use crate::document::{
    BudgetScopeWord, BudgetWindowWord, Dollars, LlmBudget, LlmMatch, LlmPrice, LlmRate,
    LlmRule as Document, LlmSecretsWord, Profile, RateWord, TextPattern,
};

/// An LLM rule as the decision sees it.
#[derive(Debug)]
pub(crate) struct LlmRule {
    pub(crate) reference: RuleRef,
    pub(crate) is_forbid: bool,
    /// None: every provider.
    pub(crate) provider: Option<ProviderName>,
    /// None: every model.
    pub(crate) models: Option<Vec<TextPattern>>,
    /// None: all of them.
    pub(crate) endpoints: Option<Vec<LlmEndpoint>>,
    /// What an allow lets a provider do by itself, and what a forbid takes.
    pub(crate) hosted: Vec<HostedFeature>,
    pub(crate) request_octets: Option<u64>,
    pub(crate) token_required: bool,
    /// Its own, or that of the provider.
    pub(crate) credential: Option<CredentialName>,
    pub(crate) expires: Option<Timestamp>,
    pub(crate) reason: Option<String>,
    pub(crate) terms: Arc<LlmTerms>,
}

impl LlmRule {
    /// `profile` is the one that the rule stands in.
    pub(crate) fn of(
        reference: RuleRef,
        rule: &Document,
        provider: Option<&LlmProvider>,
        profile: &ProfileName,
    ) -> Self {
        let terms = rule.terms();
        let is_forbid = rule.is_forbid();
        let of_provider = provider.and_then(|it| it.credential.as_ref());
        let of_provider = of_provider.filter(|_| !is_forbid);
        let hosted = terms.hosted.clone().unwrap_or_default();
        let features = if is_forbid { hosted.any } else { hosted.allow };
        Self {
            is_forbid,
            provider: terms.provider.clone(),
            models: terms.models.clone(),
            endpoints: terms.endpoints.clone(),
            hosted: features.unwrap_or_default(),
            request_octets: terms.request_octets,
            token_required: terms.token_required,
            credential: terms.credential.as_ref().or(of_provider).cloned(),
            expires: terms.expires,
            reason: terms.reason.clone(),
            terms: Arc::new(llm_terms(reference.clone(), terms, profile)),
            reference,
        }
    }

    pub(crate) fn has_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// Whether the rule is about a model. A forbid takes a name in whatever case.
    pub(crate) fn is_about(&self, model: &str) -> bool {
        let is_one = |pattern: &TextPattern| {
            if self.is_forbid {
                pattern.matches_folded(model)
            } else {
                pattern.matches(model)
            }
        };
        let models = self.models.as_ref();
        models.is_none_or(|patterns| patterns.iter().any(is_one))
    }

    /// Whether the rule is about what is asked for.
    pub(crate) fn is_of(&self, endpoint: LlmEndpoint) -> bool {
        let endpoints = self.endpoints.as_ref();
        endpoints.is_none_or(|known| known.contains(&endpoint))
    }
}

fn llm_terms(rule: RuleRef, terms: &LlmMatch, profile: &ProfileName) -> LlmTerms {
    let hosted = terms.hosted.clone().unwrap_or_default();
    let budgets = terms.budget.iter().flatten();
    let fallback = terms.fallback.iter().flatten();
    let loops = terms.loops.unwrap_or_default();
    LlmTerms {
        rule,
        max_output_tokens: terms.max_output_tokens,
        hosted: hosted.allow.unwrap_or_default(),
        strip: hosted.strip.unwrap_or_default(),
        secrets: match terms.secrets {
            Some(LlmSecretsWord::Block) => LlmSecrets::Block,
            Some(LlmSecretsWord::Redact) | None => LlmSecrets::Redact,
            Some(LlmSecretsWord::Observe) => LlmSecrets::Observe,
        },
        capture: terms.capture,
        concurrency: terms.concurrency,
        rates: terms.rates.iter().flatten().map(rate).collect(),
        budgets: budgets.map(|it| budget(it, profile)).collect(),
        prices: prices(terms.prices.as_ref()),
        unknown_price: terms.unknown_price.map(price),
        fallback: fallback
            .map(|it| (it.provider.clone(), it.model.clone()))
            .collect(),
        loops: LoopTerms {
            repeats: loops.repeats,
            stop: loops.stop,
        },
    }
}

fn rate(stated: &LlmRate) -> RateTerms {
    let seconds = match stated.per {
        RateWord::Second => 1,
        RateWord::Minute => 60,
        RateWord::Hour => 60 * 60,
        RateWord::Day => 24 * 60 * 60,
    };
    RateTerms {
        requests: stated.requests,
        tokens: stated.tokens,
        per: Duration::from_secs(seconds),
    }
}

fn budget(stated: &LlmBudget, profile: &ProfileName) -> BudgetTerms {
    let (window, usual) = match stated.per {
        BudgetWindowWord::Hour => (BudgetWindow::Hour, BudgetScopeWord::Agent),
        BudgetWindowWord::Day => (BudgetWindow::Day, BudgetScopeWord::Agent),
        BudgetWindowWord::Month => (BudgetWindow::Month, BudgetScopeWord::Agent),
        BudgetWindowWord::Run => (BudgetWindow::Total, BudgetScopeWord::Run),
        BudgetWindowWord::Total => (BudgetWindow::Total, BudgetScopeWord::Agent),
    };
    BudgetTerms {
        scope: match stated.scope.unwrap_or(usual) {
            BudgetScopeWord::Run => BudgetScope::Run,
            BudgetScopeWord::Agent => BudgetScope::Agent,
            BudgetScopeWord::Profile => BudgetScope::Profile(profile.to_string()),
            BudgetScopeWord::Workspace => BudgetScope::Workspace,
        },
        window,
        tokens: stated.tokens,
        cost: stated.usd.map(Dollars::money),
    }
}

fn price(stated: LlmPrice) -> Price {
    Price {
        input: stated.input.money(),
        output: stated.output.money(),
        cache_read: stated.cache_read.map(Dollars::money),
        cache_write: stated.cache_write.map(Dollars::money),
    }
}

/// Whole names first, then patterns with more text before those with less: the first that covers a
/// model is the one that says most about it.
fn prices(stated: Option<&BTreeMap<String, LlmPrice>>) -> Vec<(String, Price)> {
    let all = stated.into_iter().flatten();
    let mut prices: Vec<_> = all
        .map(|(name, stated)| (name.clone(), price(*stated)))
        .collect();
    prices.sort_by_key(|(name, _)| (name.contains('*'), std::cmp::Reverse(name.len())));
    prices
}

/// `profile/llm/id`, or the position from 1 where the rule has no id.
pub(crate) fn llm_reference(profile: &Profile, index: usize, rule: &Document) -> RuleRef {
    let name = &profile.name;
    RuleRef(match &rule.terms().id {
        Some(id) => format!("{name}/llm/{id}"),
        None => format!("{name}/llm/{}", index + 1),
    })
}

/// `profile/llmProviders/name`.
pub(crate) fn provider_reference(profile: &Profile, name: &ProviderName) -> RuleRef {
    RuleRef(format!("{}/llmProviders/{name}", profile.name))
}
