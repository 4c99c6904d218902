//! Two runs in one workspace: each is protected to its own end.

use std::fs::{self, File};

use ringfence_e2e::{Host, Running};
use ringfence_testkit::poll;
use ringfence_testkit::process::{command, run};

/// Waits at its own gate, then writes into protected paths.
const SCRIPT: &str = ": > \"ready$0\"; cat \"gate$0\"
    echo '{\"tasks\": []}' > .vscode/tasks.json; echo 'echo hooked' > .envrc; mkdir -p .git/hooks; echo hook > .git/hooks/pre-commit
    cat .vscode/tasks.json .envrc .git/hooks/pre-commit";

fn start(host: &Host, name: &str) -> Running {
    let gate = host.project().join(format!("gate{name}"));
    run(host.user().run_as(&mut command("mkfifo")).arg(gate)).unwrap();
    let running = host.run().spawn(&["bash", "-c", SCRIPT, name]);
    let ready = host.project().join(format!("ready{name}"));
    poll::until_true("the start of a run", || ready.exists()).unwrap();
    running
}

fn finish(host: &Host, name: &str, running: Running) {
    // Opening the gate waits for the command to be at it.
    drop(
        File::options()
            .write(true)
            .open(host.project().join(format!("gate{name}")))
            .unwrap(),
    );
    let ended = running.wait();
    assert_eq!(
        ended.stdout, "{\"tasks\": []}\necho hooked\nhook\n",
        "{ended}"
    );
}

/// Whether anything that the commands wrote is in the workspace itself.
fn is_written(host: &Host) -> bool {
    [".vscode/tasks.json", ".git/hooks"]
        .iter()
        .any(|path| host.project().join(path).exists())
        || fs::read(host.project().join(".envrc")).is_ok_and(|text| !text.is_empty())
}

#[test]
fn the_second_run_stays_protected_when_the_first_has_ended() {
    let host = Host::new();
    let first = start(&host, "1");
    let second = start(&host, "2");
    finish(&host, "1", first);
    for placeholder in [".vscode", ".envrc", ".git"] {
        assert!(host.project().join(placeholder).exists(), "{placeholder}");
    }
    finish(&host, "2", second);
    assert!(!is_written(&host));
    assert!(!host.project().join(".vscode").exists());
}

#[test]
fn a_later_run_does_not_take_a_living_one_for_a_dead_one() {
    let host = Host::new();
    let first = start(&host, "1");
    assert_eq!(host.run().exec(&["true"]).code, 0);
    finish(&host, "1", first);
    assert!(!is_written(&host));
}

#[test]
fn what_the_person_puts_into_a_placeholder_stays() {
    let host = Host::new();
    let running = start(&host, "1");
    let own = host.file(".vscode/settings.json", "{}");
    finish(&host, "1", running);
    assert_eq!(fs::read_to_string(own).unwrap(), "{}");
    assert!(!host.project().join(".envrc").exists());
}
