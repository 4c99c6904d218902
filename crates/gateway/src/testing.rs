//! What the tests of this crate share: an audit log in memory, a gateway with a policy, and
//! connected sockets.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use ringfence_model::{
    Action, Closing, Connect, Entry, Event, EventId, Generation, Notice, Record, RunId, SandboxId,
};
use ringfence_policy::{Profile, Snapshot};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::{
    Audit, AuditError, Config, Gateway, HostTarget, Identity, NoApprovals, NoBudgets,
    NoCredentials, NoHosted, NoPins, Permit, Ports, Session,
};

/// An audit log that can be told to fail.
#[derive(Default)]
pub(crate) struct Recorder {
    records: Mutex<Vec<Record>>,
    count: watch::Sender<usize>,
    failing: AtomicBool,
}

impl Recorder {
    pub(crate) fn fail(&self, failing: bool) {
        self.failing.store(failing, Ordering::SeqCst);
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        self.records.lock().unwrap().clone()
    }

    pub(crate) fn opened(&self) -> Vec<Event> {
        let event = |record| match record {
            Record::Opened(event) => Some(event),
            _ => None,
        };
        self.records().into_iter().filter_map(event).collect()
    }

    pub(crate) fn closing_of(&self, event: EventId) -> Option<Closing> {
        self.records().into_iter().find_map(|record| match record {
            Record::Closed(closing) if closing.id == event => Some(closing),
            _ => None,
        })
    }

    fn add(&self, record: Record) -> Result<(), AuditError> {
        if self.failing.load(Ordering::SeqCst) {
            return Err(AuditError {
                reason: "no space left".to_owned(),
            });
        }
        self.records.lock().unwrap().push(record);
        self.count.send_modify(|count| *count += 1);
        Ok(())
    }
}

impl Audit for Recorder {
    fn open(&self, event: &Event) -> Result<(), AuditError> {
        self.add(Record::Opened(event.clone()))
    }

    fn close(&self, closing: &Closing) -> Result<(), AuditError> {
        self.add(Record::Closed(closing.clone()))
    }

    fn notice(&self, notice: &Notice) -> Result<(), AuditError> {
        self.add(Record::Notice(notice.clone()))
    }
}

/// A gateway with all that a test wants to look at or turn.
pub(crate) struct Stack {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) session: Session,
    pub(crate) audit: Arc<Recorder>,
    policy: watch::Sender<Arc<Snapshot>>,
}

impl Stack {
    pub(crate) fn new(rules: &str) -> Self {
        Self::with(rules, Config::default())
    }

    pub(crate) fn with(rules: &str, config: Config) -> Self {
        let audit = Arc::new(Recorder::default());
        let policy = watch::Sender::new(Arc::new(snapshot(1, rules)));
        let credentials = Arc::new(NoCredentials::default());
        let gateway = Gateway::new(
            config,
            Ports {
                audit: audit.clone(),
                policy: policy.subscribe(),
                credentials,
                approvals: Arc::new(NoApprovals),
                budgets: Arc::new(NoBudgets),
                pins: Arc::new(NoPins),
                hosted: Arc::new(NoHosted),
            },
        )
        .unwrap();
        Self {
            gateway,
            session: Session::new(identity()),
            audit,
            policy,
        }
    }

    pub(crate) fn publish(&self, generation: u64, rules: &str) {
        self.policy
            .send_replace(Arc::new(snapshot(generation, rules)));
    }

    pub(crate) fn permit(&self, destination: &str) -> Permit {
        let action = connect_to(destination);
        self.gateway.decide(&self.session, action, None).unwrap()
    }
}

/// A snapshot of one profile with these rules.
pub(crate) fn snapshot(generation: u64, rules: &str) -> Snapshot {
    let text = format!("apiVersion: ringfence/v1\nkind: Profile\nname: test\nnetwork:\n{rules}\n");
    let profiles = Profile::parse("test", &text).unwrap();
    Snapshot::compile(Generation(generation), &profiles).unwrap()
}

pub(crate) fn identity() -> Identity {
    Identity {
        agent: "agent".parse().unwrap(),
        workspace: "default".parse().unwrap(),
        run: RunId::new(),
        sandbox: SandboxId::new(),
    }
}

pub(crate) fn connect_to(destination: &str) -> Action {
    Action::Connect(Connect {
        destination: destination.parse().unwrap(),
        entry: Entry::Transparent,
    })
}

/// A configuration whose host map leads the names to the addresses.
pub(crate) fn hosts(entries: &[(&str, SocketAddr)]) -> Config {
    let mut config = Config::default();
    for (name, address) in entries {
        let target = HostTarget {
            address: address.ip(),
            port: Some(address.port()),
        };
        config.dial.hosts.insert(name.parse().unwrap(), target);
    }
    config
}

pub(crate) async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// The two ends of one connection.
pub(crate) async fn pair() -> (TcpStream, TcpStream) {
    let (listener, address) = listener().await;
    let near = connect(address).await;
    let (far, _) = listener.accept().await.unwrap();
    (near, far)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the test plays the sandboxed client"
)]
pub(crate) async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}
