//! Many sandboxes at once.

use std::fs;

use ringfence_e2e::{Host, Running};

const COUNT: usize = 100;

/// Each command adds to its own file once all have started, so that all sandboxes live at the same time.
const SCRIPT: &str = "echo started > \"$1\"; while [ \"$(ls \"$0\" | wc -l)\" -lt \"$2\" ]; do read -rt 1 < <(:); done; cat \"$1\"";

fn succeed(all: Vec<Running>) {
    for running in all {
        let ended = running.wait();
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (0, "started\n"),
            "{ended}"
        );
    }
}

#[test]
fn a_hundred_sandboxes_share_a_workspace() {
    let host = Host::new();
    fs::create_dir(host.project().join("shared")).unwrap();
    host.file("shared/.first", "");
    std::os::unix::fs::chown(host.project().join("shared"), Some(host.user().uid()), None).unwrap();
    let all = (0..COUNT).map(|number| {
        let file = format!("shared/{number}");
        host.run()
            .spawn(&["bash", "-c", SCRIPT, "shared", &file, &COUNT.to_string()])
    });
    succeed(all.collect());
    let left: Vec<_> = fs::read_dir(host.project())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["shared"]);
    assert_eq!(host.ringfence(&["events", "verify"]).code, 0);
}

#[test]
fn a_hundred_sandboxes_work_in_workspaces_of_their_own() {
    let host = Host::new();
    let all: Vec<_> = (0..COUNT)
        .map(|number| {
            let directory = host.user().dir(format!("work/{number}")).unwrap();
            let run = host.run().current_dir(&directory);
            run.spawn(&["bash", "-c", SCRIPT, ".", "own", "1"])
        })
        .collect();
    succeed(all);
    for number in 0..COUNT {
        let own = host.home().join(format!("work/{number}/own"));
        assert_eq!(fs::read_to_string(own).unwrap(), "started\n");
    }
}
