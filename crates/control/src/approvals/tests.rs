use jiff::SignedDuration;
use ringfence_model::git::{GitOperation, RefChange, RefName, RefResult, RefUpdate};
use ringfence_model::{Closing, Decision, Event, Generation};
use tempfile::TempDir;

use super::*;

const OLD: &str = "1111111111111111111111111111111111111111";
const NEW: &str = "2222222222222222222222222222222222222222";
const OTHER: &str = "3333333333333333333333333333333333333333";
const HELD: Outcome = Outcome::Refused(ReasonCode::ApprovalNeeded);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A data directory, and what one run of the agent `coder` wrote into it.
struct World {
    data: TempDir,
    spool: Spool,
    identity: Identity,
    store: Store,
    start: Timestamp,
}

impl World {
    async fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let identity = Identity {
            agent: "coder".parse().unwrap(),
            workspace: "local".parse().unwrap(),
            run: RunId::new(),
            sandbox: SandboxId::new(),
        };
        Self {
            spool: Spool::create(data.path(), identity.run).unwrap(),
            store: Store::open(data.path()).await.unwrap(),
            data,
            identity,
            start: "2026-11-22T06:00:00Z".parse().unwrap(),
        }
    }

    fn minute(&self, minutes: i64) -> Timestamp {
        self.start + SignedDuration::from_mins(minutes)
    }

    /// A push of this commit that ended so.
    async fn pushed(&self, new: &str, minutes: i64, outcome: Outcome) -> EventId {
        let id = EventId::new();
        let time = self.minute(minutes);
        let opened = Event {
            id,
            parent: None,
            time,
            run: self.identity.run,
            sandbox: self.identity.sandbox,
            agent: self.identity.agent.clone(),
            workspace: self.identity.workspace.clone(),
            action: push(new),
            decision: Decision {
                effect: Effect::Allow,
                code: ReasonCode::Allowed,
                reason: "rule x allows it".to_owned(),
                rule: None,
                generation: Generation(1),
                next_step: None,
                credential: None,
                access: None,
            },
        };
        let refused = (outcome == Outcome::Status(200) && new == OTHER).then(|| "no".to_owned());
        let closed = Closing {
            id,
            time,
            outcome,
            detail: None,
            next_step: None,
            upstream: None,
            sent: 0,
            received: 0,
            duration_us: 1,
            scrubbed: 0,
            llm: None,
            mcp: None,
            git: Some(Box::new(GitFacts {
                commits: Some(3),
                updates: vec![RefResult {
                    name: RefName::new("refs/heads/agent/x").unwrap(),
                    change: RefChange::FastForward,
                    refused,
                }],
                ..GitFacts::default()
            })),
        };
        self.spool.append(&Record::Opened(opened)).unwrap();
        self.spool.append(&Record::Closed(closed)).unwrap();
        self.store.ingest_spools().await.unwrap();
        id
    }

    async fn held(&self, minutes: i64) -> Vec<HeldPush> {
        let now = self.minute(minutes);
        held(&self.store, self.data.path(), self.start, now)
            .await
            .unwrap()
    }

    async fn held_events(&self, minutes: i64) -> Vec<EventId> {
        let held = self.held(minutes).await;
        held.iter().map(|push| push.event).collect()
    }

    async fn find(&self, event: EventId) -> HeldPush {
        find(&self.store, event).await.unwrap()
    }

    /// Approves the push of `event` for an hour.
    async fn approve(&self, event: EventId, minutes: i64) {
        let now = self.minute(minutes);
        let push = self.find(event).await;
        approve(self.data.path(), &push, now + HOUR, now).unwrap();
    }

    fn said(&self, identity: &Identity, action: &Action, minutes: i64) -> Approval {
        let now = self.minute(minutes);
        LocalApprovals::new(self.data.path()).at(identity, action, now)
    }

    /// What people did, as it is on record.
    async fn notices(&self) -> Vec<NoticeKind> {
        self.store.ingest_spools().await.unwrap();
        let records = self.store.records(&Filter::default()).await.unwrap();
        let notice = |record| match record {
            StoredRecord::Notice(stored) => Some(stored.notice.kind),
            StoredRecord::Event(_) => None,
        };
        records.into_iter().filter_map(notice).collect()
    }
}

fn push(new: &str) -> Action {
    Action::Git(GitRequest {
        destination: "github.com:443".parse().unwrap(),
        repo: serde_json::from_str("\"github/acme/web\"").unwrap(),
        operation: GitOperation::Push {
            updates: vec![RefUpdate {
                name: RefName::new("refs/heads/agent/x").unwrap(),
                old: OLD.parse().unwrap(),
                new: new.parse().unwrap(),
                change: RefChange::Update,
            }],
            options: Vec::new(),
            atomic: false,
        },
    })
}

#[tokio::test]
async fn exactly_what_was_approved_passes_until_the_approval_ends() {
    let world = World::new().await;
    let event = world.pushed(NEW, 1, HELD).await;
    assert_eq!(
        world.said(&world.identity, &push(NEW), 1),
        Approval::Waiting
    );
    world.approve(event, 2).await;
    assert_eq!(
        world.said(&world.identity, &push(NEW), 3),
        Approval::Approved
    );
    assert_eq!(
        world.said(&world.identity, &push(NEW), 61),
        Approval::Approved
    );
    assert_eq!(
        world.said(&world.identity, &push(NEW), 62),
        Approval::Waiting
    );
    assert_eq!(
        world.said(&world.identity, &push(OTHER), 3),
        Approval::Waiting
    );
    let agent = "other".parse().unwrap();
    let other = Identity {
        agent,
        ..world.identity.clone()
    };
    assert_eq!(world.said(&other, &push(NEW), 3), Approval::Waiting);
    // Another run of the agent is the same agent.
    let later = Identity {
        run: RunId::new(),
        sandbox: SandboxId::new(),
        ..world.identity.clone()
    };
    assert_eq!(world.said(&later, &push(NEW), 3), Approval::Approved);
}

#[tokio::test]
async fn a_reply_is_on_record_and_the_last_one_counts() {
    let world = World::new().await;
    let event = world.pushed(NEW, 1, HELD).await;
    world.approve(event, 2).await;
    let found = world.find(event).await;
    reject(world.data.path(), &found, world.minute(3)).unwrap();
    assert_eq!(
        world.said(&world.identity, &push(NEW), 4),
        Approval::Rejected
    );
    world.approve(event, 5).await;
    assert_eq!(
        world.said(&world.identity, &push(NEW), 6),
        Approval::Approved
    );
    let (first, second) = (world.minute(62), world.minute(65));
    let expected = [
        NoticeKind::PushApproved {
            event,
            until: first,
        },
        NoticeKind::PushRejected { event },
        NoticeKind::PushApproved {
            event,
            until: second,
        },
    ];
    assert_eq!(world.notices().await, expected);
}

#[tokio::test]
async fn what_cannot_be_recorded_is_not_approved() {
    let world = World::new().await;
    let event = world.pushed(NEW, 1, HELD).await;
    let found = world.find(event).await;
    let (data, spools) = (world.data.path(), world.data.path().join("spool"));
    std::fs::rename(&spools, data.join("away")).unwrap();
    std::fs::write(&spools, "in the way").unwrap();
    let now = world.minute(2);
    let failed = approve(data, &found, now + HOUR, now).unwrap_err();
    assert!(matches!(failed, ReplyError::Record(_)), "{failed}");
    assert_eq!(
        world.said(&world.identity, &push(NEW), 3),
        Approval::Waiting
    );
    // To take it back needs no record to count.
    reject(data, &found, now).unwrap_err();
    assert_eq!(
        world.said(&world.identity, &push(NEW), 3),
        Approval::Rejected
    );
}

#[tokio::test]
async fn a_damaged_reply_approves_nothing() {
    let world = World::new().await;
    let event = world.pushed(NEW, 1, HELD).await;
    world.approve(event, 2).await;
    let folder = world.data.path().join("approvals");
    let file = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap();
    std::fs::write(file.path(), "{").unwrap();
    assert_eq!(
        world.said(&world.identity, &push(NEW), 3),
        Approval::Waiting
    );
}

#[tokio::test]
async fn a_push_is_listed_once_until_it_is_settled() {
    let world = World::new().await;
    world.pushed(NEW, 1, HELD).await;
    world
        .pushed(OTHER, 2, Outcome::Refused(ReasonCode::ContentRefused))
        .await;
    let again = world.pushed(NEW, 3, HELD).await;
    let other = world.pushed(OTHER, 4, HELD).await;
    assert_eq!(world.held_events(5).await, [other, again]);
    assert_eq!(world.held(5).await[0].facts.commits, Some(3));
    world.approve(again, 6).await;
    let rejected = world.find(other).await;
    reject(world.data.path(), &rejected, world.minute(7)).unwrap();
    let left = world.held(8).await;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].approved_until, Some(world.minute(66)));
    world.pushed(NEW, 9, Outcome::Status(200)).await;
    assert_eq!(world.held_events(10).await, []);
}

#[tokio::test]
async fn a_push_waits_again_when_it_is_tried_after_its_approval_or_was_not_taken() {
    let world = World::new().await;
    let first = world.pushed(NEW, 1, HELD).await;
    world.approve(first, 2).await;
    assert_eq!(world.held_events(70).await, []);
    let late = world.pushed(NEW, 80, HELD).await;
    assert_eq!(world.held_events(90).await, [late]);
    let refused = world.pushed(OTHER, 91, HELD).await;
    // The upstream answered, and said no.
    world.pushed(OTHER, 92, Outcome::Status(200)).await;
    assert_eq!(world.held_events(93).await, [refused, late]);
}

#[tokio::test]
async fn only_a_push_that_was_held_can_be_approved() {
    let world = World::new().await;
    let passed = world.pushed(NEW, 1, Outcome::Status(200)).await;
    let refused = world
        .pushed(NEW, 2, Outcome::Refused(ReasonCode::ContentRefused))
        .await;
    for event in [passed, refused] {
        let error = find(&world.store, event).await.unwrap_err();
        assert!(matches!(error, ReplyError::NotHeld(_)), "{error}");
    }
    let error = find(&world.store, EventId::new()).await.unwrap_err();
    assert!(matches!(error, ReplyError::Unknown(_)), "{error}");
}
