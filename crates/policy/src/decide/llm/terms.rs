//! What the rule that allows a request to a language model says about the rest of it: what it may
//! cost, how often it may be sent, and what is taken out of it. The gateway carries it out.

use std::time::Duration;

use ringfence_model::RuleRef;
use ringfence_model::llm::{HostedFeature, Money, ProviderName};

/// The terms of the one rule that a request to a language model is sent by.
#[derive(Debug, Clone, PartialEq)]
pub struct LlmTerms {
    /// The rule.
    pub rule: RuleRef,
    /// The most tokens that one answer may have. A request that asks for more was denied; one that
    /// does not say how many it wants is given this as its bound.
    pub max_output_tokens: Option<u64>,
    /// What the provider may do by itself.
    pub hosted: Vec<HostedFeature>,
    /// What the provider is not to do though it is asked to: it is taken out of the request.
    pub strip: Vec<HostedFeature>,
    /// What becomes of a text in the request that looks like a secret.
    pub secrets: LlmSecrets,
    /// Whether texts are recorded, secrets taken out.
    pub capture: bool,
    /// Requests of one sandbox that may be under way at once.
    pub concurrency: Option<u32>,
    /// How many requests and tokens in a time.
    pub rates: Vec<RateTerms>,
    /// How many tokens and how much money; all of them must have enough left.
    pub budgets: Vec<BudgetTerms>,
    /// What a model costs, by its name or the pattern that covers it, before the table that is
    /// built in.
    pub prices: Vec<(String, Price)>,
    /// The price of a model that has none. Without it, a budget of money does not let such a
    /// model through.
    pub unknown_price: Option<Price>,
    /// Where the request goes when the provider cannot take it, in this order: another provider of
    /// the same dialect, another model, or both. Each is decided on anew.
    pub fallback: Vec<(Option<ProviderName>, Option<String>)>,
    /// When an agent that goes in circles is told so.
    pub loops: LoopTerms,
}

/// What becomes of a text in a request that looks like a secret.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LlmSecrets {
    /// The request is refused.
    Block,
    /// A stable word is put in its place.
    #[default]
    Redact,
    /// It is recorded, and goes on.
    Observe,
}

/// At most so many requests, and so many tokens, in each span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateTerms {
    /// Requests.
    pub requests: Option<u64>,
    /// Tokens, in and out.
    pub tokens: Option<u64>,
    /// The time.
    pub per: Duration,
}

/// At most so many tokens, and so much money, of all that share the budget in one window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetTerms {
    /// Who shares it.
    pub scope: BudgetScope,
    /// When it starts anew.
    pub window: BudgetWindow,
    /// Tokens, in and out.
    pub tokens: Option<u64>,
    /// Money.
    pub cost: Option<Money>,
}

/// Who shares a budget.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum BudgetScope {
    /// One run of an agent.
    Run,
    /// All runs of an agent.
    Agent,
    /// All agents with the profile of this name.
    Profile(String),
    /// All agents of a workspace.
    Workspace,
}

/// When a budget starts anew. Windows of the calendar are in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BudgetWindow {
    /// Each hour.
    Hour,
    /// Each day.
    Day,
    /// Each month.
    Month,
    /// Never.
    Total,
}

/// What a model costs, for a million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// Input.
    pub input: Money,
    /// Output, reasoning among it.
    pub output: Money,
    /// Input from the provider's cache; as other input where it is not said.
    pub cache_read: Option<Money>,
    /// Input to the provider's cache; as other input where it is not said.
    pub cache_write: Option<Money>,
}

/// When an agent goes in circles.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LoopTerms {
    /// So many equal calls of a tool in a row are a finding; the default of the gateway where it is
    /// not said.
    pub repeats: Option<u32>,
    /// Whether the next request is refused then.
    pub stop: bool,
}
