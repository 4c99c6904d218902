//! Signals that the program gets are the command's.

use std::path::Path;

use ringfence_e2e::{Host, Running};
use ringfence_testkit::poll;
use rustix::process::Signal;

/// Says which signal arrived, and ends. The file `ready` is there once it listens.
const LISTEN: &str = "
import os, signal, sys
def got(number, _):
    print('got', signal.Signals(number).name)
    os.remove('ready')
    sys.exit(9)
for name in sys.argv[1:]:
    signal.signal(getattr(signal, name), got)
open('ready', 'w').close()
while True:
    signal.pause()
";

/// Starts a command and waits until it has made the file `ready`.
fn start(host: &Host, command: &[&str]) -> Running {
    let running = host.run().spawn(command);
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
        (Signal::TERM, "SIGTERM"),
        (Signal::INT, "SIGINT"),
        (Signal::QUIT, "SIGQUIT"),
        (Signal::HUP, "SIGHUP"),
        (Signal::USR1, "SIGUSR1"),
        (Signal::USR2, "SIGUSR2"),
    ] {
        let running = start(&host, &["python3", "-c", LISTEN, name]);
        running.signal(signal);
        let ended = running.wait();
        assert_eq!((ended.code, ended.stdout), (9, format!("got {name}\n")));
    }
}

#[test]
fn a_command_without_a_handler_is_ended_by_the_signal() {
    let host = Host::new();
    let running = start(&host, &["sh", "-c", ": > ready; exec sleep 600"]);
    running.signal(Signal::TERM);
    assert_eq!(running.wait().code, 143);
}

#[test]
fn an_interrupt_reaches_the_whole_process_group() {
    let host = Host::new();
    let script = "trap ':' INT; python3 -c \"$0\" SIGINT & wait; wait $!; echo the child had $?";
    // A shell has its background jobs ignore interrupts, until they ask for them.
    let running = start(&host, &["bash", "-c", script, LISTEN]);
    running.signal(Signal::INT);
    let ended = running.wait();
    assert_eq!(ended.stdout, "got SIGINT\nthe child had 9\n", "{ended}");
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
