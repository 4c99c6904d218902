//! What a request can cost at most, and what it did cost.

use ringfence_gateway::llm::{LlmTerms, Price};
use ringfence_gateway::{Charge, NotReserved, Reservation};
use ringfence_llm::prices::{self, Rates};
use ringfence_llm::request::Request;
use ringfence_llm::response::Seen;
use ringfence_model::llm::{LlmEndpoint, LlmProvider, Money, TokenUsage};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::limits::{FRAME_TOKENS, IMAGE_TOKENS, UNKNOWN_CONTEXT, UNKNOWN_OUTPUT};

/// The bounds of one request, and the prices that it is charged by.
#[derive(Debug, Clone)]
pub(super) struct Bill {
    /// The most tokens that go in.
    input: u64,
    /// The most tokens that are written.
    output: u64,
    /// Of those, the most that are not shown.
    hidden: u64,
    /// What they cost; none where the model has no price.
    rates: Option<Rates>,
    /// Whether the provider charges for it at all.
    is_inference: bool,
}

/// What a request took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Spent {
    pub(super) usage: TokenUsage,
    /// Whether tokens and cost are an upper bound only, because the provider did not say.
    pub(super) is_estimated: bool,
    /// What it cost; none where the model has no price.
    pub(super) cost: Option<Money>,
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
        // Some servers take a bound of nothing for none.
        let asked = request.max_output_tokens.filter(|most| *most > 0);
        let asked = [asked, terms.max_output_tokens].into_iter().flatten().min();
        let writes = endpoint != LlmEndpoint::Embeddings && endpoint.is_inference();
        let context = known.as_ref().map_or(UNKNOWN_CONTEXT, |it| it.context);
        Self {
            input: input(request, context),
            output: if writes {
                let choices = request.choices.max(1);
                asked.unwrap_or(most).saturating_mul(choices)
            } else {
                0
            },
            hidden: request.hidden,
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

    /// What it took. What the provider did not count is what it can have been at most.
    pub(super) fn spent(&self, seen: &Seen, status: u16) -> Spent {
        let told = seen.usage.unwrap_or_default();
        let is_error = !(200..300).contains(&status) || is_error_alone(seen);
        if !self.is_inference || (is_error && told.input == 0) {
            return Spent::default();
        }
        // A count of nothing is none, unless there was nothing to count.
        let has_output = told.output > 0 || (told.input > 0 && seen.output_octets == 0);
        let usage = TokenUsage {
            input: if told.input > 0 {
                told.input
            } else {
                self.input
            },
            output: match seen.complete {
                true if has_output => told.output,
                true => self.output,
                // A stream that is cut short counts what it wrote at its beginning alone.
                false => told.output.max(self.written(seen)),
            },
            ..told
        };
        let rates = self.rates.as_ref();
        Spent {
            usage,
            is_estimated: !seen.complete || usage != told,
            cost: rates.map(|rates| match told.input > 0 {
                true => rates.cost(&usage),
                // Nor is it known what of it went to a cache.
                false => rates.most(usage.input, usage.output),
            }),
        }
    }

    /// A bound of what was written as far as it came: no token that is shown is shorter than an
    /// octet.
    fn written(&self, seen: &Seen) -> u64 {
        let written = seen.output_octets.saturating_add(self.hidden);
        written.min(self.output)
    }
}

/// The most tokens that go in: no token is shorter than an octet. What is in a document, and what
/// the provider adds by itself, is known to the provider alone, but is no more than the model reads.
fn input(request: &Request, context: u64) -> u64 {
    let images = request.media.saturating_mul(IMAGE_TOKENS);
    let told = request.text_octets.saturating_add(images);
    let told = told.saturating_add(FRAME_TOKENS);
    if request.documents > 0 || !request.hosted.is_empty() {
        told.max(context)
    } else {
        told
    }
}

/// Whether the answer is an error and nothing else: the provider did not begin to work.
const fn is_error_alone(seen: &Seen) -> bool {
    seen.failure.is_some() && seen.id.is_none() && seen.model.is_none() && seen.output_octets == 0
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
    /// Gives back what was not spent; where that has to wait, on a thread of its own.
    pub(super) fn settle(&mut self, spent: Charge) {
        if let Some(Err(reservation)) = self.0.take().map(|it| it.settle_at_once(spent)) {
            drop(elsewhere(move || reservation.settle(spent)));
        }
    }

    /// As [`Self::settle`], and returns when it is done: what is asked next has the room.
    pub(super) async fn settled(&mut self, spent: Charge) {
        if let Some(Err(reservation)) = self.0.take().map(|it| it.settle_at_once(spent)) {
            let settling = elsewhere(move || reservation.settle(spent));
            if let Some(settling) = settling {
                // A settling that panicked has spent all of it.
                let _ = settling.await;
            }
        }
    }
}

/// All of it is spent.
impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(reservation) = self.0.take() {
            drop(elsewhere(move || drop(reservation)));
        }
    }
}

/// Files are written on a thread of their own, where there is a runtime that has one.
fn elsewhere(work: impl FnOnce() + Send + 'static) -> Option<JoinHandle<()>> {
    match Handle::try_current() {
        Ok(runtime) => Some(runtime.spawn_blocking(work)),
        Err(_) => {
            work();
            None
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

#[cfg(test)]
mod tests;
