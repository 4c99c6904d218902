use ringfence_model::{Outcome, ReasonCode, Record};
use serde_json::json;
use tempfile::tempdir;

use super::*;
use crate::testing::{
    allowed, closed, denied, event_id, events, requested, run, spooled, store_of, story, time,
};

async fn all(mut export: Export) -> Vec<Value> {
    let mut values = Vec::new();
    loop {
        let page = export.next_page().await.unwrap();
        assert!(page.len() <= PAGE_RECORDS as usize);
        if page.is_empty() {
            return values;
        }
        values.extend(page);
    }
}

#[tokio::test]
async fn exports_every_event_once_in_bounded_pages() {
    let data = tempdir().unwrap();
    let event = |number| Record::Opened(denied(number, "evil.test:443"));
    let records: Vec<_> = (0..600).map(event).collect();
    let store = store_of(data.path(), &records).await;
    let values = all(store.export(&Filter::default(), Format::Jsonl)).await;
    let numbers: Vec<_> = values
        .iter()
        .map(|value| value["seq"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, (1..=600).collect::<Vec<_>>());

    let some = Filter {
        limit: Some(300),
        after_seq: Some(100),
        ..Filter::default()
    };
    let values = all(store.export(&some, Format::Ocsf)).await;
    assert_eq!(values.len(), 300);
    assert_eq!(values[0]["metadata"]["sequence"], 101);
}

#[tokio::test]
async fn a_limited_export_is_that_of_the_newest_events_oldest_first() {
    let data = tempdir().unwrap();
    let event = |number| Record::Opened(denied(number, "evil.test:443"));
    let records: Vec<_> = (0..600).map(event).collect();
    let store = store_of(data.path(), &records).await;
    // A run whose events are older than those of the log's end, and one of their time.
    let late: Vec<_> = [3, 599]
        .map(|at| {
            let mut event = denied(1000 + at, "late.test:443");
            event.time = time(at);
            Record::Opened(event)
        })
        .into();
    spooled(data.path(), run(2), &late);
    store.ingest_spools().await.unwrap();

    for limit in [0, 1, 2, 3, 300, 10_000] {
        let filter = Filter {
            limit: Some(limit),
            ..Filter::default()
        };
        let exported = all(store.export(&filter, Format::Jsonl)).await;
        let listed = events(&store, &filter).await;
        assert_eq!(
            Value::Array(exported),
            serde_json::to_value(&listed).unwrap(),
            "{limit}"
        );
    }
}

#[tokio::test]
async fn jsonl_is_the_event_as_it_is_listed() {
    let data = tempdir().unwrap();
    let store = store_of(data.path(), &story()).await;
    let values = all(store.export(&Filter::default(), Format::Jsonl)).await;
    let events = events(&store, &Filter::default()).await;
    assert_eq!(Value::Array(values), serde_json::to_value(events).unwrap());
}

#[tokio::test]
async fn a_denied_connection_is_refused_network_activity() {
    let data = tempdir().unwrap();
    let store = store_of(
        data.path(),
        &[Record::Opened(denied(1, "[2001:db8::1]:22"))],
    )
    .await;
    let values = all(store.export(&Filter::default(), Format::Ocsf)).await;
    assert_eq!(
        values,
        [json!({
            "category_uid": 4,
            "category_name": "Network Activity",
            "class_uid": 4001,
            "class_name": "Network Activity",
            "activity_id": 5,
            "activity_name": "Refuse",
            "type_uid": 400105,
            "type_name": "Network Activity: Refuse",
            "action_id": 2,
            "action": "Denied",
            "disposition_id": 2,
            "disposition": "Blocked",
            "severity_id": 2,
            "severity": "Low",
            "status_id": 2,
            "status": "Failure",
            "status_code": "no-rule",
            "metadata": {
                "version": "1.3.0",
                "product": {
                    "name": "Ringfence",
                    "vendor_name": "Ringfence",
                    "version": env!("CARGO_PKG_VERSION"),
                },
                "profiles": ["security_control"],
                "uid": event_id(1),
                "correlation_uid": run(1),
                "sequence": 1,
            },
            "time": 1795327201000_i64,
            "dst_endpoint": { "ip": "2001:db8::1", "port": 22 },
            "src_endpoint": { "name": "coder", "uid": "0192f0c1-0000-7000-a000-000000000001" },
            "connection_info": {
                "protocol_name": "tcp",
                "protocol_num": 6,
                "direction": "Outbound",
                "direction_id": 2,
            },
            "firewall_rule": { "version": "1" },
            "message": "no rule allows [2001:db8::1]:22",
            "unmapped": {
                "workspace": "local",
                "run": run(1),
                "code": "no-rule",
                "next_step": "ringfence allow [2001:db8::1]:22",
            },
        })]
    );
}

#[tokio::test]
async fn an_allowed_request_is_http_activity_with_its_response() {
    let data = tempdir().unwrap();
    let records = [
        Record::Opened(requested(2, "docs.test:443")),
        Record::Closed(closed(2, Outcome::Status(404))),
    ];
    let store = store_of(data.path(), &records).await;
    let value = all(store.export(&Filter::default(), Format::Ocsf))
        .await
        .remove(0);
    for (pointer, expected) in [
        ("/class_uid", json!(4002)),
        ("/activity_id", json!(3)),
        ("/type_uid", json!(400203)),
        ("/action_id", json!(1)),
        ("/disposition_id", json!(1)),
        ("/severity_id", json!(1)),
        ("/status_id", json!(1)),
        ("/http_request/http_method", json!("GET")),
        (
            "/http_request/url/url_string",
            json!("https://docs.test:443/a/b?c=d"),
        ),
        ("/http_response", json!({ "code": 404 })),
        (
            "/dst_endpoint",
            json!({ "hostname": "docs.test", "port": 443 }),
        ),
        (
            "/traffic",
            json!({ "bytes_out": 517, "bytes_in": 4096, "bytes": 4613 }),
        ),
        ("/duration", json!(500)),
        ("/unmapped/parent", json!(event_id(1))),
        ("/firewall_rule/uid", json!("coding-agent/network/docs")),
    ] {
        assert_eq!(value.pointer(pointer), Some(&expected), "{pointer}");
    }
}

#[tokio::test]
async fn how_a_connection_ended_is_its_activity() {
    for (outcome, activity, action, status) in [
        (Outcome::Done, 2, 1, 1),
        (Outcome::Aborted, 3, 1, 2),
        (Outcome::UpstreamFailed, 4, 1, 2),
        (Outcome::Refused(ReasonCode::SniMismatch), 5, 2, 2),
    ] {
        let data = tempdir().unwrap();
        let records = [
            Record::Opened(allowed(1, "docs.test:443")),
            Record::Closed(closed(1, outcome)),
        ];
        let store = store_of(data.path(), &records).await;
        let value = all(store.export(&Filter::default(), Format::Ocsf))
            .await
            .remove(0);
        let found = ["activity_id", "action_id", "status_id"].map(|key| value[key].as_u64());
        assert_eq!(
            found,
            [Some(activity), Some(action), Some(status)],
            "{outcome:?}"
        );
        assert_eq!(value["type_uid"], 400_100 + activity);
        store.close().await;
    }
}
