//! Whatever ends a run, nothing of it is left: no process, placeholder, mount, control group or directory.

mod killed;
mod machine;
mod record;

use ringfence_e2e::Host;

use machine::Machine;

#[test]
fn a_run_that_ended_leaves_nothing() {
    let host = Host::new();
    let before = Machine::of(&host);
    let ended = host.run().sh("setsid sleep 600 & disown; echo out");
    assert_eq!(ended.code, 0, "{ended}");
    assert_eq!(Machine::of(&host), before);
}

#[test]
fn a_command_that_crashed_leaves_nothing() {
    let host = Host::new();
    let before = Machine::of(&host);
    let ended = host.run().sh("sleep 600 & kill -SEGV $$");
    assert_eq!(ended.code, 139, "{ended}");
    assert_eq!(Machine::of(&host), before);
}

#[test]
fn a_command_that_never_started_leaves_nothing() {
    let host = Host::new();
    let before = Machine::of(&host);
    assert_eq!(host.run().exec(&["no-such-command"]).code, 127);
    assert_eq!(Machine::of(&host), before);
}

#[test]
fn a_run_of_the_caller_leaves_nothing() {
    let host = Host::as_caller();
    let before = Machine::of(&host);
    let ended = host.run().sh("sleep 600 & echo out");
    assert_eq!(ended.code, 0, "{ended}");
    assert_eq!(Machine::of(&host), before);
}
