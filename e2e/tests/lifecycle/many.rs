//! Many sandboxes at once.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use ringfence_e2e::{Host, Running};
use ringfence_testkit::poll;
use ringfence_testkit::process::{command, run};

const COUNT: usize = 100;

/// Says that it has started, and ends when it is told so.
const SCRIPT: &str =
    "echo started > \"$0\"; dd if=\"$1\" bs=1 count=1 status=none > /dev/null; cat \"$0\"";

/// Most memory of a sandbox beside what the command itself takes: the program, the keeper and pid 1.
const MOST_KIBIBYTES: u64 = 16 * 1024;

/// Lets all commands end at once, after all have started: then all sandboxes live at the same time.
fn release(host: &Host, all: Vec<Running>, started: &[impl AsRef<Path>]) {
    let gate = File::options()
        .read(true)
        .write(true)
        .open(host.project().join("gate"))
        .unwrap();
    poll::until_within(
        ringfence_e2e::TIME_LIMIT,
        "the start of all commands",
        || {
            let is_there =
                |file: &dyn AsRef<Path>| fs::metadata(file).is_ok_and(|meta| meta.len() > 0);
            Ok(started.iter().all(|file| is_there(file)).then_some(()))
        },
    )
    .unwrap();
    let memory: u64 = all.iter().map(memory).sum();
    assert!(memory < MOST_KIBIBYTES * all.len() as u64, "{memory} KiB");
    (&gate).write_all(&[0; COUNT]).unwrap();
    for running in all {
        let ended = running.wait();
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (0, "started\n"),
            "{ended}"
        );
    }
}

/// The memory in KiB of the program, its keeper and pid 1; what they share counts in part.
fn memory(running: &Running) -> u64 {
    let mut pids = vec![running.pid()];
    for _ in 0..2 {
        let last = pids[pids.len() - 1];
        let children = fs::read_to_string(format!("/proc/{last}/task/{last}/children")).unwrap();
        pids.push(children.trim().parse().unwrap());
    }
    let share = |pid: &u32| {
        let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
        line.map_or(0, |line| {
            line.trim().trim_end_matches(" kB").parse::<u64>().unwrap()
        })
    };
    pids.iter().map(share).sum()
}

/// A machine with the gate that the commands wait at.
fn host() -> Host {
    let host = Host::new();
    run(host
        .user()
        .run_as(&mut command("mkfifo"))
        .arg(host.project().join("gate")))
    .unwrap();
    host
}

#[test]
fn a_hundred_sandboxes_share_a_workspace() {
    let host = host();
    host.user().dir("project/shared").unwrap();
    let files: Vec<_> = (0..COUNT)
        .map(|number| host.project().join(format!("shared/{number}")))
        .collect();
    let all = files.iter().map(|file| {
        host.run()
            .spawn(&["sh", "-c", SCRIPT, &file.display().to_string(), "gate"])
    });
    release(&host, all.collect(), &files);
    let entries = fs::read_dir(host.project()).unwrap();
    let mut left: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["gate", "shared"]);
    assert_eq!(host.ringfence(&["events", "verify"]).code, 0);
}

#[test]
fn a_hundred_sandboxes_work_in_workspaces_of_their_own() {
    let host = host();
    let gate = host.project().join("gate").display().to_string();
    let directories: Vec<_> = (0..COUNT)
        .map(|number| host.user().dir(format!("work/{number}")).unwrap())
        .collect();
    let all = directories.iter().map(|directory| {
        let run = host.run().current_dir(directory).option("--read", &gate);
        run.spawn(&["sh", "-c", SCRIPT, "own", &gate])
    });
    let files: Vec<_> = directories
        .iter()
        .map(|directory| directory.join("own"))
        .collect();
    release(&host, all.collect(), &files);
    for directory in &directories {
        assert_eq!(fs::read_dir(directory).unwrap().count(), 1);
    }
}
