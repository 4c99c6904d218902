//! The exit code of a run is the command's own, as a shell would say it.

use ringfence_e2e::Host;

#[test]
fn the_commands_exit_code_is_passed_on() {
    let host = Host::new();
    for code in [0, 1, 3, 64, 77, 255] {
        let ended = host.run().exec(&["sh", "-c", &format!("exit {code}")]);
        assert_eq!(ended.code, code, "{ended}");
    }
}

#[test]
fn a_command_that_a_signal_ended_has_128_and_its_number() {
    let host = Host::new();
    for (signal, code) in [("KILL", 137), ("TERM", 143), ("SEGV", 139)] {
        let ended = host
            .run()
            .exec(&["sh", "-c", &format!("kill -{signal} $$")]);
        assert_eq!(ended.code, code, "{ended}");
    }
}

#[test]
fn a_command_that_is_not_there_or_cannot_be_executed_is_told_apart() {
    let host = Host::new();
    host.file("notes", "not a program");
    let missing = host.run().exec(&["no-such-command"]);
    assert_eq!(missing.code, 127, "{missing}");
    assert!(missing.stderr.contains("no-such-command"), "{missing}");
    let closed = host.run().exec(&["./notes"]);
    assert_eq!(closed.code, 126, "{closed}");
    assert!(closed.stderr.contains("./notes"), "{closed}");
}

#[test]
fn a_run_whose_command_could_not_start_is_recorded_to_its_end() {
    let host = Host::new();
    assert_eq!(host.run().exec(&["no-such-command"]).code, 127);
    let verified = host.ringfence(&["events", "verify", "--json"]);
    assert_eq!(verified.code, 0, "{verified}");
    assert_eq!(std::fs::read_dir(host.project()).unwrap().count(), 0);
}
