//! The decision on a request to a language model. Forbids are asked first and win; then every
//! allow of the provider; what none of them allows is denied. The first rule that allows it, by
//! name, says on what terms.

pub(crate) mod lack;
mod shape;
mod terms;
pub(crate) mod words;

use std::sync::Arc;

use jiff::Timestamp;
use ringfence_model::llm::{HostedFeature, LlmEndpoint, LlmProvider, LlmRequest, ProviderName};
use ringfence_model::{Decision, Effect, Host, ReasonCode, RuleRef, Scheme};

use super::grant::{BarredNetworks, Scope};
use super::{AddressGrant, Bar, Grant, Query, RequestTerms, Verdict, bar};
use crate::compile::{LlmRule, Provider, Rule, Snapshot, limited_terms};
use crate::document::HOST_NAME;
use lack::Lack;
pub(crate) use shape::is_below;
pub use terms::{
    BudgetScope, BudgetTerms, BudgetWindow, LlmSecrets, LlmTerms, LoopTerms, Price, RateTerms,
};

/// Why a request is denied.
enum Cause<'a> {
    NoRule,
    Forbidden(&'a LlmRule),
    /// By a rule of another section.
    Elsewhere(&'a Rule),
    Lacks(Lack, &'a LlmRule),
    /// Two rules that send different credentials.
    Ambiguous(&'a LlmRule, &'a LlmRule),
}

/// A request to a language model as a person asks about it.
#[derive(Debug, Clone, Default)]
pub struct LlmAsked {
    /// What is asked of the model; what is usual for the provider, where it is not said.
    pub endpoint: Option<LlmEndpoint>,
    /// The model, or a name that rules made up.
    pub model: Option<String>,
    /// What the provider would do by itself.
    pub hosted: Vec<HostedFeature>,
    /// The most tokens that may be written.
    pub max_output_tokens: Option<u64>,
    /// Octets of the body.
    pub octets: u64,
}

impl Snapshot {
    /// The providers that some rule is about.
    #[must_use]
    pub fn llm_providers(&self) -> &[LlmProvider] {
        self.llm.named()
    }

    /// The providers at a host and port that some rule is about. Several may share a host, each
    /// below its own base path.
    pub fn llm_at<'a>(
        &'a self,
        host: &'a Host,
        port: u16,
    ) -> impl Iterator<Item = &'a LlmProvider> {
        let is_there = move |it: &&LlmProvider| {
            let destination = &it.destination;
            destination.port == port && destination.host == *host
        };
        self.llm_providers().iter().filter(is_there)
    }

    /// The provider of this name, where some rule is about it.
    #[must_use]
    pub fn llm_named(&self, name: &ProviderName) -> Option<&LlmProvider> {
        self.llm_providers().iter().find(|it| it.name == *name)
    }

    /// The model that stands behind a name that rules made up; none where the name is the model's.
    #[must_use]
    pub fn llm_alias(&self, provider: &ProviderName, model: &str) -> Option<&str> {
        self.llm.alias(provider, model)
    }

    /// Whether the list of models that an agent gets shows this one: something may be asked of it,
    /// and no forbid takes all of that.
    #[must_use]
    pub fn shows_model(&self, provider: &ProviderName, model: &str, now: Timestamp) -> bool {
        let model = self.llm_alias(provider, model).unwrap_or(model);
        let is_live = |rule: &&Arc<LlmRule>| !rule.has_expired(now) && rule.is_about(model);
        let takes_all = |rule: &Arc<LlmRule>| rule.hosted.is_empty() && rule.endpoints.is_none();
        let mut allows = self.llm.allows.about(provider).filter(is_live);
        let mut forbids = self.llm.forbids.about(provider).filter(is_live);
        allows.next().is_some() && !forbids.any(takes_all)
    }

    /// The request that asks a provider for something, in the form in which it is decided on.
    /// None where there is no such provider.
    #[must_use]
    pub fn llm_request(&self, provider: &ProviderName, asked: LlmAsked) -> Option<LlmRequest> {
        let provider = &self.llm.provider(provider)?.provider;
        let resolve = |name: &str| self.llm_alias(&provider.name, name).map(str::to_owned);
        Some(asked.request(provider, resolve))
    }

    pub(crate) fn decide_llm(&self, request: &LlmRequest, now: Timestamp) -> Verdict {
        match self.find_llm(request, now) {
            Ok((provider, rules)) => self.allow_llm(request, provider, &rules, now),
            Err(cause) => self.deny_llm(&cause, request),
        }
    }

    /// The rules that count, by their names. The first gives the terms.
    fn find_llm<'a>(
        &'a self,
        request: &LlmRequest,
        now: Timestamp,
    ) -> Result<(&'a Provider, Vec<&'a LlmRule>), Cause<'a>> {
        let provider = self.llm.provider(&request.provider);
        let provider = provider.filter(|it| it.provider.destination == request.destination);
        let provider = provider.ok_or(Cause::NoRule)?;
        if let Some(rule) = self.llm_barring(request, now) {
            return Err(Cause::Forbidden(rule));
        }
        if let Some(rule) = self.llm_barred_elsewhere(request, now) {
            return Err(Cause::Elsewhere(rule));
        }
        let mut covering = Vec::new();
        let mut closest: Option<(Lack, &LlmRule)> = None;
        for rule in self.llm.allows.about(&request.provider).map(Arc::as_ref) {
            match lack::lack(rule, request, now) {
                None => covering.push(rule),
                Some(lack) if closest.as_ref().is_none_or(|(known, _)| lack > *known) => {
                    closest = Some((lack, rule));
                }
                Some(_) => {}
            }
        }
        match closest {
            _ if !covering.is_empty() => Ok((provider, counted(covering)?)),
            Some((lack, rule)) => Err(Cause::Lacks(lack, rule)),
            None => Err(Cause::NoRule),
        }
    }

    /// The forbid that takes a request.
    pub(crate) fn llm_barring(&self, request: &LlmRequest, now: Timestamp) -> Option<&LlmRule> {
        let mut forbids = self.llm.forbids.about(&request.provider).map(Arc::as_ref);
        forbids.find(|rule| !rule.has_expired(now) && lack::is_taken(rule, request))
    }

    /// The forbid of the sections `network` and `api` that takes a request. What it asks for beyond
    /// the line of the request cannot be told, and counts against the agent.
    pub(crate) fn llm_barred_elsewhere(
        &self,
        request: &LlmRequest,
        now: Timestamp,
    ) -> Option<&Rule> {
        let provider = &self.llm.provider(&request.provider)?.provider;
        let line = request.to_http(provider);
        let queries = [
            Query::to(&provider.destination),
            Query::of_request(&line).recorded(),
        ];
        let barring = queries.iter().find_map(|query| {
            let mut forbids = self.forbids.covering(&query.destination.host);
            let barring = forbids.find(|rule| bar(rule, query, now) == Bar::Everything);
            barring.map(|rule| rule.reference.clone())
        });
        self.forbids.named(&barring?)
    }

    fn allow_llm(
        &self,
        request: &LlmRequest,
        provider: &Provider,
        rules: &[&LlmRule],
        now: Timestamp,
    ) -> Verdict {
        let Some(first) = rules.first() else {
            return self.deny_llm(&Cause::NoRule, request);
        };
        let terms = RequestTerms {
            credential: first.credential.clone(),
            token_required: rules.iter().any(|rule| rule.token_required),
            llm: Some(Arc::clone(&first.terms)),
            ..limited_terms(first.reference.clone())
        };
        let is_plain = provider.provider.scheme == Scheme::Http;
        Verdict {
            decision: Decision {
                effect: Effect::Allow,
                code: ReasonCode::Allowed,
                reason: words::allowed(first, request),
                rule: Some(first.reference.clone()),
                generation: self.generation(),
                next_step: None,
                credential: first.credential.clone(),
                access: Some(request.endpoint.access()),
            },
            grant: Some(Grant {
                tls: false,
                http: is_plain,
                opaque: false,
                https: !is_plain,
                terms: vec![Arc::new(terms)],
                git: None,
                llm: Some(Arc::clone(&provider.provider)),
                mcp: None,
                addresses: self.llm_addresses(provider, now),
                valid_until: rules.iter().filter_map(|rule| rule.expires).min(),
            }),
        }
    }

    fn llm_addresses(&self, provider: &Provider, now: Timestamp) -> AddressGrant {
        let destination = &provider.provider.destination;
        let mut scope = Scope::of(&destination.host, HOST_NAME);
        scope.add(provider.addresses.as_ref());
        let is_barred = self.forbids.has_networks();
        let barred = is_barred.then(|| BarredNetworks {
            forbids: self.forbids.clone(),
            port: destination.port,
            now,
        });
        AddressGrant::new(scope, barred)
    }

    fn deny_llm(&self, cause: &Cause<'_>, request: &LlmRequest) -> Verdict {
        let (code, rule, reason, next_step) = told(cause, request);
        Verdict {
            decision: Decision {
                effect: Effect::Deny,
                code,
                reason,
                rule: rule.cloned(),
                generation: self.generation(),
                next_step: Some(next_step),
                credential: None,
                access: None,
            },
            grant: None,
        }
    }
}

impl LlmAsked {
    /// The request to `provider`, with the models that stand behind names.
    pub(crate) fn request(
        self,
        provider: &LlmProvider,
        resolve: impl Fn(&str) -> Option<String>,
    ) -> LlmRequest {
        let endpoint = self.endpoint;
        let endpoint = endpoint.unwrap_or_else(|| shape::usual_endpoint(provider.kind));
        let resolved = self.model.as_deref().and_then(resolve);
        let (model, alias) = match resolved {
            Some(model) => (Some(model), self.model),
            None => (self.model, None),
        };
        let mut hosted = self.hosted;
        hosted.sort_unstable();
        hosted.dedup();
        LlmRequest {
            destination: provider.destination.clone(),
            provider: provider.name.clone(),
            endpoint,
            path: shape::path(provider, endpoint, model.as_deref().unwrap_or_default()),
            model,
            alias,
            query: None,
            stream: false,
            max_output_tokens: self.max_output_tokens,
            hosted,
            octets: self.octets,
        }
    }
}

/// Code, rule, reason and next step of a denial.
fn told<'a>(
    cause: &Cause<'a>,
    request: &LlmRequest,
) -> (ReasonCode, Option<&'a RuleRef>, String, String) {
    match cause {
        Cause::NoRule => (
            ReasonCode::NoRule,
            None,
            words::nothing_allows(request),
            words::after_nothing(request),
        ),
        Cause::Forbidden(rule) => (
            ReasonCode::Forbidden,
            Some(&rule.reference),
            words::forbidden(rule, request),
            words::after_forbid(&rule.reference),
        ),
        Cause::Elsewhere(rule) => (
            ReasonCode::Forbidden,
            Some(&rule.reference),
            format!(
                "rule {} forbids {}",
                rule.reference,
                words::subject(request)
            ),
            words::after_forbid(&rule.reference),
        ),
        Cause::Lacks(lack, rule) => (
            lack.code(),
            Some(&rule.reference),
            format!("rule {} {}", rule.reference, words::lacking(lack, rule)),
            words::after_lack(lack, rule),
        ),
        Cause::Ambiguous(one, other) => (
            ReasonCode::CredentialAmbiguous,
            Some(&one.reference),
            format!(
                "rules {} and {} allow {} with different credentials",
                one.reference,
                other.reference,
                words::subject(request)
            ),
            format!(
                "a person can change rule {} or {}, so that one of them is for it",
                one.reference, other.reference
            ),
        ),
    }
}

/// The rules that say how a request is sent: those with a credential before those without.
fn counted(covering: Vec<&LlmRule>) -> Result<Vec<&LlmRule>, Cause<'_>> {
    let mut rules = covering;
    if rules.iter().any(|rule| rule.credential.is_some()) {
        rules.retain(|rule| rule.credential.is_some());
    }
    let Some((first, rest)) = rules.split_first() else {
        return Ok(rules);
    };
    let other = rest.iter().find(|rule| rule.credential != first.credential);
    match other {
        Some(other) => Err(Cause::Ambiguous(first, other)),
        None => Ok(rules),
    }
}
