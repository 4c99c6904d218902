use ringfence_model::{Effect, Outcome, Record};
use sqlx::Row as _;
use tempfile::tempdir;

use super::*;
use crate::testing::{allowed, closed, denied, event_id, run, spooled, store_of, story, time};

async fn numbers(store: &Store, filter: &Filter) -> Vec<u64> {
    let events = store.events(filter).await.unwrap();
    events.into_iter().map(|stored| stored.seq).collect()
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
        (only(|_| {}), vec![2, 3, 4, 7, 9, 11]),
        (only(|f| f.agent = "builder".parse().ok()), vec![11]),
        (only(|f| f.decision = Some(Effect::Deny)), vec![2, 7, 9, 11]),
        (only(|f| f.decision = Some(Effect::Allow)), vec![3, 4]),
        (only(|f| f.since = Some(time(4))), vec![7, 9, 11]),
        (only(|f| f.until = Some(time(4))), vec![2, 3, 4]),
        (only(|f| f.host = "EVIL.test".parse().ok()), vec![2, 11]),
        (only(|f| f.host = "2001:db8::1".parse().ok()), vec![9]),
        (only(|f| f.run = Some(run(2))), vec![11]),
        (only(|f| f.limit = Some(2)), vec![9, 11]),
        (
            only(|f| (f.limit, f.after_seq) = (Some(2), Some(2))),
            vec![3, 4],
        ),
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
async fn an_event_comes_with_its_closing_in_the_promised_form() {
    let data = tempdir().unwrap();
    let records = [
        Record::Opened(allowed(1, "docs.test:443")),
        Record::Closed(closed(1, Outcome::Status(200))),
    ];
    let store = store_of(data.path(), &records).await;
    let events = store.events(&Filter::default()).await.unwrap();
    let json = serde_json::to_value(&events).unwrap();
    assert_eq!(
        json,
        serde_json::json!([{
            "seq": 1,
            "id": event_id(1),
            "time": "2026-11-22T06:00:01Z",
            "run": run(1),
            "sandbox": "0192f0c1-0000-7000-a000-000000000001",
            "agent": "coder",
            "workspace": "local",
            "action": {
                "kind": "connect",
                "destination": { "host": "docs.test", "port": 443 },
                "entry": "transparent",
            },
            "decision": {
                "effect": "allow",
                "code": "allowed",
                "reason": "allowed by coding-agent/network/docs",
                "rule": "coding-agent/network/docs",
                "generation": 1,
            },
            "closing": {
                "id": event_id(1),
                "time": "2026-11-22T06:00:01.5Z",
                "outcome": { "outcome": "status", "code": 200 },
                "upstream": { "address": "192.0.2.1:443", "sni": "docs.test", "alpn": ["h2"] },
                "sent": 517,
                "received": 4096,
                "duration_us": 500000,
            },
        }])
    );
    assert_eq!(
        serde_json::from_value::<Vec<StoredEvent>>(json).unwrap(),
        events
    );
}

#[tokio::test]
async fn every_condition_has_an_index_so_that_no_question_reads_all_events() {
    let data = tempdir().unwrap();
    let store = store_of(data.path(), &story()).await;
    for (filter, index) in [
        (only(|_| {}), "SCAN e USING INDEX events_by_time"),
        (
            only(|f| f.since = Some(time(1))),
            "SEARCH e USING INDEX events_by_time (time>?)",
        ),
        (
            only(|f| (f.agent, f.since) = ("coder".parse().ok(), Some(time(1)))),
            "SEARCH e USING INDEX events_by_agent (agent=? AND time>?)",
        ),
        (
            only(|f| f.host = "evil.test".parse().ok()),
            "SEARCH e USING INDEX events_by_host (host=?)",
        ),
        (
            only(|f| f.run = Some(run(1))),
            "SEARCH e USING INDEX events_by_run (run=?)",
        ),
        (
            only(|f| f.decision = Some(Effect::Deny)),
            "SCAN e USING INDEX events_refused",
        ),
        (
            only(|f| f.after_seq = Some(5)),
            "SEARCH e USING INDEX sqlite_autoindex_events_1 (seq>?)",
        ),
    ] {
        let order = filter.after_seq.map_or(Order::NewestFirst, |_| Order::Log);
        let mut query = listing("EXPLAIN QUERY PLAN ", &filter, order);
        let rows = query.build().fetch_all(&store.pool).await.unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
        assert!(
            plan.iter().any(|step| step == index),
            "{filter:?}: {plan:#?}"
        );
        // A scan here is one in the order of the index, which ends at the limit.
        assert!(
            plan.iter().all(|step| !step.contains("TEMP B-TREE")
                && (!step.starts_with("SCAN") || step.contains("USING INDEX"))),
            "{filter:?}: {plan:#?}"
        );
    }
}

#[tokio::test]
async fn a_page_in_the_order_of_time_is_found_by_its_place() {
    let data = tempdir().unwrap();
    let store = store_of(data.path(), &story()).await;
    let filter = Filter::default();
    let place = store.place_of_newest(&filter, 2).await.unwrap().unwrap();
    let mut query = listing("EXPLAIN QUERY PLAN ", &filter, Order::From(place));
    let rows = query.build().fetch_all(&store.pool).await.unwrap();
    let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
    let found = "SEARCH e USING INDEX events_by_time ((time,seq)>(?,?))";
    assert!(plan.iter().any(|step| step == found), "{plan:#?}");
    assert!(
        plan.iter().all(|step| !step.contains("TEMP B-TREE")),
        "{plan:#?}"
    );
}
