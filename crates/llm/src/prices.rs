//! What models cost, and how much they take: the list prices that providers publish, as of
//! [`DATED`]. They change without notice, differ by region and contract, and leave out what media,
//! searches and classes of service cost beside tokens: a rule can set its own before these. A model
//! that is not in the table has no price here; a name is never taken for that of a model which only
//! begins like it.

mod table;

use std::sync::LazyLock;

use ringfence_model::llm::{Money, ProviderKind, ProviderName, TokenUsage};

use table::Table;

/// The day that the table is of.
pub static DATED: LazyLock<String> = LazyLock::new(|| TABLE.dated.clone());

static TABLE: LazyLock<Table> = LazyLock::new(Table::read);

/// What is known of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelTerms {
    /// What it costs.
    pub rates: Rates,
    /// The tokens that it reads and writes in one request.
    pub context: u64,
    /// The tokens that it writes at most in one answer.
    pub max_output: u64,
}

/// What tokens cost, for a million of each, by how many go in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rates {
    base: Tier,
    /// What holds for the whole request when more tokens go in than so many, in ascending order.
    above: Vec<(u64, Tier)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tier {
    input: Money,
    output: Money,
    cache_read: Option<Money>,
    cache_write: Option<Money>,
    cache_write_long: Option<Money>,
}

impl Rates {
    /// The same for every request.
    #[must_use]
    pub const fn flat(
        input: Money,
        output: Money,
        cache_read: Option<Money>,
        cache_write: Option<Money>,
    ) -> Self {
        let base = Tier {
            input,
            output,
            cache_read,
            cache_write,
            cache_write_long: None,
        };
        Self {
            base,
            above: Vec::new(),
        }
    }

    /// What these tokens cost.
    #[must_use]
    pub fn cost(&self, usage: &TokenUsage) -> Money {
        let tier = self.tier(usage.input);
        let long = usage.cache_write_long.min(usage.cache_write);
        let short = usage.cache_write - long;
        let cached = usage.cache_read.saturating_add(usage.cache_write);
        let write = tier.cache_write.unwrap_or(tier.input);
        let parts = [
            (tier.input, usage.input.saturating_sub(cached)),
            (tier.cache_read.unwrap_or(tier.input), usage.cache_read),
            (write, short),
            (tier.cache_write_long.unwrap_or(write), long),
            (tier.output, usage.output),
        ];
        let costs = parts
            .into_iter()
            .map(|(price, count)| price.per_million(count));
        costs.fold(Money::ZERO, Money::saturating_add)
    }

    /// The most that so many tokens can cost.
    #[must_use]
    pub fn most(&self, input: u64, output: u64) -> Money {
        let tiers = self.above.iter().filter(|(above, _)| input > *above);
        let tiers = tiers.map(|(_, tier)| tier).chain([&self.base]);
        let costs = tiers.map(|tier| {
            let writes = [tier.cache_read, tier.cache_write, tier.cache_write_long];
            let dearest = writes.into_iter().flatten().fold(tier.input, Money::max);
            let read = dearest.per_million(input);
            read.saturating_add(tier.output.per_million(output))
        });
        costs.max().unwrap_or(Money::MAX)
    }

    fn tier(&self, input: u64) -> &Tier {
        let mut above = self.above.iter().rev();
        let found = above.find(|(above, _)| input > *above);
        found.map_or(&self.base, |(_, tier)| tier)
    }
}

/// What is known of a model at a provider.
#[must_use]
pub fn of(provider: &ProviderName, kind: ProviderKind, model: &str) -> Option<ModelTerms> {
    TABLE.find(provider, kind, model)
}

/// Whether a pattern covers the name of a model: `*` stands for any characters.
#[must_use]
pub fn matches(pattern: &str, model: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == model;
    };
    let Some(mut left) = model.strip_prefix(first) else {
        return false;
    };
    let Some((middle, last)) = rest.rsplit_once('*') else {
        return left.ends_with(rest);
    };
    for part in middle.split('*') {
        let Some(at) = left.find(part) else {
            return false;
        };
        left = left.get(at + part.len()..).unwrap_or_default();
    }
    left.ends_with(last)
}

#[cfg(test)]
mod tests;
