//! Signals that the program gets are the command's.

use std::path::Path;

use ringfence_e2e::{Host, Running};
use ringfence_testkit::poll;
use rustix::process::Signal;

/// Starts a script that makes the file `ready` once its traps are set.
fn start(host: &Host, script: &str) -> Running {
    let running = host.run().spawn(&["bash", "-c", script]);
    wait_for(&host.project().join("ready"));
    running
}

fn wait_for(path: &Path) {
    poll::until_true("a file of the command", || path.exists()).unwrap();
}

#[test]
fn signals_reach_the_command_which_ends_as_it_likes() {
    let host = Host::new();
    for (signal, name) in [
        (Signal::TERM, "TERM"),
        (Signal::INT, "INT"),
        (Signal::HUP, "HUP"),
        (Signal::USR1, "USR1"),
        (Signal::USR2, "USR2"),
    ] {
        let script = format!(
            "trap 'echo got {name}; rm ready; exit 9' {name}; : > ready; while :; do read -rt 1 < <(:); done"
        );
        let running = start(&host, &script);
        running.signal(signal);
        let ended = running.wait();
        assert_eq!((ended.code, ended.stdout), (9, format!("got {name}\n")));
    }
}

#[test]
fn a_command_without_a_handler_is_ended_by_the_signal() {
    let host = Host::new();
    let running = start(&host, ": > ready; exec sleep 600");
    running.signal(Signal::TERM);
    assert_eq!(running.wait().code, 143);
}

#[test]
fn an_interrupt_reaches_the_whole_process_group() {
    let host = Host::new();
    let script = "trap 'wait; exit 5' INT
        (trap 'echo child; exit' INT; : > ready; while :; do read -rt 1 < <(:); done) &
        wait";
    let running = start(&host, script);
    running.signal(Signal::INT);
    let ended = running.wait();
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (5, "child\n"),
        "{ended}"
    );
}

#[test]
fn a_signal_before_the_command_runs_still_ends_the_run() {
    let host = Host::new();
    let running = host.run().spawn(&["sleep", "600"]);
    running.signal(Signal::TERM);
    let ended = running.wait();
    assert_eq!(ended.code, 143, "{ended}");
    assert_eq!(std::fs::read_dir(host.project()).unwrap().count(), 0);
}
