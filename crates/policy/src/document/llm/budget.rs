//! What requests to language models may cost: budgets, rates, prices, and agents in circles.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::rule::{is_false, present};
use super::amount::Dollars;

/// At most so much money, and so many tokens, of all that share the budget in one window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LlmBudget {
    /// Money.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Dollars")]
    pub usd: Option<Dollars>,
    /// Tokens, in and out.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "u64")]
    pub tokens: Option<u64>,
    /// When it starts anew.
    pub per: BudgetWindowWord,
    /// Who shares it: `agent` (the default), `run`, `profile` or `workspace`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "BudgetScopeWord")]
    pub scope: Option<BudgetScopeWord>,
}

/// When a budget starts anew. Hours, days and months are those of the calendar in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BudgetWindowWord {
    /// Each hour.
    Hour,
    /// Each day.
    Day,
    /// Each month.
    Month,
    /// Each run of an agent, which does not share it.
    Run,
    /// Never.
    Total,
}

/// Who shares a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BudgetScopeWord {
    /// One run of an agent.
    Run,
    /// All runs of an agent.
    Agent,
    /// All agents with this profile.
    Profile,
    /// All agents of a workspace.
    Workspace,
}

/// At most so many requests, and so many tokens, in each span of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LlmRate {
    /// Requests.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "u64")]
    pub requests: Option<u64>,
    /// Tokens, in and out.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "u64")]
    pub tokens: Option<u64>,
    /// The time.
    pub per: RateWord,
}

/// The time of a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RateWord {
    /// A second.
    Second,
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day.
    Day,
}

/// What a model costs, in US dollars for a million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LlmPrice {
    /// Input.
    pub input: Dollars,
    /// Output, reasoning among it.
    pub output: Dollars,
    /// Input from the provider's cache; as other input where it is not there.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Dollars")]
    pub cache_read: Option<Dollars>,
    /// Input to the provider's cache; as other input where it is not there.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Dollars")]
    pub cache_write: Option<Dollars>,
}

/// What becomes of an agent that goes in circles.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LlmLoops {
    /// So many equal calls of a tool in a row are a finding, at least 2.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "u32")]
    pub repeats: Option<u32>,
    /// Whether the next request is refused then.
    #[serde(default, skip_serializing_if = "is_false")]
    pub stop: bool,
}
