//! `ringfence policy`: check, test, explain, simulate, diff, show.

mod asked;

use anyhow::anyhow;
use jiff::Timestamp;
use ringfence_model::{Action, Generation};
use ringfence_policy::{Observed, Profile, Snapshot, TestOutcome, diff, run_tests, simulate};
use ringfence_store::Filter;

use crate::args::{AskedArguments, FilterArguments, PolicyArguments, PolicyVerb};
use crate::failure::Failure;
use crate::{output, profiles};

/// Runs the verb. Returns the exit code.
pub(crate) fn policy(arguments: PolicyArguments) -> Result<i32, Failure> {
    match arguments.verb {
        PolicyVerb::Check { profiles } => check(&profiles),
        PolicyVerb::Test { profiles, json } => test(&profiles, json),
        PolicyVerb::Explain {
            profiles,
            asked,
            json,
        } => explain(&profiles, asked, json),
        PolicyVerb::Simulate {
            profiles,
            filter,
            json,
        } => replay(&profiles, &filter, json),
        PolicyVerb::Diff {
            before,
            after,
            json,
        } => compare(&before, &after, json),
        PolicyVerb::Show { name } => show(name.as_deref()),
    }
}

fn read(names: &[String]) -> Result<Vec<Profile>, Failure> {
    let mut found = Vec::new();
    for name in names {
        found.extend(profiles::find(name)?);
    }
    Ok(found)
}

fn compile(names: &[String]) -> Result<Snapshot, Failure> {
    Ok(Snapshot::compile(Generation(1), &read(names)?)?)
}

fn check(names: &[String]) -> Result<i32, Failure> {
    let rules = compile(names)?.rule_count();
    output::line(&format!("{}: no mistakes, {rules} rules", names.join(", ")));
    Ok(0)
}

fn test(names: &[String], json: bool) -> Result<i32, Failure> {
    let outcomes = run_tests(&read(names)?, Timestamp::now())?;
    if json {
        output::json(&outcomes);
    } else {
        outcomes
            .iter()
            .filter(|outcome| !outcome.passed)
            .for_each(show_failed);
        let failed = outcomes.iter().filter(|outcome| !outcome.passed).count();
        output::line(&format!(
            "{} passed, {failed} failed",
            outcomes.len() - failed
        ));
    }
    if outcomes.iter().all(|outcome| outcome.passed) {
        return Ok(0);
    }
    Err(Failure::Refused(anyhow!(
        "a policy does not do what its tests say"
    )))
}

fn show_failed(outcome: &TestOutcome) {
    output::line(&format!(
        "{} test {}: {}: expected {}, got {}: {}",
        outcome.profile,
        outcome.number,
        outcome.action,
        outcome.expected,
        outcome.decision.effect,
        outcome.decision.reason
    ));
}

fn explain(names: &[String], asked: AskedArguments, json: bool) -> Result<i32, Failure> {
    let policy = compile(names)?;
    let action = asked::action(asked, &policy)?;
    let explanation = policy.explain(&action, Timestamp::now());
    if json {
        output::json(&explanation);
    } else {
        output::line(explanation.to_string().trim_end());
    }
    Ok(0)
}

/// What happened, from the store.
fn observed(filter: &Filter) -> Result<Vec<Observed>, Failure> {
    let recorded = super::with_store(async |store| {
        store
            .actions_for_simulation(filter)
            .await
            .map_err(super::unavailable)
    })?;
    Ok(recorded
        .into_iter()
        .map(|recorded| Observed {
            action: recorded.action,
            effect: recorded.effect,
            count: recorded.count,
        })
        .collect())
}

fn replay(names: &[String], filter: &FilterArguments, json: bool) -> Result<i32, Failure> {
    let candidate = compile(names)?;
    let simulation = simulate(&candidate, &observed(&filter.filter())?, Timestamp::now());
    if json {
        output::json(&simulation);
    } else {
        output::line(simulation.to_string().trim_end());
    }
    Ok(0)
}

fn compare(before: &str, after: &str, json: bool) -> Result<i32, Failure> {
    let before = profiles::find(before)?;
    let after = profiles::find(after)?;
    let samples: Vec<Action> = observed(&Filter::default())?
        .into_iter()
        .map(|observed| observed.action)
        .collect();
    let found = diff(&before, &after, &samples, Timestamp::now())?;
    if json {
        output::json(&found);
    } else {
        output::line(found.to_string().trim_end());
    }
    Ok(0)
}

fn show(name: Option<&str>) -> Result<i32, Failure> {
    let Some(name) = name else {
        for name in Profile::builtin_names() {
            let description = Profile::builtin(name)
                .and_then(|profile| profile.description)
                .unwrap_or_default();
            let first = description.lines().next().unwrap_or_default();
            output::line(&format!("{name:<14} {first}"));
        }
        return Ok(0);
    };
    let source = Profile::builtin_source(name)
        .ok_or_else(|| Failure::Usage(anyhow!("there is no built-in profile `{name}`")))?;
    output::line(source.trim_end());
    Ok(0)
}
