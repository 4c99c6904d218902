//! Limits, budgets, rates and prices of an LLM rule: each says something, and nothing that could
//! not be kept.

use super::super::Fault;
use super::check_model;
use crate::document::outline::Part;
use crate::document::{BudgetScopeWord, BudgetWindowWord, LlmBudget, LlmMatch};

/// Checks all of them.
pub(super) fn check_costs(terms: &LlmMatch) -> Result<(), Fault> {
    check_numbers(&[
        ("maxOutputTokens", terms.max_output_tokens),
        ("requestOctets", terms.request_octets),
        ("concurrency", terms.concurrency.map(u64::from)),
    ])?;
    for (index, rate) in terms.rates.iter().flatten().enumerate() {
        let place = [Part::Key("rates"), Part::Item(index)];
        let stated = [("requests", rate.requests), ("tokens", rate.tokens)];
        check_some(
            stated.iter().any(|(_, value)| value.is_some()),
            "`requests` or `tokens`",
        )
        .and_then(|()| check_numbers(&stated))
        .map_err(|fault| fault.below(&place))?;
    }
    let budgets = terms.budget.as_deref().unwrap_or_default();
    for (index, budget) in budgets.iter().enumerate() {
        let place = [Part::Key("budget"), Part::Item(index)];
        check_budget(budget).map_err(|fault| fault.below(&place))?;
    }
    for name in terms.prices.iter().flatten().map(|(name, _)| name) {
        // A pattern is a name with `*` in it.
        check_model(&name.replace('*', "x")).map_err(|it| it.below(&[Part::Key("prices")]))?;
    }
    let repeats = terms.loops.as_ref().and_then(|loops| loops.repeats);
    if repeats.is_some_and(|repeats| repeats < 2) {
        return Err(Fault::new(
            &[Part::Key("loops"), Part::Key("repeats")],
            "a call repeats itself when there are two of it",
            "write 2 or more",
        ));
    }
    let loops = terms.loops.as_ref();
    check_some(
        loops.is_none_or(|loops| loops.stop || loops.repeats.is_some()),
        "`repeats` or `stop`",
    )
    .map_err(|fault| fault.below(&[Part::Key("loops")]))
}

fn check_some(is_there: bool, what: &str) -> Result<(), Fault> {
    if is_there {
        return Ok(());
    }
    let message = format!("this says nothing without {what}");
    Err(Fault::new(
        &[],
        message,
        "write one of them, or leave it out",
    ))
}

fn check_numbers(stated: &[(&'static str, Option<u64>)]) -> Result<(), Fault> {
    match stated.iter().find(|(_, value)| *value == Some(0)) {
        None => Ok(()),
        Some((name, _)) => Err(Fault::new(
            &[Part::Key(name)],
            format!("`{name}` is at least 1"),
            "to allow nothing, leave the rule out, or write a forbid",
        )),
    }
}

fn check_budget(budget: &LlmBudget) -> Result<(), Fault> {
    let is_some = budget.usd.is_some() || budget.tokens.is_some();
    check_some(is_some, "`usd` or `tokens`")?;
    check_numbers(&[("tokens", budget.tokens)])?;
    let is_other = budget.scope.is_some_and(|it| it != BudgetScopeWord::Run);
    if budget.per == BudgetWindowWord::Run && is_other {
        return Err(Fault::new(
            &[Part::Key("scope")],
            "`per: run` is a budget of each run by itself",
            "leave `scope` out, or write `per: total` with it",
        ));
    }
    Ok(())
}
