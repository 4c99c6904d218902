use jiff::SignedDuration;
use ringfence_gateway::{HeldCall as Call, Identity, Taken};
use ringfence_model::mcp::{McpFacts, McpHeld, McpVerb};
use ringfence_model::{Closing, Decision, Effect, Event, Generation, Record, RunId};
use ringfence_store::Spool;
use tempfile::TempDir;

use super::super::LocalApprovals;
use super::*;

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

    /// A call with parameters of this digest that ended so.
    async fn called(&self, digest: &str, minutes: i64, outcome: Outcome) -> EventId {
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
            action: Action::Mcp(Box::new(pay())),
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
        let held = McpHeld {
            digest: digest.to_owned(),
            call: "{}".to_owned(),
        };
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
            git: None,
            mcp: Some(Box::new(McpFacts {
                held: Some(held),
                ..McpFacts::default()
            })),
        };
        self.spool.append(&Record::Opened(opened)).unwrap();
        self.spool.append(&Record::Closed(closed)).unwrap();
        self.store.ingest_spools().await.unwrap();
        id
    }

    async fn held(&self, minutes: i64) -> Vec<(EventId, Option<Timestamp>)> {
        let now = self.minute(minutes);
        let held = held(&self.store, self.data.path(), self.start, now).await;
        let held = held.unwrap().into_iter();
        held.map(|call| (call.event, call.approved_until)).collect()
    }

    async fn find(&self, event: EventId) -> HeldCall {
        find(&self.store, event).await.unwrap()
    }

    /// Approves the call of `event` for an hour.
    async fn approve(&self, event: EventId, minutes: i64) -> Result<(), ReplyError> {
        let now = self.minute(minutes);
        approve(self.data.path(), &self.find(event).await, now + HOUR, now)
    }

    fn take(&self, minutes: i64, change: impl FnOnce(&mut Given)) -> Taken {
        let mut given = Given {
            identity: self.identity.clone(),
            request: pay(),
            digest: "a".to_owned(),
            generation: Generation(1),
        };
        change(&mut given);
        let call = Call {
            identity: &given.identity,
            request: &given.request,
            digest: &given.digest,
            generation: given.generation,
            event: EventId::new(),
        };
        LocalApprovals::new(self.data.path()).take_at(call, self.minute(minutes))
    }
}

/// What a call is known by.
struct Given {
    identity: Identity,
    request: McpRequest,
    digest: String,
    generation: Generation,
}

fn pay() -> McpRequest {
    McpRequest {
        destination: "mcp.bank.test:443".parse().unwrap(),
        server: "bank".parse().unwrap(),
        verb: McpVerb::CallTool,
        method: Some("tools/call".to_owned()),
        target: Some("pay".to_owned()),
        arguments: None,
        reads_only: None,
        path: "/mcp".to_owned(),
        version: None,
        octets: 1,
    }
}

#[tokio::test]
async fn what_was_approved_passes_once() {
    let world = World::new().await;
    let event = world.called("a", 1, HELD).await;
    assert_eq!(world.take(1, |_| {}), Taken::Waiting);
    world.approve(event, 2).await.unwrap();
    let Taken::Approved(approved) = world.take(3, |_| {}) else {
        panic!("it was approved");
    };
    assert_eq!((approved.event, approved.by), (event, user()));
    assert_eq!(world.take(3, |_| {}), Taken::Used);
    let again = world.approve(event, 4).await.unwrap_err();
    assert!(matches!(again, ReplyError::Used(_)), "{again}");
    // One more like it is another attempt.
    let next = world.called("a", 5, HELD).await;
    world.approve(next, 6).await.unwrap();
    assert!(matches!(world.take(7, |_| {}), Taken::Approved(it) if it.event == next));
}

#[tokio::test]
async fn whatever_differs_is_another_call() {
    let world = World::new().await;
    let event = world.called("a", 1, HELD).await;
    world.approve(event, 2).await.unwrap();
    let others: [fn(&mut Given); 9] = [
        |it| it.identity.agent = "other".parse().unwrap(),
        |it| it.identity.workspace = "other".parse().unwrap(),
        |it| it.identity.sandbox = SandboxId::new(),
        |it| it.digest = "b".to_owned(),
        |it| it.generation = Generation(2),
        |it| it.request.server = "other".parse().unwrap(),
        |it| it.request.destination = "mcp.bank.test:8443".parse().unwrap(),
        |it| it.request.path = "/other".to_owned(),
        |it| it.request.target = Some("refund".to_owned()),
    ];
    for (position, other) in others.into_iter().enumerate() {
        assert_eq!(world.take(3, other), Taken::Waiting, "{position}");
    }
    assert_eq!(world.take(62, |_| {}), Taken::Waiting, "it is over");
    assert!(matches!(world.take(61, |_| {}), Taken::Approved(_)));
}

#[tokio::test]
async fn what_cannot_be_kept_to_be_used_does_not_count() {
    let world = World::new().await;
    let event = world.called("a", 1, HELD).await;
    world.approve(event, 2).await.unwrap();
    let folder = world.data.path().join("approvals");
    // Where the new reply is written before it takes the place of the one before.
    for file in std::fs::read_dir(&folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|it| it == "json") {
            std::fs::create_dir_all(path.with_extension("unfinished").join("x")).unwrap();
        }
    }
    assert_eq!(world.take(3, |_| {}), Taken::Waiting);
}

#[tokio::test]
async fn the_last_that_a_person_says_counts() {
    let world = World::new().await;
    let event = world.called("a", 1, HELD).await;
    world.approve(event, 2).await.unwrap();
    let call = world.find(event).await;
    reject(world.data.path(), &call, world.minute(3)).unwrap();
    assert_eq!(world.take(4, |_| {}), Taken::Rejected);
    world.approve(event, 5).await.unwrap();
    assert!(matches!(world.take(6, |_| {}), Taken::Approved(_)));
}

#[tokio::test]
async fn a_call_is_listed_once_until_it_is_settled() {
    let world = World::new().await;
    world.called("a", 1, HELD).await;
    let again = world.called("a", 2, HELD).await;
    let other = world.called("b", 3, HELD).await;
    let passed = world.called("c", 4, Outcome::Status(200)).await;
    let error = find(&world.store, passed).await.unwrap_err();
    assert!(matches!(error, ReplyError::NotHeld(_)), "{error}");
    assert_eq!(world.held(5).await, [(other, None), (again, None)]);
    world.approve(again, 6).await.unwrap();
    let rejected = world.find(other).await;
    reject(world.data.path(), &rejected, world.minute(7)).unwrap();
    let until = Some(world.minute(66));
    assert_eq!(world.held(8).await, [(again, until)]);
    world.take(9, |_| {});
    assert_eq!(world.held(10).await, []);
    let late = world.called("a", 11, HELD).await;
    assert_eq!(world.held(12).await, [(late, None)]);
}
