//! `ringfence events` tells what is not an action as well: starts and ends of runs, findings, policies.

use ringfence_e2e::Host;
use ringfence_testkit::poll;
use ringfence_testkit::process::Server;
use serde_json::Value;

/// The kinds of the notices of a host, in order.
fn kinds(host: &Host) -> Vec<String> {
    let kind = |record: &Value| Some(record["kind"]["notice"].as_str()?.to_owned());
    host.records().iter().filter_map(kind).collect()
}

#[test]
fn a_run_and_what_it_left_are_listed_between_its_events() {
    let host = Host::new();
    let ended = host
        .run()
        .sh("curl -s http://denied.test/; echo x > .envrc; exit 3");
    assert_eq!(ended.code, 3, "{ended}");
    assert_eq!(kinds(&host), ["run-started", "finding", "run-ended"]);
    let listed = host.ringfence(&["events"]).stdout;
    let lines: Vec<&str> = listed.lines().collect();
    let words = [
        "note  local run started in ",
        "deny  local connect denied.test:80 ",
        "note  local finding private-copy-changed: ",
        "note  local run ended with exit code 3",
    ];
    for (line, words) in lines.iter().zip(words) {
        assert!(line.contains(words), "{words}: {listed}");
    }
    assert_eq!(lines.len(), words.len(), "{listed}");
}

#[test]
fn a_filter_by_decision_or_host_is_for_events() {
    let host = Host::new();
    host.run().sh("curl -s http://denied.test/");
    for filter in [["--decision", "deny"], ["--host", "denied.test"]] {
        let listed = host.ringfence(&[&["events"][..], &filter].concat()).stdout;
        assert_eq!(listed.lines().count(), 1, "{listed}");
        assert!(listed.contains(" deny "), "{listed}");
    }
}

#[test]
fn whoever_follows_sees_the_next_run_start_and_end() {
    let host = Host::new();
    assert_eq!(host.run().sh("exit 3").code, 3);
    let mut follow = host.command();
    follow.args(["events", "--follow"]);
    let follower = Server::start(host.workdir(), "follower", &mut follow).unwrap();
    poll::until_true("what has been", || {
        follower.log().contains("run ended with exit code 3")
    })
    .unwrap();
    assert_eq!(host.run().sh("exit 4").code, 4);
    poll::until_true("what comes", || {
        follower.log().contains("run ended with exit code 4")
    })
    .unwrap();
    let log = follower.log();
    assert_eq!(log.matches("run started in ").count(), 2, "{log}");
    assert_eq!(log.matches("run ended with ").count(), 2, "{log}");
}
