//! What was spent of the budgets that runs share, and how much there is.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use jiff::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;
use ringfence_store::Balance;

use super::limits::{BUDGETS, BUDGETS_READ_EVERY};
use crate::budgets::LocalBudgets;

/// Reads the ledger when somebody scrapes, and not too often.
pub(super) struct BudgetGauges {
    budgets: Arc<LocalBudgets>,
    read: Mutex<Option<(Instant, Vec<Balance>)>>,
}

impl fmt::Debug for BudgetGauges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BudgetGauges").finish_non_exhaustive()
    }
}

impl BudgetGauges {
    pub(super) fn new(budgets: Arc<LocalBudgets>) -> Self {
        Self {
            budgets,
            read: Mutex::default(),
        }
    }

    /// A ledger that cannot be read shows none: metrics are no place to say why.
    fn balances(&self) -> Vec<Balance> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, balances)) = read
            .as_ref()
            .filter(|(when, _)| when.elapsed() < BUDGETS_READ_EVERY)
        {
            return balances.clone();
        }
        let mut balances = self.budgets.used(Timestamp::now());
        balances.truncate(BUDGETS);
        *read = Some((Instant::now(), balances.clone()));
        balances
    }
}

impl Collector for BudgetGauges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let balances = self.balances();
        for (name, help, value) in GAUGES {
            let mut shown = balances
                .iter()
                .filter_map(|balance| Some((labels(balance), value(balance)?)))
                .peekable();
            if shown.peek().is_none() {
                continue;
            }
            let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for (labels, value) in shown {
                metric.encode_family(&labels)?.encode_gauge(&value)?;
            }
        }
        Ok(())
    }
}

fn labels(balance: &Balance) -> [(&'static str, String); 2] {
    let account = &balance.account;
    [
        ("budget", account.scope.to_string()),
        ("per", account.window.as_str().to_owned()),
    ]
}

type Value = fn(&Balance) -> Option<f64>;

const GAUGES: [(&str, &str, Value); 4] = [
    (
        "ringfence_budget_spent_tokens",
        "Tokens that were spent of a budget which runs share.",
        |balance| Some(number(balance.spent.tokens)),
    ),
    (
        "ringfence_budget_limit_tokens",
        "Tokens of that budget.",
        |balance| balance.limits.tokens.map(number),
    ),
    (
        "ringfence_budget_spent_usd",
        "US dollars that were spent of a budget which runs share.",
        |balance| Some(number(balance.spent.cost.nanos()) / 1e9),
    ),
    (
        "ringfence_budget_limit_usd",
        "US dollars of that budget.",
        |balance| balance.limits.cost.map(|cost| number(cost.nanos()) / 1e9),
    ),
];

#[expect(
    clippy::cast_precision_loss,
    reason = "metrics have no exact numbers with decimals; the ledger has"
)]
fn number(count: u64) -> f64 {
    count as f64
}
