//! How often a sandbox may ask by a rule, and how many of its requests may be under way at once.
//! In memory alone: what was asked before the gateway started does not count.
//!
//! A rate is a bucket that fills evenly and holds what one span of time gives: after a quiet span
//! all of it may be used at once, and in the long run no more passes than the rate. A bucket is
//! kept as the time at which it is full again (the generic cell rate algorithm of ATM), so nothing
//! has to be filled, and nothing is rounded away.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ringfence_gateway::llm::{LlmTerms, RateTerms};
use ringfence_model::{RuleRef, SandboxId};

use super::limits::{CONCURRENCY_WAIT, LONGEST_RATE, THROTTLED};

/// That of this process.
pub(crate) static THROTTLE: LazyLock<Throttle> = LazyLock::new(Throttle::default);

/// The state of all rates.
#[derive(Debug, Clone, Default)]
pub(crate) struct Throttle(Arc<Mutex<Entries>>);

type Entries = BTreeMap<Key, Entry>;
type Key = (SandboxId, RuleRef);

/// The requests of one sandbox by one rule.
#[derive(Debug, Default)]
struct Entry {
    under_way: u32,
    rates: Vec<Rate>,
}

#[derive(Debug, Clone, Copy)]
struct Rate {
    terms: RateTerms,
    requests: Bucket,
    tokens: Bucket,
}

/// When it is full again; none where it is.
#[derive(Debug, Clone, Copy, Default)]
struct Bucket(Option<Instant>);

/// A request that may be sent. It counts as under way until it is dropped.
#[derive(Debug)]
#[must_use]
pub(crate) struct Admitted {
    throttle: Throttle,
    key: Key,
    /// What was taken from the tokens of each rate.
    tokens: Vec<(RateTerms, u64)>,
}

/// A request that may not be sent yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Busy {
    /// How long to wait. For requests under way, a guess.
    pub(crate) retry_after: Duration,
    /// What there is too much of, as in "there are too many …".
    pub(crate) what: &'static str,
}

impl Throttle {
    /// Lets a request through that takes so many tokens at most, or tells when to ask again. One
    /// that can take more than a rate gives in its whole span waits until nothing is taken.
    pub(crate) fn admit(
        &self,
        sandbox: SandboxId,
        terms: &LlmTerms,
        now: Instant,
        tokens_at_most: u64,
    ) -> Result<Admitted, Busy> {
        let rule = (&terms.rule, terms.concurrency, &terms.rates[..]);
        self.admit_by(sandbox, rule, now, tokens_at_most)
    }

    /// The same by a rule of any kind: its name, how many may be under way, and its rates.
    pub(crate) fn admit_by(
        &self,
        sandbox: SandboxId,
        (rule, concurrency, rates): (&RuleRef, Option<u32>, &[RateTerms]),
        now: Instant,
        tokens_at_most: u64,
    ) -> Result<Admitted, Busy> {
        let key = (sandbox, rule.clone());
        let mut entries = self.entries();
        if !entries.contains_key(&key) && entries.len() >= THROTTLED {
            entries.retain(|_, entry| entry.matters(now));
            if entries.len() >= THROTTLED {
                return Err(Busy::under_way());
            }
        }
        let entry = entries.entry(key.clone()).or_default();
        entry.follow(rates);
        let tokens = entry.admit(concurrency, now, tokens_at_most)?;
        drop(entries);
        Ok(Admitted {
            throttle: self.clone(),
            key,
            tokens,
        })
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Admitted {
    /// States how many tokens were used; those that were not may be used by others.
    pub(crate) fn settle(self, tokens: u64) {
        let mut entries = self.throttle.entries();
        let Some(entry) = entries.get_mut(&self.key) else {
            return;
        };
        for (terms, taken) in &self.tokens {
            let rate = entry.rates.iter_mut().find(|rate| rate.terms == *terms);
            if let (Some(rate), Some(most)) = (rate, terms.tokens) {
                let before = time_for(*taken, most, terms.per);
                rate.tokens
                    .correct(before, time_for(tokens, most, terms.per));
            }
        }
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        if let Some(entry) = self.throttle.entries().get_mut(&self.key) {
            entry.under_way = entry.under_way.saturating_sub(1);
        }
    }
}

impl Busy {
    const fn under_way() -> Self {
        Self {
            retry_after: CONCURRENCY_WAIT,
            what: "requests under way",
        }
    }
}

impl Entry {
    /// Whether forgetting it would let anything through.
    fn matters(&self, now: Instant) -> bool {
        let mut rates = self.rates.iter();
        let is_used = |rate: &Rate| rate.requests.is_used(now) || rate.tokens.is_used(now);
        self.under_way > 0 || rates.any(is_used)
    }

    /// Takes the rates of a policy over; those that it had before go on.
    fn follow(&mut self, terms: &[RateTerms]) {
        let is_same = self.rates.iter().map(|rate| &rate.terms).eq(terms);
        if is_same {
            return;
        }
        let before = std::mem::take(&mut self.rates);
        let rate = |terms: &RateTerms| {
            let known = before.iter().find(|rate| rate.terms == *terms);
            known.copied().unwrap_or_else(|| Rate::new(*terms))
        };
        self.rates = terms.iter().map(rate).collect();
    }

    /// Takes from all rates or from none.
    fn admit(
        &mut self,
        concurrency: Option<u32>,
        now: Instant,
        tokens: u64,
    ) -> Result<Vec<(RateTerms, u64)>, Busy> {
        if concurrency.is_some_and(|most| self.under_way >= most) {
            return Err(Busy::under_way());
        }
        let mut rates = self.rates.clone();
        let mut taken = Vec::with_capacity(rates.len());
        // The longest wait is told: asking again after a shorter one would be in vain.
        let mut longest: Option<Busy> = None;
        for rate in &mut rates {
            match rate.take(now, tokens) {
                Ok(tokens) => taken.push((rate.terms, tokens)),
                Err(busy) => {
                    let known = longest.map_or(Duration::ZERO, |it| it.retry_after);
                    if busy.retry_after >= known {
                        longest = Some(busy);
                    }
                }
            }
        }
        if let Some(busy) = longest {
            return Err(busy);
        }
        self.rates = rates;
        self.under_way = self.under_way.saturating_add(1);
        Ok(taken)
    }
}

impl Rate {
    const fn new(terms: RateTerms) -> Self {
        Self {
            terms,
            requests: Bucket(None),
            tokens: Bucket(None),
        }
    }

    /// Takes a request and so many tokens, or all tokens there are where that is less.
    fn take(&mut self, now: Instant, tokens: u64) -> Result<u64, Busy> {
        let per = self.terms.per.min(LONGEST_RATE);
        if let Some(most) = self.terms.requests {
            let wait = self.requests.take(now, time_for(1, most, per), per);
            wait.map_err(|retry_after| Busy {
                retry_after,
                what: "requests in a time",
            })?;
        }
        let mut tokens = tokens;
        if let Some(most) = self.terms.tokens {
            // A rate of nothing has no fullness to wait for.
            if most > 0 {
                tokens = tokens.min(most);
            }
            let wait = self.tokens.take(now, time_for(tokens, most, per), per);
            wait.map_err(|retry_after| Busy {
                retry_after,
                what: "tokens in a time",
            })?;
        }
        Ok(tokens)
    }
}

impl Bucket {
    /// Takes what `time` gives out of what `per` gives, or tells how long to wait.
    fn take(&mut self, now: Instant, time: Duration, per: Duration) -> Result<(), Duration> {
        let used = self.0.map_or(Duration::ZERO, |full| full - now);
        let after = used.saturating_add(time);
        if time.is_zero() || after <= per {
            self.0 = now.checked_add(after);
            return Ok(());
        }
        Err(after.saturating_sub(per).clamp(SHORTEST_WAIT, LONGEST_RATE))
    }

    /// What was taken turned out to be this much. More than there was is owed.
    fn correct(&mut self, before: Duration, after: Duration) {
        let Some(full) = self.0 else {
            return;
        };
        let owed = full.checked_add(after.min(LONGEST_RATE));
        // An instant before the system's first one is one at which the bucket was full long ago.
        self.0 = owed.and_then(|full| full.checked_sub(before));
    }

    fn is_used(&self, now: Instant) -> bool {
        self.0.is_some_and(|full| full > now)
    }
}

/// In how much of `per` the rate gives `count`, where it gives `most` in all of it; rounded up.
fn time_for(count: u64, most: u64, per: Duration) -> Duration {
    if count == 0 {
        return Duration::ZERO;
    }
    if most == 0 {
        // It never gives any.
        return Duration::MAX;
    }
    let per = per.min(LONGEST_RATE).as_nanos();
    let time = (per * u128::from(count)).div_ceil(u128::from(most));
    u64::try_from(time).map_or(Duration::MAX, Duration::from_nanos)
}

/// A wait of no time would be one that is over.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests;
