//! The narrowest LLM rule that would allow a request: this model, asked for this, with what the
//! provider would do by itself.

use jiff::Timestamp;
use ringfence_model::llm::LlmRequest;
use ringfence_model::{CredentialName, ProfileName, RuleRef};

use crate::compile::{LlmRule as Compiled, Snapshot};
use crate::decide::llm::lack;
use crate::document::{HostedTerms, LlmMatch, LlmRule, ProfileRule, TextPattern};

impl Snapshot {
    /// None where the request is allowed, or where a rule that names it would not help.
    pub(super) fn suggest_llm(&self, request: &LlmRequest, now: Timestamp) -> Option<ProfileRule> {
        if self.decide_llm(request, now).decision.is_allow() {
            return None;
        }
        let provider = &self.llm.provider(&request.provider)?.provider;
        let is_forbidden = self.llm_barring(request, now).is_some()
            || self.llm_barred_elsewhere(request, now).is_some();
        if is_forbidden || provider.destination != request.destination {
            return None;
        }
        let hosted = (!request.hosted.is_empty()).then(|| HostedTerms {
            allow: Some(request.hosted.clone()),
            ..HostedTerms::default()
        });
        let terms = LlmMatch {
            provider: Some(request.provider.clone()),
            models: models(request)?,
            endpoints: Some(vec![request.endpoint]),
            hosted,
            credential: self.llm_credential(request),
            ..LlmMatch::default()
        };
        let rule = LlmRule::Allow(Box::new(terms));
        let name: ProfileName = "suggested".parse().ok()?;
        let compiled = Compiled::of(RuleRef(String::new()), &rule, Some(provider), &name);
        let helps = lack::lack(&compiled, request, now).is_none();
        helps.then(|| ProfileRule::Llm(Box::new(rule)))
    }

    /// The credential that the rules about the provider name, where all name the same and it is not
    /// the provider's own.
    fn llm_credential(&self, request: &LlmRequest) -> Option<CredentialName> {
        let provider = &self.llm.provider(&request.provider)?.provider;
        let mut rules = self.llm.allows.about(&request.provider);
        let first = rules.next()?.credential.clone();
        let is_one = rules.all(|rule| rule.credential == first);
        first.filter(|_| is_one && provider.credential.is_none())
    }
}

/// The model of a request as a pattern. None where its name is not written as a pattern for itself.
fn models(request: &LlmRequest) -> Option<Option<Vec<TextPattern>>> {
    let Some(model) = &request.model else {
        return Some(None);
    };
    let exact = model.parse().ok().filter(|_| !model.contains('*'))?;
    Some(Some(vec![exact]))
}
