//! Several processes spend from one ledger, and some are killed at any moment: together they never
//! spend more than there is, and nothing that was spent is forgotten.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use jiff::Timestamp;
use ringfence_model::llm::Money;
use ringfence_store::{Account, Amount, Claim, Ledger, Limits, NotTaken, Scope, Window};

const DATA: &str = "RINGFENCE_TEST_LEDGER_DATA";
const LIMIT: u64 = 20_000;
const MOST: u64 = 20;
const SPENT: u64 = 7;
const PROCESSES: usize = 4;

fn claims() -> [Claim; 2] {
    let claim = |scope, window| Claim {
        account: Account {
            workspace: "local".parse().unwrap(),
            scope,
            window,
        },
        limits: Limits {
            tokens: Some(LIMIT),
            cost: None,
        },
    };
    let agent = "claude".parse().unwrap();
    [
        claim(Scope::Agent(agent), Window::Total),
        claim(Scope::Workspace, Window::Month),
    ]
}

fn amount(tokens: u64) -> Amount {
    Amount {
        tokens,
        cost: Money::ZERO,
    }
}

fn time() -> Timestamp {
    "2026-11-22T06:00:00Z".parse().unwrap()
}

/// A process that spends until there is nothing left, and says what it was told is settled.
#[test]
#[ignore = "the test below runs this in processes of its own"]
fn spender() {
    let data = std::env::var_os(DATA).unwrap();
    let ledger = Ledger::open(data.as_ref()).unwrap();
    println!("\nready");
    loop {
        match ledger.take(&claims(), amount(MOST), time()) {
            Ok(taken) => ledger.settle(taken, amount(SPENT)).unwrap(),
            Err(NotTaken::Short(_)) => break,
            Err(error) => panic!("{error}"),
        }
        println!("settled");
    }
    println!("over");
}

#[test]
fn processes_that_are_killed_leave_no_budget_to_spend_twice() {
    let data = tempfile::tempdir().unwrap();
    let (mut settled, mut killed) = (0, 0);
    for round in 0..5 {
        // Those of one round run together, and are killed at different moments.
        let children: Vec<_> = (0..PROCESSES).map(|_| start(data.path())).collect();
        let reading = children.into_iter().enumerate().map(|(number, child)| {
            let after = 5 + round * 17 + number as u64 * 31;
            std::thread::spawn(move || settled_before_the_kill(child, after))
        });
        let reading: Vec<_> = reading.collect();
        for thread in reading {
            settled += thread.join().unwrap();
            killed += 1;
        }
        check(data.path(), settled, killed);
    }
    // The rest is spent by processes that end by themselves.
    let children: Vec<_> = (0..PROCESSES).map(|_| start(data.path())).collect();
    let reading: Vec<_> = children
        .into_iter()
        .map(|child| std::thread::spawn(move || settled_before_the_kill(child, u64::MAX)))
        .collect();
    for thread in reading {
        settled += thread.join().unwrap();
    }
    check(data.path(), settled, killed);
    let spent = spent(data.path());
    assert!(spent <= LIMIT && spent + MOST > LIMIT, "{spent}");
}

/// What is spent is at least what processes were told is settled, and at most that with what each
/// one that was killed can have had under way, or have settled without saying so.
fn check(data: &std::path::Path, settled: u64, killed: u64) {
    let spent = spent(data);
    assert!(spent <= LIMIT, "{spent}");
    assert!(spent >= settled * SPENT, "{spent} of {settled}");
    let most = settled * SPENT + killed * UNHEARD;
    assert!(spent <= most, "{spent} of {settled} with {killed} killed");
}

/// What all know to be spent, nothing of which is under way any more.
fn spent(data: &std::path::Path) -> u64 {
    let ledger = Ledger::open(data).unwrap();
    let balances = ledger.balances(time()).unwrap();
    let spent: Vec<u64> = balances
        .iter()
        .map(|balance| {
            assert_eq!(balance.under_way, Amount::default());
            balance.spent.tokens
        })
        .collect();
    assert_eq!(spent.len(), 2);
    assert_eq!(spent.first(), spent.last());
    *spent.first().unwrap()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the test kills processes of its own kind, which nothing else can stand in for"
)]
fn start(data: &std::path::Path) -> Child {
    std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "spender", "--ignored", "--nocapture"])
        .env(DATA, data)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Reads what a process says, kills it when it has settled so many requests, and returns how many
/// it had in all.
fn settled_before_the_kill(mut child: Child, after: u64) -> u64 {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut settled = 0;
    let mut is_over = false;
    for line in lines.map_while(Result::ok) {
        match line.as_str() {
            "settled" => settled += 1,
            "over" => is_over = true,
            _ => {}
        }
        if settled == after {
            child.kill().unwrap();
        }
    }
    let _ = child.wait();
    assert!(is_over || after < u64::MAX);
    settled
}

/// A killed process has one request under way and one that it did not come to report.
const UNHEARD: u64 = MOST + SPENT;
