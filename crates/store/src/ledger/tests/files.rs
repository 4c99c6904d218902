//! What the ledger makes of its files.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use super::*;

fn file(data: &TempDir) -> PathBuf {
    data.path().join("ledger/ledger.jsonl")
}

fn is_damaged<T: std::fmt::Debug>(result: &Result<T, NotTaken>) -> bool {
    matches!(result, Err(NotTaken::Ledger(LedgerError::Damaged { .. })))
}

fn claim() -> [Claim; 1] {
    [tokens(of_agent(Window::Day), 100)]
}

#[test]
fn it_belongs_to_its_user_alone() {
    let (data, ledger) = open();
    spend(&ledger, &claim()[0], 1, noon());
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for folder in ["ledger", "ledger/holders"] {
        assert_eq!(mode(&data.path().join(folder)), 0o700, "{folder}");
    }
    let held = fs::read_dir(data.path().join("ledger/holders")).unwrap();
    let held = held.map(|entry| entry.unwrap().path());
    let files = held.chain([file(&data), data.path().join("ledger/ledger.lock")]);
    for path in files {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
    drop(ledger);
    fs::set_permissions(file(&data), PermissionsExt::from_mode(0o620)).unwrap();
    let refused = Ledger::open(data.path()).unwrap_err();
    assert!(matches!(
        refused,
        LedgerError::Store(StoreError::Insecure { .. })
    ));
}

#[test]
fn a_changed_digit_a_missing_line_and_a_moved_one_are_found() {
    let (data, ledger) = open();
    for _ in 0..4 {
        spend(&ledger, &claim()[0], 10, noon());
    }
    drop(ledger);
    let whole = fs::read_to_string(file(&data)).unwrap();
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    let without = |index: usize| {
        let mut lines = lines.clone();
        lines.remove(index);
        lines.concat()
    };
    let swapped = {
        let mut lines = lines.clone();
        lines.swap(2, 3);
        lines.concat()
    };
    for damaged in [
        whole.replacen("\"tokens\":10", "\"tokens\":1", 1),
        without(0),
        without(lines.len() - 2),
        swapped,
        whole.replacen('\n', " \n", 1),
        String::new(),
        "x".to_owned(),
        format!("\n{whole}"),
    ] {
        fs::write(file(&data), &damaged).unwrap();
        let refused = Ledger::open(data.path()).unwrap_err();
        assert!(matches!(refused, LedgerError::Damaged { .. }), "{damaged}");
    }
    fs::write(file(&data), &whole).unwrap();
    let ledger = Ledger::open(data.path()).unwrap();
    assert_eq!(only(&ledger, noon()).spent, amount(40, 0));
}

#[test]
fn damage_that_comes_later_refuses_as_well_until_a_person_begins_anew() {
    let (data, ledger) = open();
    spend(&ledger, &claim()[0], 10, noon());
    let taken = ledger.take(&claim(), amount(10, 0), noon()).unwrap();
    let mut tampering = fs::OpenOptions::new()
        .append(true)
        .open(file(&data))
        .unwrap();
    tampering.write_all(b"{\"v\":1}\n").unwrap();
    for _ in 0..2 {
        assert!(is_damaged(&ledger.take(&claim(), amount(1, 0), noon())));
        assert!(ledger.balances(noon()).is_err());
    }
    let aside = Ledger::set_aside(data.path(), noon()).unwrap().unwrap();
    assert!(aside.exists());
    assert_eq!(Ledger::set_aside(data.path(), noon()).unwrap(), None);
    // What was under way is spent of the new one.
    ledger.settle(taken, amount(7, 0)).unwrap();
    assert_eq!(only(&ledger, noon()).spent, amount(7, 0));
}

#[test]
fn a_file_that_became_shorter_is_damaged() {
    let (data, ledger) = open();
    spend(&ledger, &claim()[0], 10, noon());
    let length = fs::metadata(file(&data)).unwrap().len();
    let open = fs::OpenOptions::new()
        .write(true)
        .open(file(&data))
        .unwrap();
    open.set_len(length - 1).unwrap();
    assert!(is_damaged(&ledger.take(&claim(), amount(1, 0), noon())));
}

#[test]
fn a_line_that_was_never_written_to_its_end_never_was() {
    let (data, ledger) = open();
    spend(&ledger, &claim()[0], 10, noon());
    let whole = fs::read_to_string(file(&data)).unwrap();
    let last = whole.lines().last().unwrap().to_owned();
    for part in [1, last.len() / 2, last.len()] {
        let mut torn = fs::OpenOptions::new()
            .append(true)
            .open(file(&data))
            .unwrap();
        torn.write_all(&last.as_bytes()[..part]).unwrap();
        // Both one that has it open and one that opens it go on behind the last whole line.
        let second = Ledger::open(data.path()).unwrap();
        assert_eq!(only(&second, noon()).spent, only(&ledger, noon()).spent);
        spend(
            if part == 1 { &ledger } else { &second },
            &claim()[0],
            1,
            noon(),
        );
    }
    assert_eq!(only(&ledger, noon()).spent, amount(13, 0));
    let again = Ledger::open(data.path()).unwrap();
    assert_eq!(only(&again, noon()).spent, amount(13, 0));
    assert!(fs::read_to_string(file(&data)).unwrap().ends_with('\n'));
}

#[test]
fn a_long_file_is_written_anew_and_others_follow() {
    let (data, ledger) = open();
    let second = Ledger::open(data.path()).unwrap();
    let big = tokens(of_agent(Window::Total), 1_000_000);
    let mut longest = 0;
    for _ in 0..3_000 {
        spend(&ledger, &big, 1, noon());
        spend(&second, &big, 1, noon());
        longest = longest.max(fs::metadata(file(&data)).unwrap().len());
    }
    let length = fs::metadata(file(&data)).unwrap().len();
    assert!(
        longest < crate::limits::LEDGER_COMPACTED + 4_096,
        "{longest}"
    );
    assert!(length < longest);
    for ledger in [&ledger, &second, &Ledger::open(data.path()).unwrap()] {
        assert_eq!(only(ledger, noon()).spent, amount(6_000, 0));
    }
}

#[test]
fn a_ledger_that_somebody_holds_for_ever_is_busy() {
    let (data, ledger) = open();
    let lock = File::open(data.path().join("ledger/ledger.lock")).unwrap();
    assert!(private::try_lock(&lock).unwrap());
    let begin = Instant::now();
    let refused = ledger.take(&claim(), amount(1, 0), noon());
    assert!(matches!(
        refused,
        Err(NotTaken::Ledger(LedgerError::Busy(_)))
    ));
    assert!(begin.elapsed() >= LEDGER_WAIT && begin.elapsed() < 3 * LEDGER_WAIT);
    drop(lock);
    spend(&ledger, &claim()[0], 1, noon());
}

#[test]
fn files_of_processes_that_are_gone_are_removed() {
    let (data, ledger) = open();
    let folder = data.path().join("ledger/holders");
    let left = folder.join("01980000-0000-7000-8000-000000000001.lock");
    fs::write(&left, "").unwrap();
    let second = Ledger::open(data.path()).unwrap();
    assert!(!left.exists());
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
    drop((ledger, second));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}
