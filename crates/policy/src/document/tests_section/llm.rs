//! Requests to language models in tests.

use std::collections::BTreeMap;

use ringfence_model::Action;
use ringfence_model::llm::{HostedFeature, LlmEndpoint, LlmProvider, ProviderName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TestError;
use crate::decide::LlmAsked;
use crate::document::rule::present;
use crate::document::{LlmProviderTerms, Profile};

/// A request to a language model that a test sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LlmTest {
    /// The provider.
    #[schemars(with = "String")]
    pub provider: ProviderName,
    /// The model, or an alias of it.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "String")]
    pub model: Option<String>,
    /// What is asked of it, as in `messages`; what is usual for the provider, unless it is there.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "String")]
    pub endpoint: Option<LlmEndpoint>,
    /// What the provider would do by itself, as in `web-search`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub hosted: Vec<HostedFeature>,
    /// The most tokens that may be written.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "u64")]
    pub max_output_tokens: Option<u64>,
    /// Octets of the body.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "u64")]
    pub octets: Option<u64>,
}

impl LlmTest {
    /// The action, with the providers and aliases of `profile`.
    pub(super) fn action(&self, profile: &Profile) -> Result<Action, TestError> {
        let described = profile.llm_providers.iter();
        let described = described.filter_map(LlmProviderTerms::provider);
        let mut known = described.chain(LlmProvider::builtin());
        let provider = known.find(|it| it.name == self.provider);
        let provider = provider.ok_or(TestError::Provider)?;
        let rules = profile.llm.iter().map(|rule| rule.terms());
        let about = rules.filter(|terms| terms.provider.as_ref() == Some(&self.provider));
        let aliases: BTreeMap<&String, &String> = about
            .filter_map(|terms| terms.aliases.as_ref())
            .flatten()
            .collect();
        let asked = LlmAsked {
            endpoint: self.endpoint,
            model: self.model.clone(),
            hosted: self.hosted.clone(),
            max_output_tokens: self.max_output_tokens,
            octets: self.octets.unwrap_or_default(),
        };
        let resolve = |name: &str| aliases.get(&name.to_owned()).map(|it| (*it).clone());
        Ok(Action::Llm(Box::new(asked.request(&provider, resolve))))
    }
}
