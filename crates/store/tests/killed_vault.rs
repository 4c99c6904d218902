//! A rotation and a change of the master key that are killed at any moment leave the old secret
//! or the new one in force, and a key that opens it.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use ringfence_model::{CredentialName, Secret};
use ringfence_store::{KeySource, Vault};

const DATA: &str = "RINGFENCE_TEST_VAULT_DATA";
const ROUNDS: u32 = 24;

async fn open(data: &Path) -> Vault {
    let source = KeySource::File(data.join("master.key"));
    Vault::open(data, source).await.unwrap()
}

fn name() -> CredentialName {
    "github".parse().unwrap()
}

fn value(number: u64) -> Vec<(String, Secret)> {
    // Two fields, so that a mixture of two rotations would show.
    ["first", "second"]
        .map(|field| (field.to_owned(), Secret::new(number.to_string())))
        .to_vec()
}

/// The number that both fields hold.
async fn number(vault: &Vault) -> u64 {
    let opened = vault.opened(&name()).await.unwrap();
    let read = |(_, secret): &(String, Secret)| {
        let text = String::from_utf8(secret.expose().to_vec()).unwrap();
        text.parse::<u64>().unwrap()
    };
    let numbers: Vec<_> = opened.secrets.iter().map(read).collect();
    assert!(
        matches!(numbers.as_slice(), [a, b] if a == b),
        "{numbers:?}"
    );
    *numbers.first().unwrap()
}

/// The process that is killed: rotates, and changes the master key every other time, for ever.
#[tokio::test]
#[ignore = "the test below runs this in a process of its own"]
async fn rotator() {
    let data = std::env::var_os(DATA).unwrap();
    let vault = open(data.as_ref()).await;
    let start = number(&vault).await;
    println!("\nstarted");
    for next in start + 1.. {
        println!("begins {next}");
        vault.rotate(&name(), None, &value(next)).await.unwrap();
        println!("done {next}");
        if next % 2 == 0 {
            vault.rekey(None).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_killed_rotation_leaves_the_old_secret_or_the_new_one() {
    let data = tempfile::tempdir().unwrap();
    let vault = open(data.path()).await;
    vault.add(&name(), "{}", &value(0)).await.unwrap();
    vault.close().await;
    let mut rotations = 0;
    for round in 0..ROUNDS {
        let (begun, done) =
            killed_after(data.path(), Duration::from_micros(u64::from(round) * 777));
        let vault = open(data.path()).await;
        let found = number(&vault).await;
        assert!(
            done <= found && found <= begun.max(done),
            "{done} {found} {begun}"
        );
        rotations += found;
        vault.close().await;
    }
    assert!(rotations > 0);
}

/// Lets a rotator work for a while, kills it, and returns the last rotation that it said it began
/// and the last that it said was done.
#[expect(
    clippy::disallowed_methods,
    reason = "the test kills a process of its own kind, which nothing else can stand in for"
)]
fn killed_after(data: &Path, time: Duration) -> (u64, u64) {
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "rotator", "--ignored", "--nocapture"])
        .env(DATA, data)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut seen = Vec::new();
    while !seen.iter().any(|line: &String| line.starts_with("done ")) {
        seen.push(lines.next().unwrap().unwrap());
    }
    // Where in its work it is killed is left to chance; no wait for a state is meant.
    std::thread::sleep(time);
    child.kill().unwrap();
    child.wait().unwrap();
    seen.extend(lines.map_while(Result::ok));
    let last = |what: &str| {
        let numbers = seen.iter().filter_map(|line| line.strip_prefix(what));
        numbers.filter_map(|number| number.parse().ok()).max()
    };
    (last("begins ").unwrap_or(0), last("done ").unwrap_or(0))
}
