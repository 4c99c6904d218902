//! What agents may spend: the gateway's port to the ledger of this machine, and what a person sees
//! and changes of it.
//!
//! An account is known by who shares it and its window, not by the rule: rules that give the same
//! agent a budget for each day take from one account, each up to its own limit. What one run alone
//! spends from is in the memory of its process; all else is in the ledger, which all runs share.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use ringfence_gateway::llm::{BudgetScope, BudgetTerms, BudgetWindow};
use ringfence_gateway::{Budgets, Charge, Identity, NotReserved, Reservation, Settle};
use ringfence_model::llm::Money;
use ringfence_model::{AgentName, Notice, NoticeKind, Record, RuleRef, RunId, SandboxId};
use ringfence_store::{
    Account, Amount, Balance, Claim, Ledger, LedgerError, Limits, MemoryLedger, NotTaken, Scope,
    Spool, SpoolError, Taken, Window,
};

/// The gateway's port to the budgets of this user on this machine. The ledger is opened at the
/// first request that has a budget beyond its run.
#[derive(Debug)]
pub struct LocalBudgets {
    data: PathBuf,
    runs: Arc<MemoryLedger>,
    ledger: Mutex<Option<Arc<Ledger>>>,
}

/// What was taken for one request. What is not settled is spent.
struct Held {
    most: Amount,
    of_run: Option<(Arc<MemoryLedger>, Taken)>,
    shared: Option<(Arc<Ledger>, Taken)>,
}

/// Why budgets cannot be shown or given anew.
#[derive(Debug, thiserror::Error)]
pub enum BudgetError {
    /// The ledger cannot be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// It cannot be recorded, so it is not done.
    #[error(transparent)]
    Record(#[from] SpoolError),
}

impl LocalBudgets {
    /// Those whose ledger is below the data directory `data`.
    #[must_use]
    pub fn new(data: &Path) -> Self {
        Self {
            data: data.to_owned(),
            runs: Arc::default(),
            ledger: Mutex::default(),
        }
    }

    fn ledger(&self) -> Result<Arc<Ledger>, LedgerError> {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ledger) = &*ledger {
            return Ok(Arc::clone(ledger));
        }
        let opened = Arc::new(Ledger::open(&self.data)?);
        *ledger = Some(Arc::clone(&opened));
        Ok(opened)
    }

    /// What the accounts hold that runs share, where this process has spent from any of them. None
    /// where the ledger cannot be read: for a person, [`list`] says why.
    #[must_use]
    pub fn used(&self, now: Timestamp) -> Vec<Balance> {
        let opened = || self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let ledger = opened().clone();
        let balances = ledger.and_then(|ledger| ledger.balances(now).ok());
        balances.unwrap_or_default()
    }

    fn reserve_at(
        &self,
        identity: &Identity,
        budgets: &[BudgetTerms],
        most: Charge,
        now: Timestamp,
    ) -> Result<Reservation, NotReserved> {
        let most = amount(most);
        let mut held = Held {
            most,
            of_run: None,
            shared: None,
        };
        let (of_run, shared) = parted(budgets);
        if !of_run.is_empty() {
            let taken = self.runs.take(&claims(identity, &of_run), most, now);
            let taken = taken.map_err(|error| not_reserved(error, &of_run))?;
            held.of_run = Some((Arc::clone(&self.runs), taken));
        }
        if !shared.is_empty() {
            match self.take_shared(&claims(identity, &shared), most, now) {
                Ok(taken) => held.shared = Some(taken),
                Err(error) => {
                    held.settle_all(Amount::default());
                    return Err(not_reserved(error, &shared));
                }
            }
        }
        Ok(Reservation::new(Box::new(held)))
    }

    /// Takes from all where that needs no waiting, or from none.
    fn reserve_now(
        &self,
        identity: &Identity,
        budgets: &[BudgetTerms],
        most: Charge,
        now: Timestamp,
    ) -> Option<Reservation> {
        let most = amount(most);
        let (of_run, shared) = parted(budgets);
        let mut held = Held {
            most,
            of_run: None,
            shared: None,
        };
        if !of_run.is_empty() {
            let taken = self.runs.take(&claims(identity, &of_run), most, now);
            held.of_run = Some((Arc::clone(&self.runs), taken.ok()?));
        }
        if !shared.is_empty() {
            let ledger = self.ledger.try_lock().ok().and_then(|it| it.clone());
            let taken = ledger.and_then(|ledger| {
                let claims = claims(identity, &shared);
                let taken = ledger.take_at_once(&claims, most, now)?.ok()?;
                Some((ledger, taken))
            });
            if taken.is_none() {
                held.settle_all(Amount::default());
            }
            held.shared = Some(taken?);
        }
        Some(Reservation::new(Box::new(held)))
    }

    fn take_shared(
        &self,
        claims: &[Claim],
        most: Amount,
        now: Timestamp,
    ) -> Result<(Arc<Ledger>, Taken), NotTaken> {
        let ledger = self.ledger()?;
        let taken = ledger.take(claims, most, now)?;
        Ok((ledger, taken))
    }
}

impl Budgets for LocalBudgets {
    fn reserve(
        &self,
        identity: &Identity,
        _: &RuleRef,
        budgets: &[BudgetTerms],
        most: Charge,
    ) -> Result<Reservation, NotReserved> {
        self.reserve_at(identity, budgets, most, Timestamp::now())
    }

    fn reserve_at_once(
        &self,
        identity: &Identity,
        budgets: &[BudgetTerms],
        most: Charge,
    ) -> Option<Reservation> {
        self.reserve_now(identity, budgets, most, Timestamp::now())
    }
}

impl Held {
    fn settle_all(&mut self, spent: Amount) {
        if let Some((ledger, taken)) = self.of_run.take() {
            ledger.settle(taken, spent);
        }
        if let Some((ledger, taken)) = self.shared.take() {
            // What cannot be written down stays taken in full.
            let _ = ledger.settle(taken, spent);
        }
    }
}

impl Settle for Held {
    fn settle(mut self: Box<Self>, spent: Charge) {
        self.settle_all(amount(spent));
    }

    fn settle_at_once(mut self: Box<Self>, spent: Charge) -> Result<(), Box<dyn Settle>> {
        if let Some((ledger, taken)) = self.shared.take()
            && let Err(taken) = ledger.settle_at_once(taken, amount(spent))
        {
            self.shared = Some((ledger, taken));
            return Err(self);
        }
        self.settle_all(amount(spent));
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.settle_all(self.most);
    }
}

/// What all accounts hold that are known and whose window is not over.
///
/// # Errors
/// Where the ledger cannot be read.
pub fn list(data: &Path, now: Timestamp) -> Result<Vec<Balance>, BudgetError> {
    Ok(Ledger::open(data)?.balances(now)?)
}

/// Gives the accounts anew for which `is_chosen` says so; returns what they held. It is recorded
/// first, under a name: what cannot be recorded is not done.
///
/// # Errors
/// Where the ledger cannot be read or written, or it cannot be recorded.
pub fn reset(
    data: &Path,
    is_chosen: &dyn Fn(&Account) -> bool,
    (by, now): (&AgentName, Timestamp),
) -> Result<Vec<Balance>, BudgetError> {
    let ledger = Ledger::open(data)?;
    let mut chosen = ledger.balances(now)?;
    chosen.retain(|balance| is_chosen(&balance.account));
    if !chosen.is_empty() {
        let notices = chosen.iter().map(|balance| NoticeKind::BudgetReset {
            budget: balance.account.to_string(),
            tokens: balance.spent.tokens,
            cost: balance.spent.cost,
        });
        record(data, notices, (by, now))?;
        ledger.reset(is_chosen, now)?;
    }
    Ok(chosen)
}

/// Sets a ledger aside that is damaged, so that all budgets begin anew. Returns where it is now;
/// none where there is no ledger.
///
/// # Errors
/// Where it cannot be recorded or done.
pub fn begin_anew(
    data: &Path,
    (by, now): (&AgentName, Timestamp),
) -> Result<Option<PathBuf>, BudgetError> {
    let notice = NoticeKind::BudgetReset {
        budget: "all, because the ledger was damaged".to_owned(),
        tokens: 0,
        cost: Money::ZERO,
    };
    record(data, std::iter::once(notice), (by, now))?;
    Ok(Ledger::set_aside(data, now)?)
}

/// A person acts outside of any run, so the notices have a run of their own.
fn record(
    data: &Path,
    kinds: impl Iterator<Item = NoticeKind>,
    (by, time): (&AgentName, Timestamp),
) -> Result<(), SpoolError> {
    let (run, sandbox) = (RunId::new(), SandboxId::new());
    let spool = Spool::create(data, run)?;
    for kind in kinds {
        spool.append(&Record::Notice(Notice {
            time,
            run,
            sandbox,
            agent: by.clone(),
            kind,
        }))?;
    }
    spool.sync()
}

/// The budgets that one run has for itself, and those that others share.
fn parted(budgets: &[BudgetTerms]) -> (Vec<&BudgetTerms>, Vec<&BudgetTerms>) {
    budgets
        .iter()
        .partition(|budget| budget.scope == BudgetScope::Run)
}

const fn amount(charge: Charge) -> Amount {
    Amount {
        tokens: charge.tokens,
        cost: charge.cost,
    }
}

const fn charge(amount: Amount) -> Charge {
    Charge {
        tokens: amount.tokens,
        cost: amount.cost,
    }
}

fn claims(identity: &Identity, budgets: &[&BudgetTerms]) -> Vec<Claim> {
    let claim = |budget: &&BudgetTerms| Claim {
        account: Account {
            workspace: identity.workspace.clone(),
            scope: match &budget.scope {
                BudgetScope::Run => Scope::Run(identity.run),
                BudgetScope::Agent => Scope::Agent(identity.agent.clone()),
                BudgetScope::Profile(name) => Scope::Profile(name.clone()),
                BudgetScope::Workspace => Scope::Workspace,
            },
            window: match budget.window {
                BudgetWindow::Hour => Window::Hour,
                BudgetWindow::Day => Window::Day,
                BudgetWindow::Month => Window::Month,
                BudgetWindow::Total => Window::Total,
            },
        },
        limits: Limits {
            tokens: budget.tokens,
            cost: budget.cost,
        },
    };
    budgets.iter().map(claim).collect()
}

fn not_reserved(error: NotTaken, budgets: &[&BudgetTerms]) -> NotReserved {
    match error {
        NotTaken::Short(short) => match budgets.get(short.claim) {
            Some(budget) => NotReserved::Exhausted {
                budget: Box::new((*budget).clone()),
                left: charge(short.left),
                under_way: charge(short.under_way),
                renewed: short.renewed,
            },
            None => NotReserved::Unavailable(short.to_string()),
        },
        NotTaken::Ledger(error) => NotReserved::Unavailable(in_full(&error)),
    }
}

/// An error with its causes.
fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests;
