//! LLM rules: which models of which providers may be asked, what the providers may do by
//! themselves, and what it may cost. The gateway reads every request to their hosts.

mod amount;
mod budget;
mod list;
mod provider;

use std::collections::BTreeMap;

use jiff::Timestamp;
use ringfence_model::CredentialName;
use ringfence_model::llm::{HostedFeature, LlmEndpoint, ProviderName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rule::{is_false, present, read_expiry};
use super::{RuleId, TextPattern};
pub use amount::Dollars;
pub use budget::{
    BudgetScopeWord, BudgetWindowWord, LlmBudget, LlmLoops, LlmPrice, LlmRate, RateWord,
};
pub(crate) use provider::builtin as builtin_provider;
pub use provider::{BaseUrl, BaseUrlError, LlmProviderTerms};

/// One rule of the `llm` section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LlmRule {
    /// Allows what it matches.
    Allow(Box<LlmMatch>),
    /// Forbids what it matches, whatever any rule of any profile allows.
    Forbid(Box<LlmMatch>),
}

impl LlmRule {
    /// What the rule matches.
    #[must_use]
    pub const fn terms(&self) -> &LlmMatch {
        match self {
            Self::Allow(terms) | Self::Forbid(terms) => terms,
        }
    }

    /// Whether it forbids.
    #[must_use]
    pub const fn is_forbid(&self) -> bool {
        matches!(self, Self::Forbid(_))
    }
}

/// What an LLM rule matches, and for an allow the terms of the requests that it matches.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LlmMatch {
    /// A short name for the rule, unique in its section; decisions show it. Without one, the
    /// rule is called by its position, from 1.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "RuleId")]
    pub id: Option<RuleId>,
    /// The provider: `anthropic`, `openai`, `gemini`, `openrouter`, `mistral`, `groq`, or one of
    /// `llmProviders`. Only a forbid may leave it out, and is about all of them then.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "String", extend("pattern" = "^[a-z][a-z0-9-]{0,31}$"))]
    pub provider: Option<ProviderName>,
    /// The models, by their names at the provider; `*` stands for any text. Without the list: all
    /// of them. An empty list of an allow allows none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<TextPattern>")]
    pub models: Option<Vec<TextPattern>>,
    /// Names that the agent may call models by, each with the model that it leads to.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "BTreeMap<String, String>")]
    pub aliases: Option<BTreeMap<String, String>>,
    /// What may be asked of the models. Without the list: all that the gateway knows. The list of
    /// models may be asked for wherever the provider may be asked for anything.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<EndpointWord>")]
    pub endpoints: Option<Vec<LlmEndpoint>>,
    /// The most tokens that one answer may have.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "u64")]
    pub max_output_tokens: Option<u64>,
    /// What the provider may do by itself. Without it: nothing.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "HostedTerms")]
    pub hosted: Option<HostedTerms>,
    /// The credential that requests are sent with. Without one, that of the provider, if any.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "String")]
    pub credential: Option<CredentialName>,
    /// Whether a request that carries no token of this sandbox is refused.
    #[serde(default, skip_serializing_if = "is_false")]
    pub token_required: bool,
    /// What becomes of a text in a request that looks like a secret: `redact` (the default),
    /// `block` or `observe`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "LlmSecretsWord")]
    pub secrets: Option<LlmSecretsWord>,
    /// Whether the texts of requests and answers are recorded, secrets taken out.
    #[serde(default, skip_serializing_if = "is_false")]
    pub capture: bool,
    /// Most octets of the body of a request.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "u64")]
    pub request_octets: Option<u64>,
    /// Requests of one sandbox that may be under way at once.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "u32")]
    pub concurrency: Option<u32>,
    /// How many requests and tokens in a time.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<LlmRate>")]
    pub rates: Option<Vec<LlmRate>>,
    /// How much money and how many tokens: one budget or a list of them. All must have enough
    /// left.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "list::one_or_several"
    )]
    #[schemars(with = "list::OneOrSeveral<LlmBudget>")]
    pub budget: Option<Vec<LlmBudget>>,
    /// What models cost, by name or pattern, in US dollars for a million tokens: before the table
    /// that is built in.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "BTreeMap<String, LlmPrice>")]
    pub prices: Option<BTreeMap<String, LlmPrice>>,
    /// The price of a model that has none. Without it, a budget of money lets no such model
    /// through.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "LlmPrice")]
    pub unknown_price: Option<LlmPrice>,
    /// Where a request goes when the provider cannot take it, in this order. Each is decided on
    /// anew.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<LlmFallback>")]
    pub fallback: Option<Vec<LlmFallback>>,
    /// What becomes of an agent that goes in circles.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "LlmLoops")]
    pub loops: Option<LlmLoops>,
    /// Why the rule is there.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "String")]
    pub reason: Option<String>,
    /// When the rule stops to count, as in `2030-01-31T12:00:00Z` (RFC 3339).
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "read_expiry"
    )]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub expires: Option<Timestamp>,
}

impl LlmMatch {
    /// The models that the rule is about.
    pub(crate) fn subject(&self) -> String {
        let provider = self.provider.as_ref().map(ToString::to_string);
        let provider = provider.unwrap_or_else(|| "every provider".to_owned());
        let models = self.models.iter().flatten().map(TextPattern::as_str);
        let models: Vec<_> = models.collect();
        match self.models {
            None => format!("models of {provider}"),
            Some(_) => format!("models of {provider}: {}", models.join(", ")),
        }
    }
}

/// What a provider does by itself when a request asks for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostedTerms {
    /// What a request may ask for.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<String>")]
    pub allow: Option<Vec<HostedFeature>>,
    /// What is taken out of a request that asks for it.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<String>")]
    pub strip: Option<Vec<HostedFeature>>,
    /// In a forbid: a request that asks for any of these is forbidden.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<String>")]
    pub any: Option<Vec<HostedFeature>>,
}

/// Another provider of the same dialect, another model, or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LlmFallback {
    /// The provider; the same, where it is not there.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "String")]
    pub provider: Option<ProviderName>,
    /// The model; the same, where it is not there.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "String")]
    pub model: Option<String>,
}

/// What becomes of a text in a request that looks like a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LlmSecretsWord {
    /// The request is refused.
    Block,
    /// A stable word is put in its place.
    Redact,
    /// It goes on, and the record says so.
    Observe,
}

/// What may be asked of a provider, for the schema of the document.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
#[expect(
    dead_code,
    reason = "only its schema is used: the vocabulary's own type has none"
)]
enum EndpointWord {
    ChatCompletions,
    Completions,
    Responses,
    Embeddings,
    Messages,
    GenerateContent,
    Converse,
    CountTokens,
    Models,
}
