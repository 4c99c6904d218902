//! The ledger against a second, naive one: a list of everything that ever happened, added up from
//! the start at every question.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// What happens. Numbers choose among what there is.
#[derive(Debug, Clone)]
enum Step {
    Take {
        by: usize,
        claims: Vec<(usize, u64)>,
        most: u64,
    },
    Settle {
        which: usize,
        spent: u64,
    },
    Die {
        who: usize,
    },
    Wait {
        minutes: i64,
    },
    Reset {
        account: usize,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let claims = prop::collection::vec((0..6_usize, 20..200_u64), 1..4);
    let step = prop_oneof![
        6 => (0..3_usize, claims, 0..60_u64)
            .prop_map(|(by, claims, most)| Step::Take { by, claims, most }),
        4 => (any::<usize>(), 0..90_u64).prop_map(|(which, spent)| Step::Settle { which, spent }),
        1 => (0..3_usize).prop_map(|who| Step::Die { who }),
        2 => (-90..90_i64).prop_map(|minutes| Step::Wait { minutes }),
        1 => (0..6_usize).prop_map(|account| Step::Reset { account }),
    ];
    prop::collection::vec(step, 1..60)
}

fn accounts() -> [Account; 6] {
    [
        of_agent(Window::Hour),
        of_agent(Window::Day),
        of_agent(Window::Total),
        account(Scope::Workspace, Window::Hour),
        account(Scope::Workspace, Window::Month),
        account(Scope::Profile("p".to_owned()), Window::Total),
    ]
}

/// What was done to one account in one window: only the newest window is ever asked for.
#[derive(Default)]
struct Naive {
    latest: Option<Timestamp>,
    /// The amounts of an account in a window, and those that a person forgave.
    entries: Vec<(Account, Timestamp, i128)>,
}

impl Naive {
    fn now(&mut self, now: Timestamp) -> Timestamp {
        let latest = self.latest.map_or(now, |latest| latest.max(now));
        self.latest = Some(latest);
        latest
    }

    fn sum(&self, account: &Account, start: Timestamp) -> i128 {
        let entries = self.entries.iter();
        let of = entries.filter(|(known, begun, _)| known == account && *begun == start);
        of.map(|(_, _, amount)| amount).sum()
    }

    fn add(&mut self, account: &Account, start: Timestamp, amount: i128) {
        self.entries.push((account.clone(), start, amount));
    }
}

/// A request under way, as the naive ledger knows it.
struct UnderWay {
    by: usize,
    taken: Taken,
    most: u64,
    windows: BTreeMap<Account, Timestamp>,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn it_agrees_with_a_naive_one(steps in steps()) {
        let data = tempdir().unwrap();
        let open = || Ledger::open(data.path()).unwrap();
        let mut ledgers = [open(), open(), open()];
        let (accounts, mut naive) = (accounts(), Naive::default());
        let mut now = at("2026-11-30T22:30:00Z");
        let mut under_way: Vec<UnderWay> = Vec::new();
        for step in steps {
            match step {
                Step::Wait { minutes } => now += SignedDuration::from_mins(minutes),
                Step::Take { by, claims, most } => {
                    let at = now.max(naive.latest.unwrap_or(now));
                    let claims: Vec<Claim> = claims
                        .iter()
                        .map(|(index, limit)| tokens(accounts[*index].clone(), *limit))
                        .collect();
                    let windows: BTreeMap<Account, Timestamp> = claims
                        .iter()
                        .map(|claim| (claim.account.clone(), claim.account.window.start(at)))
                        .collect();
                    let room = |claim: &Claim| {
                        let sum = naive.sum(&claim.account, windows[&claim.account]);
                        i128::from(claim.limits.tokens.unwrap()) - sum
                    };
                    let expected = claims.iter().position(|it| room(it) < i128::from(most));
                    let room = expected.map(|index| room(&claims[index]).max(0));
                    match ledgers[by].take(&claims, amount(most, 0), now) {
                        Ok(taken) => {
                            prop_assert_eq!(expected, None);
                            naive.now(now);
                            for (account, start) in &windows {
                                naive.add(account, *start, most.into());
                            }
                            under_way.push(UnderWay { by, taken, most, windows });
                        }
                        Err(NotTaken::Short(short)) => {
                            prop_assert_eq!(Some(short.claim), expected);
                            prop_assert_eq!(Some(short.left.tokens.into()), room);
                        }
                        Err(error) => return Err(TestCaseError::fail(error.to_string())),
                    }
                }
                Step::Settle { which, spent } if !under_way.is_empty() => {
                    let it = under_way.swap_remove(which % under_way.len());
                    ledgers[it.by].settle(it.taken, amount(spent, 0)).unwrap();
                    for (account, start) in &it.windows {
                        naive.add(account, *start, i128::from(spent) - i128::from(it.most));
                    }
                }
                Step::Settle { .. } => {}
                Step::Die { who } => {
                    under_way.retain(|it| it.by != who);
                    ledgers[who] = open();
                }
                Step::Reset { account } => {
                    let chosen = &accounts[account];
                    ledgers[0].reset(&|account| account == chosen, now).unwrap();
                    let is_known = naive.entries.iter().any(|(known, ..)| known == chosen);
                    if is_known {
                        let start = chosen.window.start(naive.now(now));
                        let aside: u64 = under_way
                            .iter()
                            .filter(|it| it.windows.get(chosen) == Some(&start))
                            .map(|it| it.most)
                            .sum();
                        let sum = naive.sum(chosen, start);
                        naive.add(chosen, start, i128::from(aside) - sum);
                    }
                }
            }
            let at = naive.latest.unwrap_or(now);
            for balance in ledgers[1].balances(at).unwrap() {
                let sum = naive.sum(&balance.account, balance.since);
                let held = balance.spent.tokens + balance.under_way.tokens;
                prop_assert_eq!(i128::from(held), sum);
                let aside: u64 = under_way
                    .iter()
                    .filter(|it| it.windows.get(&balance.account) == Some(&balance.since))
                    .map(|it| it.most)
                    .sum();
                prop_assert_eq!(balance.under_way.tokens, aside);
            }
        }
    }
}
