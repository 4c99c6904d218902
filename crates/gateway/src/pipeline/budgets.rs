//! The port to what agents may spend. A request takes what it can cost at most before it is sent,
//! and gives back what it did not cost when it is over, so that no number of requests at once can
//! spend more than there is.

use jiff::Timestamp;
use ringfence_model::RuleRef;
use ringfence_model::llm::Money;
use ringfence_policy::BudgetTerms;

use super::session::Identity;

/// An amount that budgets count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Charge {
    /// Tokens, in and out.
    pub tokens: u64,
    /// Money.
    pub cost: Money,
}

/// Where the gateway takes from what agents may spend.
pub trait Budgets: Send + Sync {
    /// Takes `most` from all of `budgets`, which a rule gives this agent, or from none. It may wait
    /// for a file.
    ///
    /// # Errors
    /// The first budget that has not enough left, or why it cannot be told.
    fn reserve(
        &self,
        identity: &Identity,
        rule: &RuleRef,
        budgets: &[BudgetTerms],
        most: Charge,
    ) -> Result<Reservation, NotReserved>;

    /// The same for a thread that must not wait: none where it would have to, and then nothing was
    /// taken.
    fn reserve_at_once(
        &self,
        identity: &Identity,
        budgets: &[BudgetTerms],
        most: Charge,
    ) -> Option<Reservation>;
}

/// What was taken from budgets for one request. Dropped without an end, all of it is spent.
#[must_use]
pub struct Reservation(Option<Box<dyn Settle>>);

/// Ends a reservation.
pub trait Settle: Send {
    /// States what was spent of it. More than was taken is taken as well, and budgets are then
    /// short by it. It may wait for a file.
    fn settle(self: Box<Self>, spent: Charge);

    /// The same for a thread that must not wait.
    ///
    /// # Errors
    /// What is still to be settled, where that would have to wait.
    fn settle_at_once(self: Box<Self>, spent: Charge) -> Result<(), Box<dyn Settle>>;
}

/// Why nothing was taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotReserved {
    /// A budget has not enough left.
    #[error("the budget has not enough left")]
    Exhausted {
        /// The budget.
        budget: Box<BudgetTerms>,
        /// What is left of it, in the terms that it has.
        left: Charge,
        /// Of what is not left, this much is only set aside for requests that are under way.
        under_way: Charge,
        /// When it starts anew.
        renewed: Option<Timestamp>,
    },
    /// It cannot be told what is left.
    #[error("budgets cannot be read or written: {0}")]
    Unavailable(String),
}

impl Reservation {
    /// What `settle` is told the end of.
    pub fn new(settle: Box<dyn Settle>) -> Self {
        Self(Some(settle))
    }

    /// States what was spent. It may wait for a file.
    pub fn settle(mut self, spent: Charge) {
        if let Some(settle) = self.0.take() {
            settle.settle(spent);
        }
    }

    /// The same for a thread that must not wait.
    ///
    /// # Errors
    /// The reservation, to be settled where it can wait.
    pub fn settle_at_once(mut self, spent: Charge) -> Result<(), Self> {
        match self.0.take() {
            Some(settle) => settle.settle_at_once(spent).map_err(Self::new),
            None => Ok(()),
        }
    }
}

/// The port of a gateway whose rules have no budgets: one that has is refused.
#[derive(Debug, Default)]
pub struct NoBudgets;

impl Budgets for NoBudgets {
    fn reserve(
        &self,
        _: &Identity,
        _: &RuleRef,
        _: &[BudgetTerms],
        _: Charge,
    ) -> Result<Reservation, NotReserved> {
        let reason = "this gateway keeps none".to_owned();
        Err(NotReserved::Unavailable(reason))
    }

    fn reserve_at_once(&self, _: &Identity, _: &[BudgetTerms], _: Charge) -> Option<Reservation> {
        None
    }
}
