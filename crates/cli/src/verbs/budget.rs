//! `ringfence budget`: what agents have spent and have left, and budgets that a person gives anew.

use std::path::Path;

use jiff::Timestamp;
use ringfence_control::budgets::{self, BudgetError};
use ringfence_model::AgentName;
use ringfence_store::{Account, Amount, Balance, LedgerError, Limits, Scope, Window};

use crate::args::budget::{BudgetArguments, BudgetVerb, ChosenArguments, WindowName};
use crate::failure::Failure;
use crate::{output, paths};

/// Runs the verb. Returns the exit code.
pub(crate) fn budget(arguments: &BudgetArguments) -> Result<i32, Failure> {
    let data = paths::data().map_err(Failure::usage)?;
    let now = Timestamp::now();
    match &arguments.verb {
        BudgetVerb::List { json } => list(&data, now, *json),
        BudgetVerb::Reset { chosen, per, json } => {
            let by: AgentName = PERSON.parse().map_err(Failure::internal)?;
            let is_chosen = |account: &Account| is_chosen(chosen, *per, account);
            match budgets::reset(&data, &is_chosen, (&by, now)) {
                Ok(was) => Ok(tell_reset(&was, *json)),
                Err(BudgetError::Ledger(LedgerError::Damaged { .. })) if chosen.all => {
                    begin_anew(&data, (&by, now))
                }
                Err(error) => Err(unavailable(error)),
            }
        }
    }
}

fn list(data: &Path, now: Timestamp, json: bool) -> Result<i32, Failure> {
    let balances = budgets::list(data, now).map_err(unavailable)?;
    if json {
        output::json(&balances);
        return Ok(0);
    }
    if balances.is_empty() {
        output::say("nothing was spent of any budget that runs share");
        return Ok(0);
    }
    let rows = balances.iter().map(row).collect();
    let heading = ["budget", "per", "spent", "under way", "left", "starts anew"];
    output::table(&heading, rows);
    Ok(0)
}

fn row(balance: &Balance) -> Vec<String> {
    let renewed = balance.renewed.map(|at| at.strftime(TIME).to_string());
    vec![
        balance.account.scope.to_string(),
        balance.account.window.as_str().to_owned(),
        amount(balance.spent),
        amount(balance.under_way),
        left(balance.left, balance.limits),
        renewed.unwrap_or_else(|| "never".to_owned()),
    ]
}

fn tell_reset(was: &[Balance], json: bool) -> i32 {
    if json {
        output::json(&was);
        return 0;
    }
    if was.is_empty() {
        output::say("nothing was spent of such a budget");
    }
    for balance in was {
        output::line(&format!(
            "given anew: {}, of which {} were spent",
            output::name(&balance.account.to_string()),
            amount(balance.spent)
        ));
    }
    0
}

fn begin_anew(data: &Path, by: (&AgentName, Timestamp)) -> Result<i32, Failure> {
    let aside = budgets::begin_anew(data, by).map_err(unavailable)?;
    if let Some(path) = aside {
        output::say(&format!(
            "ringfence: the damaged ledger is now {}",
            output::path(&path)
        ));
    }
    output::say("ringfence: all budgets begin anew");
    Ok(0)
}

fn is_chosen(chosen: &ChosenArguments, per: Option<WindowName>, account: &Account) -> bool {
    let is_whose = match &account.scope {
        _ if chosen.all => true,
        Scope::Agent(agent) => chosen.agent.as_ref() == Some(agent),
        Scope::Profile(profile) => chosen.profile.as_ref() == Some(profile),
        Scope::Workspace => chosen.workspace,
        Scope::Run(_) => false,
    };
    let window = per.map(|per| match per {
        WindowName::Hour => Window::Hour,
        WindowName::Day => Window::Day,
        WindowName::Month => Window::Month,
        WindowName::Total => Window::Total,
    });
    is_whose && window.is_none_or(|window| window == account.window)
}

/// `1200 tokens, 0.25 USD`.
fn amount(amount: Amount) -> String {
    format!("{} tokens, {} USD", amount.tokens, amount.cost)
}

/// What is left of what has a limit: `800 of 2000 tokens, 4.75 of 5.00 USD`.
fn left(left: Limits, limits: Limits) -> String {
    let tokens = left.tokens.zip(limits.tokens);
    let tokens = tokens.map(|(left, most)| format!("{left} of {most} tokens"));
    let cost = left.cost.zip(limits.cost);
    let cost = cost.map(|(left, most)| format!("{left} of {most} USD"));
    let parts: Vec<String> = tokens.into_iter().chain(cost).collect();
    parts.join(", ")
}

fn unavailable(error: BudgetError) -> Failure {
    Failure::Unavailable(error.into())
}

/// Times are in UTC.
const TIME: &str = "%Y-%m-%d %H:%M:%SZ";
/// Who is on record for what a person does outside of any run.
const PERSON: &str = "local";

#[cfg(test)]
mod tests {
    use ringfence_model::llm::Money;

    use super::*;

    fn account(scope: Scope, window: Window) -> Account {
        Account {
            workspace: "local".parse().unwrap(),
            scope,
            window,
        }
    }

    #[test]
    fn only_what_a_person_names_is_given_anew() {
        let agent: AgentName = "claude".parse().unwrap();
        let accounts = [
            account(Scope::Agent(agent.clone()), Window::Day),
            account(Scope::Agent(agent.clone()), Window::Month),
            account(Scope::Agent("codex".parse().unwrap()), Window::Day),
            account(Scope::Profile("claude".to_owned()), Window::Day),
            account(Scope::Workspace, Window::Day),
        ];
        let none = || ChosenArguments {
            agent: None,
            profile: None,
            workspace: false,
            all: false,
        };
        let of_agent = || ChosenArguments {
            agent: Some(agent.clone()),
            ..none()
        };
        let of_profile = ChosenArguments {
            profile: Some("claude".to_owned()),
            ..none()
        };
        let of_workspace = ChosenArguments {
            workspace: true,
            ..none()
        };
        let all = ChosenArguments {
            all: true,
            ..none()
        };
        for (chosen, per, expected) in [
            (none(), None, [false, false, false, false, false]),
            (of_agent(), None, [true, true, false, false, false]),
            (
                of_agent(),
                Some(WindowName::Day),
                [true, false, false, false, false],
            ),
            (of_profile, None, [false, false, false, true, false]),
            (of_workspace, None, [false, false, false, false, true]),
            (all, None, [true, true, true, true, true]),
        ] {
            let found = accounts.each_ref().map(|it| is_chosen(&chosen, per, it));
            assert_eq!(found, expected, "{chosen:?} {per:?}");
        }
    }

    #[test]
    fn what_has_no_limit_has_nothing_left_to_tell() {
        let cost = |nanos| Some(Money::from_nanos(nanos));
        let limits = |tokens, cost| Limits { tokens, cost };
        for (has, of, text) in [
            (
                limits(Some(800), cost(4_750_000_000)),
                limits(Some(2_000), cost(5_000_000_000)),
                "800 of 2000 tokens, 4.75 of 5.00 USD",
            ),
            (
                limits(None, cost(0)),
                limits(None, cost(1)),
                "0.00 of 0.000000001 USD",
            ),
            (limits(None, None), limits(None, None), ""),
        ] {
            assert_eq!(left(has, of), text);
        }
    }
}
