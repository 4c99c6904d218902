use std::sync::Barrier;

use proptest::prelude::*;
use ringfence_gateway::llm::{LlmSecrets, LoopTerms};

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

fn terms(rule: &str, concurrency: Option<u32>, rates: &[RateTerms]) -> LlmTerms {
    LlmTerms {
        rule: RuleRef(rule.to_owned()),
        max_output_tokens: None,
        hosted: Vec::new(),
        strip: Vec::new(),
        secrets: LlmSecrets::default(),
        capture: false,
        concurrency,
        rates: rates.to_vec(),
        budgets: Vec::new(),
        prices: Vec::new(),
        unknown_price: None,
        fallback: Vec::new(),
        loops: LoopTerms::default(),
    }
}

const fn requests(most: u64, per: Duration) -> RateTerms {
    RateTerms {
        requests: Some(most),
        tokens: None,
        per,
    }
}

const fn tokens(most: u64, per: Duration) -> RateTerms {
    RateTerms {
        requests: None,
        tokens: Some(most),
        per,
    }
}

#[test]
fn a_rule_without_rates_lets_all_through() {
    let throttle = Throttle::default();
    let (sandbox, terms, now) = (
        SandboxId::new(),
        terms("p/llm/0", None, &[]),
        Instant::now(),
    );
    for _ in 0..10_000 {
        throttle
            .admit(sandbox, &terms, now, u64::MAX)
            .unwrap()
            .settle(1);
    }
}

#[test]
fn so_many_requests_pass_at_once_and_then_one_for_each_part_of_the_time() {
    let throttle = Throttle::default();
    let terms = terms("p/llm/0", None, &[requests(6, MINUTE)]);
    let (sandbox, now) = (SandboxId::new(), Instant::now());
    for _ in 0..6 {
        throttle.admit(sandbox, &terms, now, 0).unwrap().settle(0);
    }
    let busy = throttle.admit(sandbox, &terms, now, 0).unwrap_err();
    assert_eq!(busy.retry_after, Duration::from_secs(10));
    assert_eq!(busy.what, "requests in a time");
    let early = now + Duration::from_millis(9_999);
    assert!(throttle.admit(sandbox, &terms, early, 0).is_err());
    let then = now + busy.retry_after;
    throttle.admit(sandbox, &terms, then, 0).unwrap().settle(0);
    assert!(throttle.admit(sandbox, &terms, then, 0).is_err());
}

#[test]
fn tokens_that_were_not_used_are_given_back_and_more_are_owed() {
    let throttle = Throttle::default();
    let terms = terms("p/llm/0", None, &[tokens(600, MINUTE)]);
    let (sandbox, now) = (SandboxId::new(), Instant::now());
    let first = throttle.admit(sandbox, &terms, now, 600).unwrap();
    let busy = throttle.admit(sandbox, &terms, now, 100).unwrap_err();
    assert_eq!(
        (busy.what, busy.retry_after),
        ("tokens in a time", Duration::from_secs(10))
    );
    first.settle(500);
    // More than it said that it can take at most.
    throttle
        .admit(sandbox, &terms, now, 100)
        .unwrap()
        .settle(700);
    let busy = throttle.admit(sandbox, &terms, now, 1).unwrap_err();
    assert_eq!(busy.retry_after, Duration::from_millis(60_100));
}

#[test]
fn a_request_that_is_not_settled_has_used_all_that_it_took() {
    let throttle = Throttle::default();
    let terms = terms("p/llm/0", None, &[tokens(600, MINUTE)]);
    let (sandbox, now) = (SandboxId::new(), Instant::now());
    drop(throttle.admit(sandbox, &terms, now, 600).unwrap());
    assert!(throttle.admit(sandbox, &terms, now, 1).is_err());
}

#[test]
fn a_request_greater_than_the_rate_passes_when_nothing_is_taken() {
    let throttle = Throttle::default();
    let terms = terms("p/llm/0", None, &[tokens(600, MINUTE)]);
    let (sandbox, now) = (SandboxId::new(), Instant::now());
    throttle
        .admit(sandbox, &terms, now, 6_000)
        .unwrap()
        .settle(6_000);
    // What it used beyond the rate is waited for.
    let busy = throttle.admit(sandbox, &terms, now, 6_000).unwrap_err();
    assert_eq!(busy.retry_after, 10 * MINUTE);
    throttle
        .admit(sandbox, &terms, now + 10 * MINUTE, 6_000)
        .unwrap()
        .settle(1);
}

#[test]
fn of_several_rates_all_must_have_enough_and_none_is_taken_from_before() {
    let throttle = Throttle::default();
    let rates = [
        requests(100, MINUTE),
        tokens(10, MINUTE),
        tokens(50, 60 * MINUTE),
    ];
    let terms = terms("p/llm/0", None, &rates);
    let (sandbox, mut now) = (SandboxId::new(), Instant::now());
    for _ in 0..5 {
        throttle.admit(sandbox, &terms, now, 10).unwrap().settle(10);
        for _ in 0..1_000 {
            assert!(throttle.admit(sandbox, &terms, now, 10).is_err());
        }
        now += MINUTE;
    }
    let busy = throttle.admit(sandbox, &terms, now, 10).unwrap_err();
    assert!(busy.retry_after > MINUTE, "{busy:?}");
}

#[test]
fn only_so_many_are_under_way_at_once() {
    let throttle = Throttle::default();
    let terms = terms("p/llm/0", Some(2), &[]);
    let (sandbox, now) = (SandboxId::new(), Instant::now());
    let first = throttle.admit(sandbox, &terms, now, 1).unwrap();
    let second = throttle.admit(sandbox, &terms, now, 1).unwrap();
    let busy = throttle.admit(sandbox, &terms, now, 1).unwrap_err();
    assert_eq!(busy.what, "requests under way");
    drop(first);
    let third = throttle.admit(sandbox, &terms, now, 1).unwrap();
    assert!(throttle.admit(sandbox, &terms, now, 1).is_err());
    second.settle(1);
    drop(third);
    drop(throttle.admit(sandbox, &terms, now, 1).unwrap());
}

#[test]
fn sandboxes_and_rules_do_not_share() {
    let throttle = Throttle::default();
    let (first, second) = (
        terms("p/llm/0", Some(1), &[]),
        terms("p/llm/1", Some(1), &[]),
    );
    let (one, other, now) = (SandboxId::new(), SandboxId::new(), Instant::now());
    let held = [
        throttle.admit(one, &first, now, 1).unwrap(),
        throttle.admit(one, &second, now, 1).unwrap(),
        throttle.admit(other, &first, now, 1).unwrap(),
    ];
    assert!(throttle.admit(one, &first, now, 1).is_err());
    drop(held);
}

#[test]
fn a_new_policy_keeps_what_was_taken_of_the_rates_that_stay() {
    let throttle = Throttle::default();
    let (sandbox, now) = (SandboxId::new(), Instant::now());
    let before = terms("p/llm/0", None, &[requests(1, MINUTE)]);
    let held = throttle.admit(sandbox, &before, now, 5).unwrap();
    let after = terms("p/llm/0", None, &[tokens(5, MINUTE), requests(1, MINUTE)]);
    assert!(throttle.admit(sandbox, &after, now, 5).is_err());
    let more = terms("p/llm/0", None, &[tokens(5, MINUTE)]);
    throttle.admit(sandbox, &more, now, 5).unwrap().settle(5);
    // Of the tokens of a rate that did not exist then it took none.
    held.settle(0);
    assert!(throttle.admit(sandbox, &more, now, 5).is_err());
}

#[test]
fn a_rate_of_nothing_lets_nothing_through_and_does_not_overflow() {
    let throttle = Throttle::default();
    let (sandbox, now) = (SandboxId::new(), Instant::now());
    for rate in [requests(0, MINUTE), tokens(0, MINUTE)] {
        let terms = terms("p/llm/0", None, &[rate]);
        assert!(throttle.admit(sandbox, &terms, now, 1).is_err(), "{rate:?}");
        assert!(
            throttle.admit(sandbox, &terms, now, u64::MAX).is_err(),
            "{rate:?}"
        );
    }
    for (most, per) in [
        (1, Duration::MAX),
        (u64::MAX, Duration::MAX),
        (u64::MAX, Duration::from_nanos(1)),
    ] {
        let terms = terms("p/llm/1", None, &[tokens(most, per)]);
        throttle
            .admit(sandbox, &terms, now, u64::MAX)
            .unwrap()
            .settle(u64::MAX);
        let _ = throttle.admit(sandbox, &terms, now + MINUTE, u64::MAX);
    }
}

#[test]
fn what_does_not_matter_any_more_is_forgotten_and_what_does_is_not() {
    let throttle = Throttle::default();
    let (now, kept) = (Instant::now(), SandboxId::new());
    let terms = terms("p/llm/0", Some(1), &[requests(1, MINUTE)]);
    let held = throttle.admit(kept, &terms, now, 1).unwrap();
    for _ in 1..THROTTLED {
        throttle
            .admit(SandboxId::new(), &terms, now, 1)
            .unwrap()
            .settle(1);
    }
    assert!(throttle.admit(SandboxId::new(), &terms, now, 1).is_err());
    let later = now + MINUTE;
    throttle
        .admit(SandboxId::new(), &terms, later, 1)
        .unwrap()
        .settle(1);
    assert_eq!(throttle.entries().len(), 2);
    assert!(throttle.admit(kept, &terms, later, 1).is_err());
    drop(held);
}

#[test]
fn threads_together_get_no_more_than_one_would() {
    let throttle = Throttle::default();
    let terms = terms("p/llm/0", Some(8), &[requests(50, MINUTE)]);
    let (sandbox, now, start) = (SandboxId::new(), Instant::now(), Barrier::new(200));
    let passed: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..200)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    (0..20)
                        .filter(|_| throttle.admit(sandbox, &terms, now, 1).is_ok())
                        .count()
                })
            })
            .collect();
        threads.into_iter().map(|it| it.join().unwrap()).sum()
    });
    assert_eq!(passed, 50);
}

proptest! {
    /// Whatever is asked for and used, no span of time sees more than twice the rate: what the
    /// bucket held, and what came in meanwhile.
    #[test]
    fn a_span_never_sees_more_than_a_full_bucket_and_what_fills_it(
        steps in prop::collection::vec((0_u64..5_000, 1_u64..80, 0_u64..80), 1..120),
    ) {
        let throttle = Throttle::default();
        let terms = terms("p/llm/0", None, &[tokens(100, Duration::from_secs(10))]);
        let (sandbox, begin) = (SandboxId::new(), Instant::now());
        let (mut now, mut used) = (begin, Vec::new());
        for (pause, most, spent) in steps {
            now += Duration::from_millis(pause);
            let spent = spent.min(most);
            if let Ok(admitted) = throttle.admit(sandbox, &terms, now, most) {
                admitted.settle(spent);
                used.push((now, spent));
            }
        }
        for (index, (from, _)) in used.iter().enumerate() {
            let mut sum = 0;
            for (at, spent) in &used[index..] {
                sum += spent;
                let filled = u64::try_from((*at - *from).as_millis()).unwrap() / 100 + 1;
                prop_assert!(sum <= 100 + filled, "{sum} in {:?}", *at - *from);
            }
        }
    }

    /// After the wait that it was told, a request passes.
    #[test]
    fn after_the_wait_a_request_passes(
        most in 1_u64..1_000, seconds in 1_u64..4_000, asked in 1_u64..2_000, count in 1_usize..20,
    ) {
        let throttle = Throttle::default();
        let terms = terms("p/llm/0", None, &[tokens(most, Duration::from_secs(seconds)), requests(3, MINUTE)]);
        let (sandbox, mut now) = (SandboxId::new(), Instant::now());
        for _ in 0..count {
            let admitted = match throttle.admit(sandbox, &terms, now, asked) {
                Ok(admitted) => admitted,
                Err(busy) => {
                    now += busy.retry_after;
                    throttle.admit(sandbox, &terms, now, asked).unwrap()
                }
            };
            admitted.settle(asked);
        }
    }
}
