//! Records for the tests of this crate, with ids and times that never change.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use ringfence_model::git::{GitOperation, GitRequest, GitService, RepoId};
use ringfence_model::{
    Action, Closing, Connect, Decision, Effect, Entry, Event, EventId, Generation, HttpRequest,
    Notice, NoticeKind, Outcome, ReasonCode, Record, RuleRef, RunId, Scheme, Upstream,
};

use crate::events::StoredEvent;
use crate::filter::Filter;
use crate::records::StoredRecord;
use crate::spool::Spool;
use crate::store::Store;
use crate::verify::Verification;

pub(crate) fn run(number: u32) -> RunId {
    format!("0192f0c1-0000-7000-8000-{number:012x}")
        .parse()
        .unwrap()
}

pub(crate) fn event_id(number: u32) -> EventId {
    format!("0192f0c1-0000-7000-9000-{number:012x}")
        .parse()
        .unwrap()
}

/// A time, in seconds after the start of all tests.
pub(crate) fn time(seconds: u32) -> Timestamp {
    let start: Timestamp = "2026-11-22T06:00:00Z".parse().unwrap();
    start + SignedDuration::from_secs(i64::from(seconds))
}

/// An attempt to connect, denied; the base of the events of the tests.
pub(crate) fn denied(number: u32, destination: &str) -> Event {
    Event {
        id: event_id(number),
        parent: None,
        time: time(number),
        run: run(1),
        sandbox: "0192f0c1-0000-7000-a000-000000000001".parse().unwrap(),
        agent: "coder".parse().unwrap(),
        workspace: "local".parse().unwrap(),
        action: Action::Connect(Connect {
            destination: destination.parse().unwrap(),
            entry: Entry::Transparent,
        }),
        decision: Decision {
            effect: Effect::Deny,
            code: ReasonCode::NoRule,
            reason: format!("no rule allows {destination}"),
            rule: None,
            generation: Generation(1),
            next_step: Some(format!("ringfence allow {destination}")),
            credential: None,
            access: None,
        },
    }
}

/// An attempt to read a repository at GitHub, denied.
pub(crate) fn denied_git(number: u32, repository: &str) -> Event {
    let mut event = denied(number, "github.com:443");
    event.action = Action::Git(GitRequest {
        destination: "github.com:443".parse().unwrap(),
        repo: RepoId::try_from(repository.to_owned()).unwrap(),
        operation: GitOperation::Discover {
            service: GitService::UploadPack,
        },
    });
    event
}

/// An attempt to connect, allowed.
pub(crate) fn allowed(number: u32, destination: &str) -> Event {
    let mut event = denied(number, destination);
    event.decision = Decision {
        effect: Effect::Allow,
        code: ReasonCode::Allowed,
        reason: "allowed by coding-agent/network/docs".to_owned(),
        rule: Some(RuleRef("coding-agent/network/docs".to_owned())),
        generation: Generation(1),
        next_step: None,
        credential: None,
        access: None,
    };
    event
}

/// An HTTP request inside the connection before it, allowed.
pub(crate) fn requested(number: u32, destination: &str) -> Event {
    let mut event = allowed(number, destination);
    event.parent = Some(event_id(number - 1));
    event.action = Action::Http(HttpRequest {
        destination: destination.parse().unwrap(),
        scheme: Scheme::Https,
        method: "GET".to_owned(),
        path: "/a/b".to_owned(),
        query: Some("c=d".to_owned()),
        headers: Vec::new(),
        content: None,
    });
    event
}

/// The end of an event, half a second after it.
pub(crate) fn closed(number: u32, outcome: Outcome) -> Closing {
    Closing {
        id: event_id(number),
        time: time(number) + SignedDuration::from_millis(500),
        outcome,
        detail: None,
        next_step: None,
        upstream: Some(Upstream {
            address: "192.0.2.1:443".parse().unwrap(),
            sni: Some("docs.test".to_owned()),
            alpn: vec!["h2".to_owned()],
        }),
        sent: 517,
        received: 4_096,
        duration_us: 500_000,
        scrubbed: 0,
        git: None,
        llm: None,
        mcp: None,
    }
}

pub(crate) fn notice(number: u32, kind: NoticeKind) -> Record {
    Record::Notice(Notice {
        time: time(number),
        run: run(1),
        sandbox: "0192f0c1-0000-7000-a000-000000000001".parse().unwrap(),
        agent: "coder".parse().unwrap(),
        kind,
    })
}

/// A run with one of everything.
pub(crate) fn story() -> Vec<Record> {
    vec![
        notice(
            0,
            NoticeKind::RunStarted {
                command: vec!["claude".to_owned(), "-p".to_owned()],
                profiles: vec!["coding-agent".to_owned()],
                directory: "/home/u/work".to_owned(),
                hosted_by: None,
            },
        ),
        Record::Opened(denied(1, "evil.test:443")),
        Record::Opened(allowed(2, "docs.test:443")),
        Record::Opened(requested(3, "docs.test:443")),
        Record::Closed(closed(3, Outcome::Status(200))),
        Record::Closed(closed(2, Outcome::Done)),
        Record::Opened(allowed(4, "docs.test:443")),
        Record::Closed(closed(4, Outcome::Refused(ReasonCode::SniMismatch))),
        Record::Opened(denied(5, "[2001:db8::1]:22")),
        notice(6, NoticeKind::RunEnded { exit_code: 3 }),
    ]
}

/// Writes the spool of a run that has ended.
pub(crate) fn spooled(data: &Path, run: RunId, records: &[Record]) {
    let spool = Spool::create(data, run).unwrap();
    for record in records {
        spool.append(record).unwrap();
    }
}

/// A store that has taken in the records as one run.
pub(crate) async fn store_of(data: &Path, records: &[Record]) -> Store {
    let store = Store::open(data).await.unwrap();
    spooled(data, run(1), records);
    store.ingest_spools().await.unwrap();
    store
}

/// The events that the filter lets through, as they are listed.
pub(crate) async fn events(store: &Store, filter: &Filter) -> Vec<StoredEvent> {
    let records = store.records(filter).await.unwrap();
    let event = |record| match record {
        StoredRecord::Event(event) => Some(*event),
        StoredRecord::Notice(_) => None,
    };
    records.into_iter().filter_map(event).collect()
}

/// The number of entries of a log that must be in good order.
pub(crate) async fn verified(store: &Store) -> u64 {
    match store.verify().await.unwrap() {
        Verification::Verified(verified) => verified.count,
        Verification::Broken(broken) => panic!("{broken:?}"),
    }
}
