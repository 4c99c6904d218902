//! Processes that are killed without a word.

use ringfence_e2e::{Host, Running};
use ringfence_testkit::poll;
use rustix::process::{Pid, Signal, kill_process};

use super::machine::{Machine, tree, wait_for_end};

/// A run whose command and a process in the background are there. The program, the keeper and pid 1 come first in its tree.
fn start(host: &Host) -> (Running, Vec<u32>) {
    let running = host.run().spawn(&[
        "bash",
        "-c",
        "sleep 600 & echo x > .envrc; : > .envrc; : > .ready; wait",
    ]);
    let ready = host.project().join(".ready");
    poll::until_true("the command", || ready.exists()).unwrap();
    let pids = tree(&running);
    assert!(pids.len() >= 5, "{pids:?}");
    std::fs::remove_file(ready).unwrap();
    (running, pids)
}

fn kill(pid: u32) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
}

/// Kills one process of a run, by its place in the tree. That ends the whole run, and nothing is left.
fn assert_ends_without(place: usize, host: &Host) {
    let before = Machine::of(host);
    let (running, pids) = start(host);
    kill(pids[place]);
    assert_eq!(running.wait().code, 137);
    wait_for_end(&pids);
    assert_eq!(Machine::of(host), before);
}

#[test]
fn a_killed_program_takes_its_sandbox_along() {
    assert_ends_without(0, &Host::new());
    assert_ends_without(0, &Host::as_caller());
}

#[test]
fn a_killed_keeper_takes_the_sandbox_along() {
    assert_ends_without(1, &Host::new());
    assert_ends_without(1, &Host::as_caller());
}

#[test]
fn a_killed_pid_1_ends_the_run() {
    assert_ends_without(2, &Host::new());
}

#[test]
fn what_a_killed_run_and_a_killed_keeper_leave_is_removed_by_the_next_run() {
    for host in [Host::new(), Host::as_caller()] {
        let before = Machine::of(&host);
        let (running, pids) = start(&host);
        // Stopped, neither can clean up after the other.
        for pid in &pids[..2] {
            let pid = Pid::from_raw(i32::try_from(*pid).unwrap()).unwrap();
            kill_process(pid, Signal::STOP).unwrap();
        }
        kill(pids[0]);
        kill(pids[1]);
        drop(running);
        wait_for_end(&pids);
        assert!(host.project().join(".vscode").exists());
        assert_eq!(host.run().exec(&["true"]).code, 0);
        assert_eq!(Machine::of(&host), before);
    }
}
