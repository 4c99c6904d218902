//! The accounts of a ledger and what happens to them, without a file. Nothing here changes a book
//! but [`Book::apply`]: whoever keeps it elsewhere as well writes a change down first.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::account::{Account, Amount, Limits, Sum};
use crate::limits::LEDGER_ACCOUNTS;

/// All accounts.
#[derive(Debug, Clone)]
pub(super) struct Book {
    /// The latest time that was ever seen. Time does not go back behind it, so that a window that
    /// was left is not entered again.
    clock: Timestamp,
    rows: BTreeMap<Account, Row>,
}

/// What one account holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    pub(super) account: Account,
    /// When its window began.
    pub(super) start: Timestamp,
    /// What was spent in it, and what is set aside.
    pub(super) taken: Sum,
    /// Of that, what is set aside for requests under way, by the process that sends them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) aside: BTreeMap<Uuid, Sum>,
    /// What the newest request was held to.
    #[serde(default)]
    pub(super) limits: Limits,
}

/// Rows that replace those of the same accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    pub(super) at: Timestamp,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) rows: Vec<Row>,
}

/// An account that a request is to be paid from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The account.
    pub account: Account,
    /// The most that may be taken from it in one window.
    pub limits: Limits,
}

/// What was taken, and from where. It has to be settled, or else stays taken.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct Taken {
    /// Each account with the start of the window.
    accounts: Vec<(Account, Timestamp)>,
    amount: Amount,
}

/// An account has not enough left.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not enough is left")]
pub struct Shortfall {
    /// Which one, by its place among the claims.
    pub claim: usize,
    /// What is left of what has a limit.
    pub left: Amount,
    /// What is set aside for requests under way.
    pub under_way: Amount,
    /// When it starts anew.
    pub renewed: Option<Timestamp>,
}

/// Why nothing was taken from a book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refused {
    /// An account has not enough left.
    Short(Shortfall),
    /// There is no room for another account.
    Full,
}

/// What an account holds, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Balance {
    /// The account.
    pub account: Account,
    /// When its window began.
    pub since: Timestamp,
    /// When it starts anew.
    pub renewed: Option<Timestamp>,
    /// What was spent.
    pub spent: Amount,
    /// What is set aside for requests under way.
    pub under_way: Amount,
    /// What the newest request was held to.
    pub limits: Limits,
    /// What is left of what has a limit.
    pub left: Limits,
}

impl Default for Book {
    fn default() -> Self {
        Self {
            clock: Timestamp::MIN,
            rows: BTreeMap::new(),
        }
    }
}

impl Book {
    /// What changes when `most` is taken from all claims by `holder`, or why it is not taken.
    pub(super) fn take(
        &self,
        claims: &[Claim],
        most: Amount,
        holder: Uuid,
        now: Timestamp,
    ) -> Result<(Change, Taken), Refused> {
        let at = now.max(self.clock);
        let amount = Sum::from(most);
        let mut rows: BTreeMap<&Account, Row> = BTreeMap::new();
        for (index, claim) in claims.iter().enumerate() {
            let before = self.row(&claim.account, at);
            if !claim.limits.hold(before.taken + amount) {
                return Err(Refused::Short(before.shortfall(index, claim.limits)));
            }
            let row = rows.entry(&claim.account);
            let limits = claim.limits;
            row.and_modify(|row| row.limits = row.limits.least(limits))
                .or_insert_with(|| before.with(holder, amount, limits));
        }
        let new = rows.keys().filter(|it| !self.rows.contains_key(**it));
        if self.rows.len() + new.count() > LEDGER_ACCOUNTS {
            return Err(Refused::Full);
        }
        let rows: Vec<Row> = rows.into_values().collect();
        let starts = rows.iter().map(|row| (row.account.clone(), row.start));
        let taken = Taken {
            accounts: starts.collect(),
            amount: most,
        };
        Ok((Change { at, rows }, taken))
    }

    /// What changes when `spent` is all that was spent of what `holder` took.
    pub(super) fn settle(&self, taken: &Taken, holder: Uuid, spent: Amount) -> Change {
        let mut rows = Vec::new();
        // A ledger that was begun anew has not seen the time at which it was taken.
        let starts = taken.accounts.iter().map(|(_, start)| *start);
        let at = starts.fold(self.clock, Timestamp::max);
        for (account, start) in &taken.accounts {
            let mut row = self.row(account, at);
            // What belongs to a window that was left is of no consequence to the next one.
            if row.start != *start {
                continue;
            }
            if self.rows.contains_key(account) {
                row.settle(holder, taken.amount.into(), spent.into());
            } else {
                // A person began the ledger anew in the meantime.
                row.taken = spent.into();
            }
            rows.push(row);
        }
        Change { at, rows }
    }

    /// What changes when those holders are gone: what they had set aside is spent.
    pub(super) fn bury(&self, is_gone: &dyn Fn(Uuid) -> bool) -> Change {
        let mut rows: Vec<Row> = Vec::new();
        for row in self.rows.values() {
            let mut kept = row.clone();
            kept.aside.retain(|holder, _| !is_gone(*holder));
            if kept.aside.len() < row.aside.len() {
                rows.push(kept);
            }
        }
        let at = self.clock;
        Change { at, rows }
    }

    /// What changes when a person gives these accounts anew: what is set aside stays so.
    pub(super) fn reset(&self, is_chosen: &dyn Fn(&Account) -> bool, now: Timestamp) -> Change {
        let at = now.max(self.clock);
        let chosen = self.rows.keys().filter(|account| is_chosen(account));
        let rows = chosen.map(|account| {
            let mut row = self.row(account, at);
            row.taken = row.set_aside();
            row
        });
        Change {
            at,
            rows: rows.collect(),
        }
    }

    /// What the accounts hold at a time, those whose window is over left out.
    pub(super) fn balances(&self, now: Timestamp) -> Vec<Balance> {
        let at = now.max(self.clock);
        let current = self.rows.values().filter(|row| !row.is_over(at));
        current.map(Row::balance).collect()
    }

    /// Those who have something set aside.
    pub(super) fn holders(&self) -> impl Iterator<Item = Uuid> {
        self.rows.values().flat_map(|row| row.aside.keys().copied())
    }

    /// Carries a change out.
    pub(super) fn apply(&mut self, change: Change) {
        self.clock = self.clock.max(change.at);
        for row in change.rows {
            self.rows.insert(row.account.clone(), row);
        }
    }

    /// Forgets the accounts whose window is over, which nothing can enter again.
    pub(super) fn prune(&mut self, now: Timestamp) {
        let clock = now.max(self.clock);
        self.clock = clock;
        self.rows.retain(|_, row| !row.is_over(clock));
    }

    /// All of it, as the changes that make it from nothing.
    pub(super) fn changes(&self) -> impl Iterator<Item = Change> {
        let at = self.clock;
        let first = Change {
            at,
            rows: Vec::new(),
        };
        let rows = self.rows.values().map(move |row| Change {
            at,
            rows: vec![row.clone()],
        });
        std::iter::once(first).chain(rows)
    }

    /// The row of an account at a time, which is never before the clock.
    fn row(&self, account: &Account, at: Timestamp) -> Row {
        let start = account.window.start(at);
        let row = self.rows.get(account);
        row.filter(|row| row.start >= start)
            .cloned()
            .unwrap_or_else(|| Row {
                account: account.clone(),
                start,
                taken: Sum::default(),
                aside: BTreeMap::new(),
                limits: Limits::default(),
            })
    }
}

impl Row {
    fn with(mut self, holder: Uuid, amount: Sum, limits: Limits) -> Self {
        self.taken = self.taken + amount;
        let aside = self.aside.entry(holder).or_default();
        *aside = *aside + amount;
        self.limits = limits;
        self
    }

    fn settle(&mut self, holder: Uuid, amount: Sum, spent: Sum) {
        let aside = self.aside.get(&holder).copied().unwrap_or_default();
        if aside.covers(amount) {
            self.taken = self.taken - amount + spent;
            self.put_aside(holder, aside - amount);
        } else {
            // It was held to be gone, and all that it had set aside to be spent.
            self.taken = self.taken + (spent - amount);
        }
    }

    fn put_aside(&mut self, holder: Uuid, rest: Sum) {
        if rest.is_zero() {
            self.aside.remove(&holder);
        } else {
            self.aside.insert(holder, rest);
        }
    }

    fn set_aside(&self) -> Sum {
        self.aside.values().copied().sum()
    }

    fn shortfall(&self, claim: usize, limits: Limits) -> Shortfall {
        Shortfall {
            claim,
            left: limits.left(self.taken),
            under_way: self.set_aside().amount(),
            renewed: self.account.window.end(self.start),
        }
    }

    fn is_over(&self, now: Timestamp) -> bool {
        let end = self.account.window.end(self.start);
        end.is_some_and(|end| end <= now)
    }

    fn balance(&self) -> Balance {
        let left = self.limits.left(self.taken);
        Balance {
            account: self.account.clone(),
            since: self.start,
            renewed: self.account.window.end(self.start),
            spent: (self.taken - self.set_aside()).amount(),
            under_way: self.set_aside().amount(),
            limits: self.limits,
            left: Limits {
                tokens: self.limits.tokens.map(|_| left.tokens),
                cost: self.limits.cost.map(|_| left.cost),
            },
        }
    }
}
