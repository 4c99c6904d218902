//! What was asked of language models, and what it took and cost.

use ringfence_model::llm::{LlmFacts, Money};
use serde::Serialize;

/// Counts of requests to language models. Their JSON is a promise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct LlmCounts {
    /// Requests that went ahead.
    pub requests: u64,
    /// Requests that did not, be it by the decision or after it.
    pub denied: u64,
    /// Tokens that went in.
    pub input_tokens: u64,
    /// Tokens that were written.
    pub output_tokens: u64,
    /// What it cost, in billionths of a US dollar.
    pub cost: Money,
    /// Requests whose tokens and cost are an upper bound, because the provider did not say.
    pub estimated: u64,
    /// Requests that took tokens of which nobody knows what they cost.
    pub without_price: u64,
}

impl LlmCounts {
    /// Whether there was none.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.requests == 0 && self.denied == 0
    }

    /// Counts a request that came to its end.
    pub(super) fn add(&mut self, facts: &LlmFacts) {
        let usage = facts.usage.unwrap_or_default();
        self.input_tokens = self.input_tokens.saturating_add(usage.input);
        self.output_tokens = self.output_tokens.saturating_add(usage.output);
        match facts.cost {
            Some(cost) => self.cost = self.cost.saturating_add(cost),
            None => self.without_price += u64::from(usage.total() > 0),
        }
        self.estimated += u64::from(facts.estimated);
    }

    /// A request that was let through was refused after all.
    pub(super) const fn refuse(&mut self) {
        self.requests = self.requests.saturating_sub(1);
        self.denied += 1;
    }
}
