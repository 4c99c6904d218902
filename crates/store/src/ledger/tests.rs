mod files;
mod model;

use std::sync::Barrier;

use jiff::SignedDuration;
use ringfence_model::llm::Money;
use tempfile::{TempDir, tempdir};

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn noon() -> Timestamp {
    at("2026-11-22T12:00:00Z")
}

fn account(scope: Scope, window: Window) -> Account {
    Account {
        workspace: "local".parse().unwrap(),
        scope,
        window,
    }
}

fn of_agent(window: Window) -> Account {
    account(Scope::Agent("claude".parse().unwrap()), window)
}

fn tokens(account: Account, most: u64) -> Claim {
    Claim {
        account,
        limits: Limits {
            tokens: Some(most),
            cost: None,
        },
    }
}

fn amount(tokens: u64, cost: u64) -> Amount {
    Amount {
        tokens,
        cost: Money::from_nanos(cost),
    }
}

fn short(result: Result<Taken, NotTaken>) -> Shortfall {
    match result {
        Err(NotTaken::Short(short)) => short,
        other => panic!("{other:?}"),
    }
}

fn spend(ledger: &Ledger, claim: &Claim, count: u64, now: Timestamp) {
    let taken = ledger.take(std::slice::from_ref(claim), amount(count, 0), now);
    ledger.settle(taken.unwrap(), amount(count, 0)).unwrap();
}

fn only(ledger: &Ledger, now: Timestamp) -> Balance {
    let mut balances = ledger.balances(now).unwrap();
    assert_eq!(balances.len(), 1, "{balances:?}");
    balances.remove(0)
}

fn open() -> (TempDir, Ledger) {
    let data = tempdir().unwrap();
    let ledger = Ledger::open(data.path()).unwrap();
    (data, ledger)
}

#[test]
fn what_is_set_aside_cannot_be_taken_again_and_what_is_not_spent_can() {
    let (_data, ledger) = open();
    let claim = [tokens(of_agent(Window::Day), 100)];
    let taken = ledger.take(&claim, amount(80, 5), noon()).unwrap();
    let refused = short(ledger.take(&claim, amount(21, 0), noon()));
    assert_eq!(refused.left, amount(20, 0));
    assert_eq!(refused.under_way, amount(80, 5));
    assert_eq!(refused.renewed, Some(at("2026-11-23T00:00:00Z")));
    ledger.settle(taken, amount(30, 2)).unwrap();
    let balance = only(&ledger, noon());
    assert_eq!(
        (balance.spent, balance.under_way),
        (amount(30, 2), amount(0, 0))
    );
    assert_eq!(balance.left.tokens, Some(70));
    spend(&ledger, &claim[0], 70, noon());
    assert_eq!(
        short(ledger.take(&claim, amount(1, 0), noon())).left,
        amount(0, 0)
    );
}

#[test]
fn at_once_a_line_is_added_or_nothing_is_done() {
    let (data, ledger) = open();
    let claim = [tokens(of_agent(Window::Day), 100)];
    let most = amount(40, 0);
    let taken = ledger.take_at_once(&claim, most, noon()).unwrap().unwrap();
    assert_eq!(only(&ledger, noon()).under_way, most);
    // Not enough is left: who may wait finds out why.
    assert!(ledger.take_at_once(&claim, amount(61, 0), noon()).is_none());
    // Another process has added a line, which has to be read first.
    let other = Ledger::open(data.path()).unwrap();
    spend(&other, &claim[0], 10, noon());
    assert!(ledger.take_at_once(&claim, most, noon()).is_none());
    let taken = ledger.settle_at_once(taken, amount(5, 0)).unwrap_err();
    assert_eq!(only(&ledger, noon()).under_way, most);
    ledger.settle_at_once(taken, amount(5, 0)).unwrap().unwrap();
    let balance = only(&ledger, noon());
    assert_eq!(
        (balance.spent, balance.under_way),
        (amount(15, 0), amount(0, 0))
    );
    // Another process holds it.
    let held = ledger.folder.join(LOCK);
    let lock = private::open_or_create(&held).unwrap();
    let guard = wait_for(&lock, &held, Instant::now()).unwrap();
    assert!(ledger.take_at_once(&claim, most, noon()).is_none());
    drop(guard);
    assert!(ledger.take_at_once(&claim, most, noon()).is_some());
}

#[test]
fn a_ledger_that_is_due_to_be_written_anew_is_left_to_who_may_wait() {
    let (_data, ledger) = open();
    let claim = [tokens(of_agent(Window::Day), u64::MAX)];
    let mut refused = false;
    for _ in 0..10_000 {
        match ledger.take_at_once(&claim, amount(1, 0), noon()) {
            Some(taken) => drop(taken.unwrap()),
            None => {
                refused = true;
                break;
            }
        }
    }
    assert!(refused);
    spend(&ledger, &claim[0], 1, noon());
    assert!(ledger.take_at_once(&claim, amount(1, 0), noon()).is_some());
}

#[test]
fn money_and_tokens_are_both_held_to_their_limits() {
    let (_data, ledger) = open();
    let claim = [Claim {
        account: of_agent(Window::Total),
        limits: Limits {
            tokens: Some(100),
            cost: Some(Money::from_nanos(10)),
        },
    }];
    assert_eq!(
        short(ledger.take(&claim, amount(1, 11), noon())).left,
        amount(100, 10)
    );
    assert_eq!(
        short(ledger.take(&claim, amount(101, 1), noon())).renewed,
        None
    );
    let _kept = ledger.take(&claim, amount(100, 10), noon()).unwrap();
}

#[test]
fn all_budgets_are_taken_from_or_none() {
    let (_data, ledger) = open();
    let claims = [
        tokens(of_agent(Window::Day), 100),
        tokens(account(Scope::Workspace, Window::Month), 50),
        tokens(
            account(Scope::Profile("p".to_owned()), Window::Total),
            1_000,
        ),
    ];
    let refused = short(ledger.take(&claims, amount(60, 0), noon()));
    assert_eq!((refused.claim, refused.left), (1, amount(50, 0)));
    assert_eq!(ledger.balances(noon()).unwrap(), []);
    let taken = ledger.take(&claims, amount(50, 0), noon()).unwrap();
    assert_eq!(ledger.balances(noon()).unwrap().len(), 3);
    ledger.settle(taken, amount(10, 0)).unwrap();
    let spent = ledger.balances(noon()).unwrap();
    assert!(spent.iter().all(|it| it.spent == amount(10, 0)));
}

#[test]
fn the_same_account_is_paid_from_once_and_held_to_the_lower_limit() {
    let (_data, ledger) = open();
    let claims = [
        tokens(of_agent(Window::Day), 100),
        tokens(of_agent(Window::Day), 60),
    ];
    assert_eq!(short(ledger.take(&claims, amount(61, 0), noon())).claim, 1);
    let taken = ledger.take(&claims, amount(60, 0), noon()).unwrap();
    assert_eq!(only(&ledger, noon()).limits.tokens, Some(60));
    ledger.settle(taken, amount(60, 0)).unwrap();
    assert_eq!(only(&ledger, noon()).spent, amount(60, 0));
}

#[test]
fn more_than_was_set_aside_is_spent_as_well() {
    let (_data, ledger) = open();
    let claim = tokens(of_agent(Window::Day), 100);
    let taken = ledger.take(std::slice::from_ref(&claim), amount(10, 0), noon());
    ledger.settle(taken.unwrap(), amount(250, 0)).unwrap();
    let balance = only(&ledger, noon());
    assert_eq!(
        (balance.spent, balance.left.tokens),
        (amount(250, 0), Some(0))
    );
    assert!(ledger.take(&[claim], amount(0, 0), noon()).is_err());
}

#[test]
fn the_greatest_amounts_are_refused_and_nothing_overflows() {
    let (_data, ledger) = open();
    let all = Amount {
        tokens: u64::MAX,
        cost: Money::MAX,
    };
    let bounded = tokens(of_agent(Window::Day), u64::MAX);
    let free = Claim {
        account: of_agent(Window::Total),
        limits: Limits::default(),
    };
    let both = [bounded, free.clone()];
    let first = ledger.take(&both, all, noon()).unwrap();
    assert_eq!(
        short(ledger.take(&both, amount(1, 0), noon())).left,
        amount(0, 0)
    );
    let second = ledger
        .take(std::slice::from_ref(&free), all, noon())
        .unwrap();
    ledger.settle(first, amount(1, 1)).unwrap();
    ledger.settle(second, amount(2, 2)).unwrap();
    let spent = ledger.balances(noon()).unwrap();
    assert_eq!(spent[0].spent, amount(1, 1));
    assert_eq!(spent[1].spent, amount(3, 3));
}

#[test]
fn a_new_window_starts_anew_and_what_was_set_aside_in_the_old_one_stays_there() {
    let (_data, ledger) = open();
    let late = at("2026-11-30T23:59:59.999Z");
    let next = at("2026-12-01T00:00:00Z");
    for window in [Window::Hour, Window::Day, Window::Month] {
        let claim = tokens(of_agent(window), 100);
        let taken = ledger
            .take(std::slice::from_ref(&claim), amount(100, 0), late)
            .unwrap();
        let refused = short(ledger.take(std::slice::from_ref(&claim), amount(1, 0), late));
        assert_eq!(refused.renewed, Some(next));
        // Each window has a clock of its own only as far as the ledger has not seen the next one.
        let (_other, alone) = open();
        let held = alone
            .take(std::slice::from_ref(&claim), amount(100, 0), late)
            .unwrap();
        let new = alone
            .take(std::slice::from_ref(&claim), amount(100, 0), next)
            .unwrap();
        alone.settle(held, amount(400, 0)).unwrap();
        alone.settle(new, amount(40, 0)).unwrap();
        assert_eq!(only(&alone, next).spent, amount(40, 0), "{window:?}");
        drop(taken);
    }
}

#[test]
fn a_clock_that_is_set_back_gives_nothing_anew() {
    let (data, ledger) = open();
    let claim = tokens(of_agent(Window::Hour), 100);
    spend(&ledger, &claim, 100, noon());
    let next = noon() + SignedDuration::from_hours(1);
    spend(&ledger, &claim, 60, next);
    for back in [noon(), noon() - SignedDuration::from_hours(24 * 400)] {
        assert_eq!(
            short(ledger.take(std::slice::from_ref(&claim), amount(41, 0), back)).left,
            amount(40, 0)
        );
        // Another account begins in the same window, so that it cannot be entered twice either.
        let other = tokens(account(Scope::Workspace, Window::Hour), 10);
        let refused = short(ledger.take(std::slice::from_ref(&other), amount(11, 0), back));
        assert_eq!(refused.renewed, Some(next + SignedDuration::from_hours(1)));
    }
    drop(ledger);
    let again = Ledger::open(data.path()).unwrap();
    assert!(again.take(&[claim], amount(41, 0), noon()).is_err());
}

#[test]
fn what_was_spent_is_known_to_the_next_process() {
    let (data, ledger) = open();
    let claim = tokens(of_agent(Window::Day), 100);
    spend(&ledger, &claim, 70, noon());
    drop(ledger);
    let again = Ledger::open(data.path()).unwrap();
    assert_eq!(only(&again, noon()).spent, amount(70, 0));
    assert_eq!(
        short(again.take(&[claim], amount(31, 0), noon())).left,
        amount(30, 0)
    );
}

#[test]
fn what_is_set_aside_by_one_that_is_gone_is_spent_and_not_waited_for() {
    let (data, ledger) = open();
    let claim = tokens(of_agent(Window::Day), 100);
    let other = Ledger::open(data.path()).unwrap();
    let _lost = other
        .take(std::slice::from_ref(&claim), amount(70, 0), noon())
        .unwrap();
    let refused = short(ledger.take(std::slice::from_ref(&claim), amount(31, 0), noon()));
    assert_eq!(refused.under_way, amount(70, 0));
    drop(other);
    let refused = short(ledger.take(std::slice::from_ref(&claim), amount(31, 0), noon()));
    assert_eq!(
        (refused.under_way, refused.left),
        (amount(0, 0), amount(30, 0))
    );
    assert_eq!(only(&ledger, noon()).spent, amount(70, 0));
}

#[test]
fn one_that_was_held_to_be_gone_gets_nothing_back() {
    let (data, ledger) = open();
    let claim = tokens(of_agent(Window::Day), 100);
    let other = Ledger::open(data.path()).unwrap();
    let taken = other
        .take(std::slice::from_ref(&claim), amount(70, 0), noon())
        .unwrap();
    std::fs::remove_file(
        data.path()
            .join("ledger/holders")
            .join(format!("{}.lock", other.holder.id)),
    )
    .unwrap();
    assert_eq!(only(&ledger, noon()).spent, amount(70, 0));
    other.settle(taken, amount(30, 0)).unwrap();
    assert_eq!(only(&ledger, noon()).spent, amount(70, 0));
    let taken = other
        .take(std::slice::from_ref(&claim), amount(10, 0), noon())
        .unwrap();
    assert_eq!(only(&ledger, noon()).spent, amount(80, 0));
    other.settle(taken, amount(15, 0)).unwrap();
    assert_eq!(only(&ledger, noon()).spent, amount(85, 0));
}

#[test]
fn a_person_gives_a_budget_anew_and_what_is_under_way_still_counts() {
    let (_data, ledger) = open();
    let (mine, other) = (
        tokens(of_agent(Window::Day), 100),
        tokens(account(Scope::Workspace, Window::Day), 100),
    );
    spend(&ledger, &mine, 60, noon());
    spend(&ledger, &other, 60, noon());
    let taken = ledger
        .take(std::slice::from_ref(&mine), amount(30, 0), noon())
        .unwrap();
    ledger
        .reset(&|account| *account == mine.account, noon())
        .unwrap();
    assert_eq!(
        short(ledger.take(std::slice::from_ref(&mine), amount(71, 0), noon())).left,
        amount(70, 0)
    );
    assert_eq!(
        short(ledger.take(std::slice::from_ref(&other), amount(41, 0), noon())).left,
        amount(40, 0)
    );
    ledger.settle(taken, amount(20, 0)).unwrap();
    spend(&ledger, &mine, 80, noon());
    assert!(ledger.take(&[mine], amount(1, 0), noon()).is_err());
}

#[test]
fn accounts_are_bounded_and_those_that_are_over_make_room() {
    let memory = MemoryLedger::default();
    let numbered = |number: usize| {
        tokens(
            account(Scope::Profile(number.to_string()), Window::Hour),
            10,
        )
    };
    for number in 0..crate::limits::LEDGER_ACCOUNTS {
        let taken = memory
            .take(&[numbered(number)], amount(1, 0), noon())
            .unwrap();
        memory.settle(taken, amount(1, 0));
    }
    let one_more = memory.take(&[numbered(usize::MAX)], amount(1, 0), noon());
    assert!(matches!(one_more, Err(NotTaken::Ledger(LedgerError::Full))));
    let known = memory.take(&[numbered(0)], amount(9, 0), noon());
    memory.settle(known.unwrap(), amount(9, 0));
    let later = noon() + SignedDuration::from_hours(1);
    let taken = memory
        .take(&[numbered(usize::MAX)], amount(1, 0), later)
        .unwrap();
    memory.settle(taken, amount(1, 0));
    // Forgotten, and still not to be entered again.
    let refused = short(memory.take(&[numbered(0)], amount(11, 0), noon()));
    assert_eq!(refused.renewed, Some(later + SignedDuration::from_hours(1)));
}

#[test]
fn two_hundred_requests_at_once_never_spend_more_than_there_is() {
    let (data, ledger) = open();
    let second = Ledger::open(data.path()).unwrap();
    let claims = [
        tokens(of_agent(Window::Total), 1_000),
        tokens(account(Scope::Workspace, Window::Day), 1_500),
    ];
    let start = Barrier::new(200);
    let spent: u64 = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..200_u64)
            .map(|number| {
                let (ledger, claims, start) = (
                    if number.is_multiple_of(2) {
                        &ledger
                    } else {
                        &second
                    },
                    &claims,
                    &start,
                );
                scope.spawn(move || {
                    start.wait();
                    (0..5)
                        .map(|round| attempt(ledger, claims, number + round))
                        .sum::<u64>()
                })
            })
            .collect();
        threads.into_iter().map(|it| it.join().unwrap()).sum()
    });
    let balances = ledger.balances(noon()).unwrap();
    assert_eq!(balances.len(), 2);
    for balance in balances {
        assert_eq!(balance.spent.tokens + balance.under_way.tokens, spent);
    }
    assert!((980..=1_000).contains(&spent), "{spent}");
}

/// Takes something and gives a part of it back, or aborts, as the number says. Returns what it
/// has spent.
fn attempt(ledger: &Ledger, claims: &[Claim], number: u64) -> u64 {
    let most = 10 + number * 7 % 20;
    let Ok(taken) = ledger.take(claims, amount(most, 0), noon()) else {
        return 0;
    };
    if number.is_multiple_of(3) {
        return most;
    }
    ledger.settle(taken, amount(most / 2, 0)).unwrap();
    most / 2
}
