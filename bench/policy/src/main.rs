//! Time of one decision at a number of rules: `policy-bench RULES` prints one line of JSON.
//!
//! The rules are of the kinds that profiles hold: exact names, zones, networks, rules with methods and paths, rules of an API with
//! a credential, and some that forbid. The actions are of the kinds that agents try: allowed, denied because no rule matches, and
//! forbidden.

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use ringfence_model::{Action, Connect, Effect, Entry, Generation, HttpRequest, Scheme};
use ringfence_policy::{Profile, Snapshot};
use serde_json::json;

const RULES_PER_PROFILE: usize = 1000;

/// How many kinds of rules there are, and which of them is about an API.
const KINDS: usize = 6;
const API: usize = 4;

const MEASURE: Duration = Duration::from_millis(1500);
const BATCH: usize = 500;

fn main() -> Result<()> {
    let rules: usize = std::env::args()
        .nth(1)
        .context("usage: policy-bench RULES")?
        .parse()?;
    let parsing = Instant::now();
    let profiles = profiles(rules)?;
    let parse_ms = milliseconds(parsing.elapsed());
    let compiling = Instant::now();
    let snapshot = Snapshot::compile(Generation(1), &profiles)?;
    let compile_ms = milliseconds(compiling.elapsed());

    let actions = actions(rules)?;
    let now = Timestamp::now();
    check(&snapshot, &actions, now)?;
    let mut nanoseconds = measure(&snapshot, &actions, now);
    nanoseconds.sort_by(f64::total_cmp);
    let result = json!({
        "n": nanoseconds.len() * BATCH,
        "ns": nanoseconds.get(nanoseconds.len() / 2),
        "parse_ms": parse_ms,
        "compile_ms": compile_ms,
    });
    println!("{result}");
    Ok(())
}

/// Mean nanoseconds of a decision, for each batch of decisions.
fn measure(snapshot: &Snapshot, actions: &[(Action, Effect)], now: Timestamp) -> Vec<f64> {
    let mut means = Vec::new();
    let start = Instant::now();
    let mut next = actions.iter().map(|(action, _)| action).cycle();
    while start.elapsed() < MEASURE {
        let batch = Instant::now();
        for action in next.by_ref().take(BATCH) {
            black_box(snapshot.decide(black_box(action), now));
        }
        means.push(batch.elapsed().as_nanos() as f64 / BATCH as f64);
    }
    means
}

/// A fast wrong answer is worth nothing.
fn check(snapshot: &Snapshot, actions: &[(Action, Effect)], now: Timestamp) -> Result<()> {
    for (action, expected) in actions {
        let verdict = snapshot.decide(action, now);
        ensure!(
            verdict.decision.effect == *expected,
            "{action}: {}",
            verdict.decision.reason
        );
    }
    Ok(())
}

fn profiles(rules: usize) -> Result<Vec<Profile>> {
    let numbers: Vec<usize> = (0..rules).collect();
    let mut profiles = Vec::new();
    for (index, part) in numbers.chunks(RULES_PER_PROFILE).enumerate() {
        let (api, network): (Vec<usize>, Vec<usize>) =
            part.iter().partition(|number| *number % KINDS == API);
        let network: String = network.into_iter().map(rule).collect();
        let api: String = api.into_iter().map(rule).collect();
        let yaml = format!(
            "apiVersion: ringfence/v1\nkind: Profile\nname: part-{index}\nnetwork:\n{network}api:\n{api}"
        );
        profiles.extend(Profile::parse("bench", &yaml)?);
    }
    Ok(profiles)
}

fn rule(number: usize) -> String {
    let terms = match number % KINDS {
        0 => format!("allow: {{ host: h{number}.acme.test, ports: [443] }}"),
        1 => format!("allow: {{ host: \"*.z{number}.acme.test\", ports: [443, 8443] }}"),
        2 => format!(
            "allow: {{ cidr: 10.{}.{}.0/24, ports: [5432] }}",
            number / 250 % 250,
            number % 250
        ),
        3 => format!(
            "allow: {{ host: h{number}.acme.test, ports: [80], methods: [GET, HEAD], paths: [\"/repos/*/archive/**\", \"/v1/**\"] }}"
        ),
        API => format!(
            "allow: {{ host: h{number}.acme.test, methods: [GET, HEAD], paths: [\"/repos/*/archive/**\", \"/v1/**\"], query: {{ params: [{{ name: page, matches: [\"1\", \"2\"] }}], others: deny }}, credential: acme }}"
        ),
        _ => format!("forbid: {{ host: h{number}.acme.test }}"),
    };
    format!("  - {terms}\n")
}

/// Actions spread over all the rules, in an order that does not follow memory.
fn actions(rules: usize) -> Result<Vec<(Action, Effect)>> {
    const ACTIONS: usize = 10_000;
    const STRIDE: usize = 7919;
    (0..ACTIONS)
        .map(|index| action(index * STRIDE % rules))
        .collect()
}

fn action(number: usize) -> Result<(Action, Effect)> {
    let connect = |destination: String| -> Result<Action> {
        Ok(Action::Connect(Connect {
            destination: destination.parse()?,
            entry: Entry::Transparent,
        }))
    };
    Ok(match number % KINDS {
        0 => (connect(format!("h{number}.acme.test:443"))?, Effect::Allow),
        1 => (
            connect(format!("a.b.z{number}.acme.test:443"))?,
            Effect::Allow,
        ),
        2 => (
            connect(format!("unknown{number}.acme.test:443"))?,
            Effect::Deny,
        ),
        3 => (request(number, Scheme::Http)?, Effect::Allow),
        API => (request(number, Scheme::Https)?, Effect::Allow),
        _ => (connect(format!("h{number}.acme.test:443"))?, Effect::Deny),
    })
}

fn request(number: usize, scheme: Scheme) -> Result<Action> {
    let (port, query) = match scheme {
        Scheme::Http => (80, None),
        Scheme::Https => (443, Some("page=2".to_owned())),
    };
    Ok(Action::Http(HttpRequest {
        destination: format!("h{number}.acme.test:{port}").parse()?,
        scheme,
        method: "GET".to_owned(),
        path: format!("/repos/project-{number}/archive/refs/heads/main"),
        query,
        headers: Vec::new(),
        content: None,
    }))
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
