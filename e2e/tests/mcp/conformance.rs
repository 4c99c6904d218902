//! The official conformance suite, in both eras: what passes against the server passes through the gateway.
//!
//! The suite wants a URL on localhost and can show no token, so `suite.mjs` stands in front of what it tests.

use std::collections::BTreeMap;

use ringfence_testkit::process::{command, run};
use serde_json::Value;

use super::lab::{ALL_FEATURES, KEY, Lab, Told, programs};

const SUITE: &str = "node_modules/@modelcontextprotocol/conformance/dist/index.js";

/// Runs the suite against the server itself.
fn directly(lab: &Lab, revision: &str) -> Value {
    let directory = programs();
    let script = lab.host.file("suite.mjs", include_str!("suite.mjs"));
    let mut node = command(directory.join("bin/node"));
    node.arg(script)
        .arg(directory.join(SUITE))
        .args([revision, "https://fixture.acme.test/mcp"])
        .env("KEY", KEY)
        .env("CA", lab.ca.certificate())
        .env("CONNECT", lab.server.address().to_string());
    let output = run(&mut node).unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|it| it.strip_prefix("SHOWN "));
    serde_json::from_str(line.unwrap()).unwrap()
}

/// Runs the suite in a sandbox, against the gateway.
fn through(lab: &Lab, revision: &str) -> (Value, String) {
    let directory = programs();
    let script = lab.host.file("suite.mjs", include_str!("suite.mjs"));
    let arguments = [
        directory.join("bin/node"),
        script,
        directory.join(SUITE),
        revision.into(),
        "http://mcp.ringfence.internal/lab".into(),
    ];
    let arguments = arguments.map(|it| it.display().to_string());
    let ended = lab
        .run()
        .option("--read", &directory.display().to_string())
        .exec(&arguments.each_ref().map(|it| &**it));
    let told = Told::of(ended);
    told.assert_never_saw(KEY);
    (told.shown[0].clone(), told.ended.stdout)
}

fn counted(checks: &Value) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for check in checks["passed"].as_array().unwrap() {
        *counts.entry(check.as_str().unwrap()).or_default() += 1;
    }
    counts
}

/// Nothing that passes directly is lost on the way, required or not.
fn nothing_is_lost(revision: &str, least: usize) {
    let lab = Lab::fixture(ALL_FEATURES);
    let direct = directly(&lab, revision);
    assert_eq!(direct["code"], 0, "{direct}");
    let (gateway, log) = through(&lab, revision);
    let (before, after) = (counted(&direct), counted(&gateway));
    let lost: Vec<_> = before
        .iter()
        .filter(|(check, count)| after.get(*check).unwrap_or(&0) < count)
        .map(|(check, _)| *check)
        .collect();
    let count = |checks: &Value, word: &str| checks[word].as_array().map_or(0, Vec::len);
    println!(
        "{revision}: direct {} passed, {} failed; through the gateway {} passed, {} failed",
        count(&direct, "passed"),
        count(&direct, "failed"),
        count(&gateway, "passed"),
        count(&gateway, "failed"),
    );
    assert_eq!(lost, [""; 0], "{}\n{log}", gateway["failed"]);
    assert_eq!(gateway["code"], 0, "a required scenario failed\n{log}");
    assert!(count(&direct, "passed") >= least, "the suite is not whole");
}

#[test]
fn no_check_is_lost_in_the_era_of_sessions() {
    nothing_is_lost("2025-11-25", 80);
}

#[test]
fn no_check_is_lost_in_the_stateless_era() {
    nothing_is_lost("2026-07-28", 160);
}
