//! `ringfence prove`: every attempt is stopped, and every attempt is seen to succeed once what stops it is switched off.

use ringfence_e2e::{Host, weak_program};
use rustix::process::getuid;
use serde_json::Value;

#[test]
fn every_attempt_is_stopped_for_an_ordinary_user() {
    assert_all_stopped(&Host::new());
}

#[test]
fn every_attempt_is_stopped_for_whoever_runs_the_tests() {
    assert_all_stopped(&Host::as_caller());
}

#[test]
fn a_run_whose_sandbox_does_not_hold_is_refused() {
    let host = Host::with_program(&weak_program());
    for (protection, attempt) in [
        ("seccomp", "vsock"),
        ("filter", "udp-v4"),
        ("capabilities", "capabilities"),
        ("root", "read-secret"),
    ] {
        let run = host.run().option("--weaken", protection);
        let ended = run.sh("echo started");
        assert_eq!((ended.code, ended.stdout.as_str()), (77, ""), "{ended}");
        assert!(ended.stderr.contains(attempt), "{ended}");
    }
}

#[test]
fn the_shipped_program_cannot_be_weakened() {
    let ended = Host::new().run().option("--weaken", "seccomp").sh("true");
    assert_eq!(ended.code, 64, "{ended}");
}

#[test]
fn network_attempts_succeed_without_their_protections() {
    assert_each_can_succeed("network");
}

#[test]
fn ipc_attempts_succeed_without_their_protections() {
    assert_each_can_succeed("ipc");
}

#[test]
fn filesystem_attempts_succeed_without_their_protections() {
    assert_each_can_succeed("filesystem");
}

#[test]
fn privilege_attempts_succeed_without_their_protections() {
    assert_each_can_succeed("privilege");
}

#[test]
fn process_attempts_succeed_without_their_protections() {
    assert_each_can_succeed("process");
}

fn assert_all_stopped(host: &Host) {
    let ended = host.ringfence(&["prove", "--json"]);
    assert_eq!(ended.code, 0, "{ended}");
    let proofs: Vec<Value> = serde_json::from_str(&ended.stdout).unwrap();
    assert!(proofs.len() >= 40, "{}", proofs.len());
    for proof in proofs {
        assert_eq!(proof["outcome"]["outcome"], "stopped", "{proof}");
    }
}

/// Tries each attempt of a category with all of its protections off, by an ordinary user and, where that is not enough to succeed,
/// by whoever runs the tests: some of the kernel's own files are closed to all but root.
fn assert_each_can_succeed(category: &str) {
    let ordinary = Host::with_program(&weak_program());
    let caller = Host::as_caller_with_program(&weak_program());
    let ended = ordinary.ringfence(&["prove", "--json"]);
    let proofs: Vec<Value> = serde_json::from_str(&ended.stdout).unwrap();
    let proofs = proofs.iter().filter(|proof| proof["category"] == category);
    let mut stopped = Vec::new();
    for proof in proofs {
        let name = proof["name"].as_str().unwrap();
        if FOR_ROOT.contains(&name) && !getuid().is_root() {
            println!("NOT CHECKED: {name} can succeed for root only");
            continue;
        }
        let mut outcome = weakened(&ordinary, proof);
        if outcome["outcome"] != "escaped" {
            outcome = weakened(&caller, proof);
        }
        if outcome["outcome"] != "escaped" {
            stopped.push(format!("{name}: {outcome}"));
        }
    }
    assert!(stopped.is_empty(), "still stopped: {stopped:#?}");
}

/// The outcome of one attempt with its protections off.
fn weakened(host: &Host, proof: &Value) -> Value {
    let off = proof["protections"].as_array().unwrap().iter();
    let off: Vec<&str> = off.filter_map(Value::as_str).chain(["self-test"]).collect();
    let mut arguments = vec!["prove", "--json"];
    arguments.extend(off.iter().flat_map(|name| ["--weaken", name]));
    let ended = if off.contains(&"network-namespace") {
        host.ringfence_in_another_network(&arguments)
    } else {
        host.ringfence(&arguments)
    };
    let proofs: Vec<Value> = serde_json::from_str(&ended.stdout)
        .unwrap_or_else(|error| panic!("{error}: {off:?}: {ended}"));
    let same = proofs
        .into_iter()
        .find(|other| other["name"] == proof["name"]);
    same.unwrap()["outcome"].clone()
}

/// They open files of the kernel's that belong to root.
const FOR_ROOT: [&str; 2] = ["kernel-switches", "interrupts"];
