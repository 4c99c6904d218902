use std::sync::Barrier;

use ringfence_store::Store;
use ringfence_store::spool::read_all;
use tempfile::{TempDir, tempdir};

use super::*;

fn identity(agent: &str) -> Identity {
    Identity {
        agent: agent.parse().unwrap(),
        workspace: "local".parse().unwrap(),
        run: RunId::new(),
        sandbox: SandboxId::new(),
    }
}

const fn budget(scope: BudgetScope, window: BudgetWindow, tokens: u64) -> BudgetTerms {
    BudgetTerms {
        scope,
        window,
        tokens: Some(tokens),
        cost: None,
    }
}

const fn tokens(tokens: u64) -> Charge {
    Charge {
        tokens,
        cost: Money::ZERO,
    }
}

/// A gateway of a process.
struct Scene {
    data: TempDir,
    budgets: LocalBudgets,
}

impl Scene {
    fn new() -> Self {
        let data = tempdir().unwrap();
        Self {
            budgets: LocalBudgets::new(data.path()),
            data,
        }
    }

    fn reserve(
        &self,
        identity: &Identity,
        terms: &[BudgetTerms],
        most: u64,
    ) -> Result<Reservation, NotReserved> {
        let rule = RuleRef("p/llm/0".to_owned());
        self.budgets.reserve(identity, &rule, terms, tokens(most))
    }

    fn left(&self, identity: &Identity, terms: &[BudgetTerms]) -> u64 {
        match self.reserve(identity, terms, u64::MAX) {
            Err(NotReserved::Exhausted { left, .. }) => left.tokens,
            Err(error) => panic!("{error}"),
            Ok(_) => panic!("all of it was given away"),
        }
    }
}

#[test]
fn at_once_all_budgets_give_or_none_does() {
    let scene = Scene::new();
    let claude = identity("claude");
    let terms = [
        budget(BudgetScope::Run, BudgetWindow::Total, 100),
        budget(BudgetScope::Agent, BudgetWindow::Day, 50),
    ];
    let at_once = |most| scene.budgets.reserve_at_once(&claude, &terms, tokens(most));
    // The ledger is not open yet.
    assert!(at_once(10).is_none());
    scene
        .reserve(&claude, &terms, 10)
        .unwrap()
        .settle(tokens(10));
    // The agent's budget has not enough, so the run's gives nothing.
    assert!(at_once(41).is_none());
    assert_eq!(scene.left(&claude, &terms[..1]), 90);
    let reserved = at_once(40).unwrap();
    assert_eq!(scene.left(&claude, &terms[..1]), 50);
    // Another process was at the ledger: what could not be settled can still be.
    let other = LocalBudgets::new(scene.data.path());
    let rule = RuleRef("p/llm/0".to_owned());
    drop(other.reserve(&identity("other"), &rule, &terms[1..], tokens(1)));
    let reserved = reserved.settle_at_once(tokens(5)).unwrap_err();
    reserved.settle(tokens(5));
    assert_eq!(scene.left(&claude, &terms[..1]), 85);
    assert_eq!(scene.left(&claude, &terms[1..]), 35);
    assert!(at_once(35).unwrap().settle_at_once(tokens(35)).is_ok());
    assert_eq!(scene.left(&claude, &terms[1..]), 0);
}

#[test]
fn a_budget_of_a_run_is_its_own_and_needs_no_file() {
    let scene = Scene::new();
    let terms = [budget(BudgetScope::Run, BudgetWindow::Total, 100)];
    let (one, other) = (identity("claude"), identity("claude"));
    scene.reserve(&one, &terms, 100).unwrap().settle(tokens(60));
    assert_eq!(scene.left(&one, &terms), 40);
    assert_eq!(scene.left(&other, &terms), 100);
    assert_eq!(std::fs::read_dir(scene.data.path()).unwrap().count(), 0);
}

#[test]
fn runs_of_an_agent_share_its_budget_and_other_agents_do_not() {
    let (scene, terms) = (
        Scene::new(),
        [budget(BudgetScope::Agent, BudgetWindow::Month, 100)],
    );
    let second = LocalBudgets::new(scene.data.path());
    let first = scene.reserve(&identity("claude"), &terms, 100).unwrap();
    first.settle(tokens(60));
    let rule = RuleRef("q/llm/0".to_owned());
    let refused = second
        .reserve(&identity("claude"), &rule, &terms, tokens(41))
        .err();
    let Some(NotReserved::Exhausted { budget, left, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!((*budget, left.tokens), (terms[0].clone(), 40));
    assert_eq!(scene.left(&identity("codex"), &terms), 100);
}

#[test]
fn a_profile_and_a_workspace_are_shared_by_all_agents() {
    let scene = Scene::new();
    let profile = |name: &str| BudgetScope::Profile(name.to_owned());
    let terms = [
        budget(profile("p"), BudgetWindow::Total, 100),
        budget(BudgetScope::Workspace, BudgetWindow::Total, 500),
    ];
    let first = scene.reserve(&identity("claude"), &terms, 100).unwrap();
    first.settle(tokens(60));
    assert_eq!(scene.left(&identity("codex"), &terms[..1]), 40);
    assert_eq!(scene.left(&identity("codex"), &terms[1..]), 440);
    let other = [budget(profile("q"), BudgetWindow::Total, 100)];
    assert_eq!(scene.left(&identity("claude"), &other), 100);
}

#[test]
fn what_a_run_set_aside_is_given_back_when_another_budget_refuses() {
    let scene = Scene::new();
    let terms = [
        budget(BudgetScope::Run, BudgetWindow::Total, 100),
        budget(BudgetScope::Agent, BudgetWindow::Total, 50),
    ];
    let who = identity("claude");
    let refused = scene.reserve(&who, &terms, 60).err();
    let Some(NotReserved::Exhausted { budget, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(budget.scope, BudgetScope::Agent);
    assert_eq!(scene.left(&who, &terms[..1]), 100);
    scene.reserve(&who, &terms, 50).unwrap().settle(tokens(20));
    assert_eq!(scene.left(&who, &terms[..1]), 80);
    assert_eq!(scene.left(&who, &terms[1..]), 30);
}

#[test]
fn a_request_that_is_dropped_has_spent_all_of_it_and_is_not_under_way() {
    let scene = Scene::new();
    let terms = [
        budget(BudgetScope::Run, BudgetWindow::Total, 100),
        budget(BudgetScope::Agent, BudgetWindow::Total, 100),
    ];
    let who = identity("claude");
    drop(scene.reserve(&who, &terms, 70).unwrap());
    for terms in [&terms[..1], &terms[1..]] {
        let refused = scene.reserve(&who, terms, 31).err();
        let Some(NotReserved::Exhausted {
            left, under_way, ..
        }) = refused
        else {
            panic!("{refused:?}");
        };
        assert_eq!((left.tokens, under_way.tokens), (30, 0));
    }
}

#[test]
fn a_ledger_that_cannot_be_read_lets_nothing_through_that_has_a_budget_in_it() {
    let scene = Scene::new();
    let terms = [
        budget(BudgetScope::Run, BudgetWindow::Total, 100),
        budget(BudgetScope::Agent, BudgetWindow::Day, 100),
    ];
    let who = identity("claude");
    scene.reserve(&who, &terms, 10).unwrap().settle(tokens(10));
    let file = scene.data.path().join("ledger/ledger.jsonl");
    let mut text = std::fs::read_to_string(&file).unwrap();
    text.push_str("{}\n");
    std::fs::write(&file, text).unwrap();
    let refused = scene.reserve(&who, &terms, 1).err();
    let Some(NotReserved::Unavailable(why)) = refused else {
        panic!("{refused:?}");
    };
    assert!(why.contains("ledger.jsonl is damaged"), "{why}");
    assert_eq!(scene.left(&who, &terms[..1]), 90);
    assert!(matches!(
        list(scene.data.path(), Timestamp::now()),
        Err(BudgetError::Ledger(LedgerError::Damaged { .. }))
    ));
    let by = "local".parse().unwrap();
    let aside = begin_anew(scene.data.path(), (&by, Timestamp::now())).unwrap();
    assert!(aside.is_some_and(|path| path.exists()));
    assert_eq!(scene.left(&who, &terms[1..]), 100);
}

#[test]
fn two_hundred_requests_at_once_spend_no_more_than_there_is_of_any_budget() {
    let scene = Scene::new();
    let terms = [
        budget(BudgetScope::Run, BudgetWindow::Total, 5_000),
        budget(BudgetScope::Agent, BudgetWindow::Month, 3_000),
        budget(BudgetScope::Workspace, BudgetWindow::Total, 4_000),
    ];
    let (who, start) = (identity("claude"), Barrier::new(200));
    let spent: u64 = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..200)
            .map(|number| {
                let (scene, who, terms, start) = (&scene, &who, &terms, &start);
                scope.spawn(move || {
                    start.wait();
                    let Ok(reservation) = scene.reserve(who, terms, 40) else {
                        return 0;
                    };
                    if number % 4 == 0 {
                        return 40;
                    }
                    reservation.settle(tokens(25));
                    25
                })
            })
            .collect();
        threads.into_iter().map(|it| it.join().unwrap()).sum()
    });
    assert!(spent <= 3_000, "{spent}");
    assert_eq!(scene.left(&who, &terms[1..2]), 3_000 - spent);
    assert_eq!(scene.left(&who, &terms[..1]), 5_000 - spent);
}

#[tokio::test]
async fn a_reset_is_recorded_and_gives_the_chosen_budgets_anew() {
    let scene = Scene::new();
    let terms = [
        budget(BudgetScope::Agent, BudgetWindow::Month, 100),
        budget(BudgetScope::Workspace, BudgetWindow::Total, 100),
    ];
    let who = identity("claude");
    scene.reserve(&who, &terms, 80).unwrap().settle(tokens(70));
    let by = "local".parse().unwrap();
    let now = Timestamp::now();
    let of_agents = |account: &Account| matches!(account.scope, Scope::Agent(_));
    let was = reset(scene.data.path(), &of_agents, (&by, now)).unwrap();
    assert_eq!(was.len(), 1);
    assert_eq!(was[0].spent.tokens, 70);
    assert_eq!(scene.left(&who, &terms[..1]), 100);
    assert_eq!(scene.left(&who, &terms[1..]), 30);
    let spools = std::fs::read_dir(scene.data.path().join("spool")).unwrap();
    let spools: Vec<_> = spools.map(|entry| entry.unwrap().path()).collect();
    assert_eq!(spools.len(), 1);
    let records = read_all(&spools[0]).unwrap().records;
    let Record::Notice(notice) = &records[0] else {
        panic!("{records:?}");
    };
    assert_eq!(
        notice.kind,
        NoticeKind::BudgetReset {
            budget: "agent claude, month".to_owned(),
            tokens: 70,
            cost: Money::ZERO,
        }
    );
    // Where nothing is chosen there is nothing to record.
    assert_eq!(
        reset(scene.data.path(), &|_| false, (&by, now)).unwrap(),
        []
    );
    let store = Store::open(scene.data.path()).await.unwrap();
    assert_eq!(store.ingest_spools().await.unwrap().records, 1);
}

#[test]
fn what_cannot_be_recorded_is_not_given_anew() {
    let scene = Scene::new();
    let terms = [budget(BudgetScope::Agent, BudgetWindow::Month, 100)];
    let who = identity("claude");
    scene.reserve(&who, &terms, 80).unwrap().settle(tokens(70));
    std::fs::write(scene.data.path().join("spool"), "no directory").unwrap();
    let by = "local".parse().unwrap();
    let refused = reset(scene.data.path(), &|_| true, (&by, Timestamp::now()));
    assert!(matches!(refused, Err(BudgetError::Record(_))));
    assert_eq!(scene.left(&who, &terms), 30);
}
