use ringfence_model::{Outcome, Record};
use sqlx::Row as _;
use tempfile::tempdir;

use super::*;
use crate::testing::{allowed, closed, event_id, events, run, store_of, story};

#[tokio::test]
async fn an_event_comes_with_its_closing_in_the_promised_form() {
    let data = tempdir().unwrap();
    let records = [
        Record::Opened(allowed(1, "docs.test:443")),
        Record::Closed(closed(1, Outcome::Status(200))),
    ];
    let store = store_of(data.path(), &records).await;
    let events = events(&store, &Filter::default()).await;
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
