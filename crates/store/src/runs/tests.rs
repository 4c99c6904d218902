use ringfence_model::{Destination, ReasonCode, Record};
use tempfile::tempdir;

use crate::filter::Filter;
use crate::testing::{denied, run, spooled, store_of, story, time};

#[tokio::test]
async fn looks_back_on_a_run() {
    let data = tempdir().unwrap();
    let store = store_of(data.path(), &story()).await;
    let summary = store.run_summary(run(1)).await.unwrap().unwrap();
    assert_eq!(summary.agent.as_str(), "coder");
    assert_eq!(
        (summary.started, summary.ended, summary.exit_code),
        (Some(time(0)), Some(time(6)), Some(3))
    );
    assert_eq!((summary.counts.allowed, summary.counts.denied), (2, 3));
    assert_eq!(summary.notices.len(), 2);
    assert_eq!(store.run_summary(run(2)).await.unwrap(), None);
}

#[tokio::test]
async fn gives_each_distinct_action_once_for_simulation() {
    let data = tempdir().unwrap();
    let store = store_of(data.path(), &story()).await;
    let actions = store
        .actions_for_simulation(&Filter::default())
        .await
        .unwrap();
    let found: Vec<_> = actions
        .iter()
        .map(|recorded| {
            (
                recorded.action.to_string(),
                recorded.effect.to_string(),
                recorded.count,
            )
        })
        .collect();
    let expected =
        |action: &str, effect: &str, count| (action.to_owned(), effect.to_owned(), count);
    assert_eq!(
        found,
        [
            expected("connect docs.test:443", "allow", 2),
            expected("connect [2001:db8::1]:22", "deny", 1),
            expected("GET https://docs.test:443/a/b", "allow", 1),
            expected("connect evil.test:443", "deny", 1),
        ]
    );
    let narrowed = Filter {
        host: "evil.test".parse().ok(),
        ..Filter::default()
    };
    let actions = store.actions_for_simulation(&narrowed).await.unwrap();
    let evil: Destination = "evil.test:443".parse().unwrap();
    assert_eq!(actions.len(), 1);
    assert_eq!(actions[0].action.destination(), &evil);
}

#[tokio::test]
async fn what_no_policy_was_asked_about_is_not_simulated() {
    let data = tempdir().unwrap();
    let codes = [
        ReasonCode::HostMismatch,
        ReasonCode::Malformed,
        ReasonCode::UpgradeRefused,
        ReasonCode::LimitReached,
        ReasonCode::NoRule,
    ];
    let records: Vec<_> = (1..)
        .zip(codes)
        .map(|(number, code)| {
            let mut event = denied(number, &format!("host-{number}.test:80"));
            event.decision.code = code;
            Record::Opened(event)
        })
        .collect();
    let store = store_of(data.path(), &records).await;
    let actions = store
        .actions_for_simulation(&Filter::default())
        .await
        .unwrap();
    let actions: Vec<_> = actions.iter().map(|seen| seen.action.to_string()).collect();
    assert_eq!(actions, ["connect host-5.test:80"]);
}

#[tokio::test]
async fn the_newest_runs_are_listed_with_all_that_they_wrote() {
    let data = tempdir().unwrap();
    let store = store_of(data.path(), &story()).await;
    let other = |number: u32| {
        let mut records = story();
        for record in &mut records {
            match record {
                Record::Notice(notice) => {
                    notice.run = run(number);
                    notice.time = time(number * 100);
                }
                Record::Opened(event) => event.run = run(number),
                Record::Closed(_) => {}
            }
        }
        records.retain(|record| matches!(record, Record::Notice(_)));
        records
    };
    spooled(data.path(), run(2), &other(2));
    store.ingest_spools().await.unwrap();
    let newest = store.newest_runs(None, None, 10).await.unwrap();
    assert_eq!(newest, [run(2), run(1)]);
    let since = Some(time(150));
    assert_eq!(store.newest_runs(None, since, 10).await.unwrap(), [run(2)]);
    assert_eq!(store.newest_runs(None, None, 1).await.unwrap(), [run(2)]);
    let nobody = "nobody".parse().unwrap();
    let none = store.newest_runs(Some(&nobody), None, 10).await.unwrap();
    assert_eq!(none, []);
    let mut read = Vec::new();
    let mut after = 0;
    loop {
        let page = store.records_of(run(1), after).await.unwrap();
        let Some((last, _)) = page.last() else {
            break;
        };
        after = *last;
        read.extend(page.into_iter().map(|(_, record)| record));
    }
    assert_eq!(read, story());
}
