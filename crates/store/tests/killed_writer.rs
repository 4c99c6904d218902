//! A writer that is killed at any moment loses no record that it was told is recorded.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use ringfence_model::{Notice, NoticeKind, Record, RunId, SandboxId};
use ringfence_store::spool::{Ending, read_all};
use ringfence_store::{Spool, Store, Verification};

const DATA: &str = "RINGFENCE_TEST_SPOOL_DATA";
const ROUNDS: usize = 20;

fn record(number: i32, run: RunId) -> Record {
    Record::Notice(Notice {
        time: "2026-11-22T06:00:00Z".parse().unwrap(),
        run,
        sandbox: SandboxId::new(),
        agent: "coder".parse().unwrap(),
        kind: NoticeKind::RunEnded { exit_code: number },
    })
}

/// The process that is killed: appends for ever and says what was acknowledged.
#[test]
#[ignore = "the test below runs this in a process of its own"]
fn writer() {
    let data = std::env::var_os(DATA).unwrap();
    let run = RunId::new();
    let spool = Spool::create(data.as_ref(), run).unwrap();
    println!("\nspool {}", spool.path().display());
    for number in 0.. {
        spool.append(&record(number, run)).unwrap();
        println!("acknowledged {number}");
    }
}

#[tokio::test]
async fn a_killed_writer_loses_nothing_that_was_acknowledged() {
    let data = tempfile::tempdir().unwrap();
    let mut total = 0;
    for round in 0..ROUNDS {
        let (path, acknowledged) = killed_after(data.path(), round * 13 + 1);
        let contents = read_all(path.as_ref()).unwrap();
        assert!(matches!(
            contents.ending,
            Ending::Whole | Ending::Torn { .. }
        ));
        assert!(contents.records.len() >= acknowledged, "round {round}");
        total += contents.records.len() as u64;
    }
    let store = Store::open(data.path()).await.unwrap();
    let done = store.ingest_spools().await.unwrap();
    assert_eq!(done.records - done.torn.len() as u64, total);
    assert!(matches!(
        store.verify().await.unwrap(),
        Verification::Verified(_)
    ));
}

/// Runs a writer until it has acknowledged so many records, kills it, and returns its spool and
/// how many it had acknowledged in all.
#[expect(
    clippy::disallowed_methods,
    reason = "the test kills a process of its own kind, which nothing else can stand in for"
)]
fn killed_after(data: &std::path::Path, records: usize) -> (String, usize) {
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "writer", "--ignored", "--nocapture"])
        .env(DATA, data)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut path = None;
    let mut acknowledged = 0;
    while acknowledged < records {
        let line = lines.next().unwrap().unwrap();
        if let Some(spool) = line.strip_prefix("spool ") {
            path = Some(spool.to_owned());
        } else if line.starts_with("acknowledged ") {
            acknowledged += 1;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What is still in the pipe was acknowledged too; its last line may be cut.
    let rest = lines.map_while(Result::ok);
    let rest = rest
        .filter(|line| line.starts_with("acknowledged "))
        .count();
    (path.unwrap(), acknowledged + rest)
}
