use ringfence_model::{Effect, NoticeKind, Record};
use sqlx::Row as _;
use tempfile::tempdir;

use super::*;
use crate::testing::{denied, notice, run, spooled, store_of, story, time};

async fn numbers(store: &Store, filter: &Filter) -> Vec<u64> {
    let records = store.records(filter).await.unwrap();
    records.iter().map(StoredRecord::seq).collect()
}

/// The story, and an event of another agent in another run.
async fn two_runs(data: &std::path::Path) -> Store {
    let store = store_of(data, &story()).await;
    let mut other = denied(20, "evil.test:443");
    other.agent = "builder".parse().unwrap();
    other.run = run(2);
    spooled(data, run(2), &[Record::Opened(other)]);
    store.ingest_spools().await.unwrap();
    store
}

fn only(narrow: impl FnOnce(&mut Filter)) -> Filter {
    let mut filter = Filter::default();
    narrow(&mut filter);
    filter
}

#[tokio::test]
async fn each_condition_narrows() {
    let data = tempdir().unwrap();
    let store = two_runs(data.path()).await;
    for (filter, expected) in [
        (only(|_| {}), vec![1, 2, 3, 4, 7, 9, 10, 11]),
        (only(|f| f.agent = "builder".parse().ok()), vec![11]),
        (only(|f| f.decision = Some(Effect::Deny)), vec![2, 7, 9, 11]),
        (only(|f| f.decision = Some(Effect::Allow)), vec![3, 4]),
        (only(|f| f.since = Some(time(4))), vec![7, 9, 10, 11]),
        (only(|f| f.until = Some(time(4))), vec![1, 2, 3, 4]),
        (only(|f| f.host = "EVIL.test".parse().ok()), vec![2, 11]),
        (only(|f| f.host = "2001:db8::1".parse().ok()), vec![9]),
        (only(|f| f.run = Some(run(2))), vec![11]),
        (only(|f| f.limit = Some(3)), vec![9, 10, 11]),
        (
            only(|f| (f.limit, f.after_seq) = (Some(2), Some(2))),
            vec![3, 4],
        ),
        (only(|f| f.after_seq = Some(9)), vec![10, 11]),
        (only(|f| f.after_seq = Some(11)), vec![]),
    ] {
        assert_eq!(numbers(&store, &filter).await, expected, "{filter:?}");
    }
    let together = Filter {
        agent: "coder".parse().ok(),
        decision: Some(Effect::Deny),
        since: Some(time(2)),
        host: "docs.test".parse().ok(),
        ..Filter::default()
    };
    assert_eq!(numbers(&store, &together).await, [7]);
}

#[tokio::test]
async fn a_notice_has_its_promised_form() {
    let data = tempdir().unwrap();
    let finding = NoticeKind::Finding {
        code: "private-copy-changed".to_owned(),
        detail: ".envrc".to_owned(),
    };
    let store = store_of(data.path(), &[notice(1, finding)]).await;
    let records = store.records(&Filter::default()).await.unwrap();
    assert_eq!(
        serde_json::to_value(&records).unwrap(),
        serde_json::json!([{
            "seq": 1,
            "time": "2026-11-22T06:00:01Z",
            "run": run(1),
            "sandbox": "0192f0c1-0000-7000-a000-000000000001",
            "agent": "coder",
            "kind": {
                "notice": "finding",
                "code": "private-copy-changed",
                "detail": ".envrc",
            },
        }])
    );
}

#[tokio::test]
async fn every_condition_has_an_index_so_that_no_question_reads_all_records() {
    let data = tempdir().unwrap();
    let store = store_of(data.path(), &story()).await;
    for (filter, indexes) in [
        (
            only(|_| {}),
            &[
                "SCAN e USING INDEX events_by_time",
                "SCAN e USING COVERING INDEX notices_by_time",
            ][..],
        ),
        (
            only(|f| f.since = Some(time(1))),
            &[
                "SEARCH e USING INDEX events_by_time (time>?)",
                "SEARCH e USING COVERING INDEX notices_by_time (time>?)",
            ],
        ),
        (
            only(|f| (f.agent, f.since) = ("coder".parse().ok(), Some(time(1)))),
            &[
                "SEARCH e USING INDEX events_by_agent (agent=? AND time>?)",
                "SEARCH e USING COVERING INDEX notices_by_agent (agent=? AND time>?)",
            ],
        ),
        (
            only(|f| f.run = Some(run(1))),
            &[
                "SEARCH e USING INDEX events_by_run (run=?)",
                "SEARCH e USING COVERING INDEX notices_by_run (run=?)",
            ],
        ),
        (
            only(|f| f.host = "evil.test".parse().ok()),
            &["SEARCH e USING INDEX events_by_host (host=?)"],
        ),
        (
            only(|f| f.decision = Some(Effect::Deny)),
            &["SCAN e USING INDEX events_refused"],
        ),
        (
            only(|f| f.after_seq = Some(5)),
            &[
                "SEARCH e USING INDEX sqlite_autoindex_events_1 (seq>?)",
                "SEARCH e USING INDEX sqlite_autoindex_notices_1 (seq>?)",
            ],
        ),
    ] {
        let mut query = listing("EXPLAIN QUERY PLAN ", &filter);
        let rows = query.build().fetch_all(&store.pool).await.unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
        for index in indexes {
            assert!(
                plan.iter().any(|step| step == index),
                "{filter:?}: {plan:#?}"
            );
        }
        // A scan here is one in the order of the index, which ends at the limit.
        assert!(
            plan.iter().all(|step| !step.contains("TEMP B-TREE")
                && (!step.starts_with("SCAN") || step.contains(" INDEX "))),
            "{filter:?}: {plan:#?}"
        );
    }
}

#[tokio::test]
async fn notices_are_had_by_themselves() {
    let data = tempdir().unwrap();
    let store = two_runs(data.path()).await;
    let all = store.records(&Filter::default()).await.unwrap();
    let expected: Vec<StoredNotice> = all
        .into_iter()
        .filter_map(|record| match record {
            StoredRecord::Notice(notice) => Some(notice),
            StoredRecord::Event(_) => None,
        })
        .collect();
    assert!(!expected.is_empty());
    assert_eq!(store.notices(&Filter::default()).await.unwrap(), expected);
    let last = only(|f| f.limit = Some(1));
    assert_eq!(
        store.notices(&last).await.unwrap(),
        expected[expected.len() - 1..]
    );
    let others = only(|f| f.agent = "builder".parse().ok());
    assert_eq!(store.notices(&others).await.unwrap(), []);
}
