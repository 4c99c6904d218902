//! What a request can cost at most, and what it did cost.

use ringfence_gateway::llm::{LlmTerms, Price};
use ringfence_gateway::{Charge, NotReserved, Reservation};
use ringfence_llm::prices::{self, Rates};
use ringfence_llm::request::Request;
use ringfence_llm::response::Seen;
use ringfence_model::llm::{LlmEndpoint, LlmProvider, Money, TokenUsage};

use super::limits::{FRAME_TOKENS, MEDIA_TOKENS, UNKNOWN_OUTPUT};

/// The bounds of one request, and the prices that it is charged by.
#[derive(Debug, Clone)]
pub(super) struct Bill {
    /// The most tokens that go in.
    input: u64,
    /// The most tokens that are written.
    output: u64,
    /// What they cost; none where the model has no price.
    rates: Option<Rates>,
    /// Whether the provider charges for it at all.
    is_inference: bool,
}

impl Bill {
    /// For a request to this model, by these terms.
    pub(super) fn of(
        request: &Request,
        terms: &LlmTerms,
        (provider, endpoint, model): (&LlmProvider, LlmEndpoint, &str),
    ) -> Self {
        let known = prices::of(&provider.name, provider.kind, model);
        let most = known.as_ref().map_or(UNKNOWN_OUTPUT, |it| it.max_output);
        let asked = [request.max_output_tokens, terms.max_output_tokens];
        let output = asked.into_iter().flatten().min().unwrap_or(most);
        let writes = endpoint != LlmEndpoint::Embeddings && endpoint.is_inference();
        let media = request.media.saturating_mul(MEDIA_TOKENS);
        let input = request.text_octets.saturating_add(media);
        Self {
            input: input.saturating_add(FRAME_TOKENS),
            output: if writes {
                output.saturating_mul(request.choices.max(1))
            } else {
                0
            },
            is_inference: endpoint.is_inference(),
            rates: rates(terms, model).or_else(|| {
                let unknown = terms.unknown_price.as_ref().map(flat);
                known.map(|known| known.rates).or(unknown)
            }),
        }
    }

    /// Whether it can be told what it costs.
    pub(super) const fn has_price(&self) -> bool {
        self.rates.is_some()
    }

    /// The most that it can take.
    pub(super) fn most(&self) -> Charge {
        let rates = self.rates.as_ref();
        Charge {
            tokens: self.input.saturating_add(self.output),
            cost: rates.map_or(Money::ZERO, |it| it.most(self.input, self.output)),
        }
    }

    /// What it took, and whether that is an upper bound only, because the provider did not say.
    pub(super) fn spent(&self, seen: &Seen, status: u16) -> (TokenUsage, bool) {
        if !self.is_inference {
            return (TokenUsage::default(), false);
        }
        if let Some(usage) = seen.usage
            && (seen.complete || usage.output > 0)
        {
            // A stream that is cut short counts what it wrote at its beginning alone.
            let written = if seen.complete { 0 } else { self.written(seen) };
            let usage = TokenUsage {
                output: usage.output.max(written),
                ..usage
            };
            return (usage, !seen.complete);
        }
        let is_error = !(200..300).contains(&status) || seen.failure.is_some();
        if is_error && seen.output_octets == 0 {
            return (TokenUsage::default(), false);
        }
        let usage = TokenUsage {
            input: seen.usage.map_or(self.input, |usage| usage.input),
            output: if seen.complete {
                self.output
            } else {
                self.written(seen)
            },
            ..seen.usage.unwrap_or_default()
        };
        (usage, true)
    }

    /// A bound of what was written as far as it came: no token is shorter than an octet.
    fn written(&self, seen: &Seen) -> u64 {
        seen.output_octets.min(self.output)
    }

    /// What these tokens cost.
    pub(super) fn cost(&self, usage: &TokenUsage) -> Option<Money> {
        self.rates.as_ref().map(|rates| rates.cost(usage))
    }
}

/// The prices that a person set for the model.
fn rates(terms: &LlmTerms, model: &str) -> Option<Rates> {
    let mut set = terms.prices.iter();
    let set = set.find(|(pattern, _)| prices::matches(pattern, model));
    set.map(|(_, price)| flat(price))
}

fn flat(price: &Price) -> Rates {
    Rates::flat(
        price.input,
        price.output,
        price.cache_read,
        price.cache_write,
    )
}

/// What is kept of budgets until a request is over.
pub(super) struct Kept(pub(super) Option<Reservation>);

impl Kept {
    /// Gives back what was not spent. Files are written on a thread of their own.
    pub(super) fn settle(&mut self, spent: Charge) {
        let Some(reservation) = self.0.take() else {
            return;
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(move || reservation.settle(spent))),
            Err(_) => reservation.settle(spent),
        }
    }
}

/// Why a budget does not let a request through, in words: reason, and seconds to wait where that helps.
pub(super) fn in_words(why: &NotReserved, most: Charge) -> (String, Option<u64>) {
    match why {
        NotReserved::Unavailable(reason) => (format!("budgets cannot be read: {reason}"), None),
        NotReserved::Exhausted {
            budget,
            left,
            under_way,
            renewed,
        } => {
            let limit = match (budget.cost, budget.tokens) {
                (Some(cost), _) if left.cost < most.cost => format!(
                    "{cost} USD has {} USD left, and this request can cost {} USD",
                    left.cost, most.cost
                ),
                (_, Some(tokens)) => format!(
                    "{tokens} tokens has {} left, and this request can take {}",
                    left.tokens, most.tokens
                ),
                _ => "the rule has not enough left".to_owned(),
            };
            let mut reason = format!("the budget of {limit}");
            let waits = under_way.tokens > 0 || under_way.cost > Money::ZERO;
            if waits {
                reason.push_str("; other requests that are under way hold a part of it");
            }
            if let Some(renewed) = renewed {
                reason.push_str(&format!("; it starts anew at {renewed}"));
            }
            (reason, waits.then_some(RETRY_SECONDS))
        }
    }
}

/// When requests that are under way may be over, in seconds.
const RETRY_SECONDS: u64 = 10;
