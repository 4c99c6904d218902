use ringfence_model::{ActionKind, Outcome, Record};
use sqlx::Row as _;
use tempfile::tempdir;

use super::*;
use crate::export::Format;
use crate::testing::{allowed, closed, denied, denied_git, store_of, time};

#[tokio::test]
async fn groups_by_destination_agent_and_reason_with_the_latest_first() {
    let data = tempdir().unwrap();
    let mut other = denied(4, "evil.test:443");
    other.agent = "builder".parse().unwrap();
    let mut forbidden = denied(5, "evil.test:443");
    forbidden.decision.code = ReasonCode::Forbidden;
    let events = [
        denied(1, "evil.test:443"),
        denied(2, "evil.test:80"),
        allowed(3, "docs.test:443"),
        other,
        forbidden,
        denied(6, "evil.test:443"),
    ];
    let store = store_of(data.path(), &events.clone().map(Record::Opened)).await;
    let denials = store.denied(&Filter::default()).await.unwrap();
    let groups: Vec<_> = denials
        .iter()
        .map(|denial| {
            let destination = denial.destination.to_string();
            (
                destination,
                denial.agent.to_string(),
                denial.code,
                denial.count,
            )
        })
        .collect();
    let group = |destination: &str, agent: &str, code, count| {
        (destination.to_owned(), agent.to_owned(), code, count)
    };
    assert_eq!(
        groups,
        [
            group("evil.test:443", "coder", ReasonCode::NoRule, 2),
            group("evil.test:443", "coder", ReasonCode::Forbidden, 1),
            group("evil.test:443", "builder", ReasonCode::NoRule, 1),
            group("evil.test:80", "coder", ReasonCode::NoRule, 1),
        ]
    );
    let first = &denials[0];
    assert_eq!((first.first_seen, first.last_seen), (time(1), time(6)));
    assert_eq!(first.sample, events[5].action);
    assert_eq!(first.reason, "no rule allows evil.test:443");
    assert_eq!(
        first.next_step.as_deref(),
        Some("ringfence allow evil.test:443")
    );

    let since = Filter {
        since: Some(time(5)),
        agent: "coder".parse().ok(),
        ..Filter::default()
    };
    let recent = store.denied(&since).await.unwrap();
    assert_eq!(recent.iter().map(|denial| denial.count).sum::<u64>(), 2);
}

#[tokio::test]
async fn git_is_grouped_by_repository() {
    let data = tempdir().unwrap();
    let events = [
        denied_git(1, "github/acme/web"),
        denied_git(2, "github/acme/docs"),
        denied_git(3, "github/acme/web"),
        denied(4, "github.com:443"),
    ];
    let store = store_of(data.path(), &events.map(Record::Opened)).await;
    let denials = store.denied(&Filter::default()).await.unwrap();
    let groups: Vec<_> = denials
        .iter()
        .map(|denial| (denial.sample.to_string(), denial.count))
        .collect();
    let group = |sample: &str, count| (sample.to_owned(), count);
    assert_eq!(
        groups,
        [
            group("connect github.com:443", 1),
            group("git list refs of github/acme/web", 2),
            group("git list refs of github/acme/docs", 1),
        ]
    );
    let only_git = Filter {
        kind: Some(ActionKind::Git),
        ..Filter::default()
    };
    assert_eq!(store.denied(&only_git).await.unwrap().len(), 2);
}

#[tokio::test]
async fn shows_what_was_refused_after_the_decision() {
    let data = tempdir().unwrap();
    let mut ending = closed(1, Outcome::Refused(ReasonCode::SniMismatch));
    ending.detail = Some("the client asked for evil.test".to_owned());
    ending.next_step = Some("name evil.test in a rule".to_owned());
    let records = [
        Record::Opened(allowed(1, "docs.test:443")),
        Record::Closed(ending),
    ];
    let store = store_of(data.path(), &records).await;
    let denials = store.denied(&Filter::default()).await.unwrap();
    assert_eq!(denials.len(), 1);
    assert_eq!(denials[0].code, ReasonCode::SniMismatch);
    assert_eq!(denials[0].reason, "the client asked for evil.test");
    let next_step = denials[0].next_step.as_deref();
    assert_eq!(next_step, Some("name evil.test in a rule"));
    let mut export = store.export(&Filter::default(), Format::Ocsf);
    let exported = export.next_page().await.unwrap();
    assert_eq!(
        exported[0]["unmapped"]["next_step"],
        "name evil.test in a rule"
    );
}

#[tokio::test]
async fn reads_refused_events_only_by_their_index() {
    let data = tempdir().unwrap();
    let store = store_of(data.path(), &[]).await;
    let mut query = listing("EXPLAIN QUERY PLAN ", &Filter::default());
    let rows = query.build().fetch_all(&store.pool).await.unwrap();
    let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
    assert!(
        plan.iter()
            .any(|step| step == "SCAN e USING INDEX events_denials"),
        "{plan:#?}"
    );
    assert!(
        !plan.iter().any(|step| step.contains("FOR GROUP BY")),
        "{plan:#?}"
    );
}
