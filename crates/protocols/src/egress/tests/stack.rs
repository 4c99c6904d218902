//! The harness: a gateway in this process, an audit log in memory, agents and upstreams.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ringfence_gateway::intercept::Authority;
use ringfence_gateway::{
    Admission, Arrival, Audit, AuditError, Buffered, Config, Gateway, Handler, HostTarget,
    Identity, Incoming, NoApprovals, NoBudgets, NoCredentials, NoHosted, NoPins, Ports, Session,
};
use ringfence_model::{
    Closing, Entry, Event, EventId, Generation, Notice, NoticeKind, Outcome, Record, RunId,
    SandboxId,
};
use ringfence_policy::{Profile, Snapshot};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use crate::api::body::Reader;
use crate::egress::{Egress, Flow, carry, proxy};

/// The audit log; its length is watched, so that tests wait for records and not for time.
#[derive(Default)]
struct Recorder {
    records: Mutex<Vec<Record>>,
    length: watch::Sender<usize>,
}

impl Recorder {
    fn add(&self, record: Record) -> Result<(), AuditError> {
        self.records.lock().unwrap().push(record);
        self.length.send_modify(|length| *length += 1);
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

/// One sandbox's gateway.
pub(crate) struct Stack {
    gateway: Arc<Gateway>,
    session: Arc<Session>,
    audit: Arc<Recorder>,
    policy: watch::Sender<Arc<Snapshot>>,
    connections: TaskTracker,
}

impl Stack {
    /// A gateway with these rules, in which every name below leads to its address.
    pub(crate) fn new(rules: &str, hosts: &[(&str, SocketAddr)]) -> Self {
        let mut config = Config::default();
        for (name, address) in hosts {
            let target = HostTarget {
                address: address.ip(),
                port: Some(address.port()),
            };
            config.dial.hosts.insert(name.parse().unwrap(), target);
        }
        Self::with(rules, config)
    }

    pub(super) fn with(rules: &str, config: Config) -> Self {
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
        let session = Arc::new(Session::new(Identity {
            agent: "agent".parse().unwrap(),
            workspace: "default".parse().unwrap(),
            run: RunId::new(),
            sandbox: SandboxId::new(),
        }));
        Self {
            gateway,
            session,
            audit,
            policy,
            connections: TaskTracker::new(),
        }
    }

    /// Its clients are there to trust an authority of the sandbox.
    pub(super) fn with_authority(self) -> Self {
        let admission = Admission {
            authority: Some(Arc::new(Authority::new().unwrap())),
            ..Admission::from(self.session.identity().clone())
        };
        Self {
            session: Arc::new(Session::new(admission)),
            ..self
        }
    }

    /// What reads the bodies of its requests.
    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader {
            gateway: &self.gateway,
            session: &self.session,
            wait: Duration::from_secs(9),
        }
    }

    pub(super) fn publish(&self, generation: u64, rules: &str) {
        self.policy
            .send_replace(Arc::new(snapshot(generation, rules)));
    }

    /// An agent's connection that was captured on its way to `destination`.
    pub(super) async fn captured(&self, destination: &str) -> TcpStream {
        self.arrive(Arrival::Captured(destination.parse().unwrap()), false)
            .await
    }

    /// An agent's connection to the explicit proxy.
    pub(super) async fn proxy(&self) -> TcpStream {
        self.arrive(Arrival::Proxy, false).await
    }

    pub(super) async fn arrive(&self, arrival: Arrival, over_limit: bool) -> TcpStream {
        let (listener, address) = listen().await;
        let agent = connect(address).await;
        let (client, _) = listener.accept().await.unwrap();
        let incoming = Incoming {
            client: Buffered::new(client),
            arrival,
            over_limit,
        };
        let (gateway, session) = (Arc::clone(&self.gateway), Arc::clone(&self.session));
        self.connections.spawn(async move {
            Egress.handle(&gateway, &session, incoming).await;
        });
        agent
    }

    /// The sizes of what serves one client of the proxy, around its tunnel.
    pub(super) async fn cost_of_a_client(&self, destination: &str) -> [usize; 2] {
        let (listener, address) = listen().await;
        let (client, other) = tokio::join!(connect(address), connect(address));
        let flow = Flow {
            gateway: &self.gateway,
            session: &self.session,
            over_limit: false,
        };
        let permit = flow
            .connect(destination.parse().unwrap(), Entry::HttpConnect)
            .unwrap();
        drop(listener);
        [
            size_of_val(&proxy::serve(flow, Buffered::new(client))),
            size_of_val(&carry::carry(flow, Buffered::new(other), permit, None)),
        ]
    }

    /// Waits until every connection is over, and returns what was recorded, action by action.
    pub(super) async fn story(&self) -> Vec<String> {
        self.connections.close();
        self.connections.wait().await;
        self.connections.reopen();
        let records = self.audit.records.lock().unwrap().clone();
        let opened = records.iter().filter_map(|record| match record {
            Record::Opened(event) => Some(event),
            _ => None,
        });
        opened.map(|event| tell(event, &records)).collect()
    }

    /// Waits for the closing of the event that `tried` names.
    pub(super) async fn closing(&self, tried: &str) -> Closing {
        let mut length = self.audit.length.subscribe();
        loop {
            length.borrow_and_update();
            if let Some(closing) = self.find(tried) {
                return closing;
            }
            length.changed().await.unwrap();
        }
    }

    pub(super) fn events(&self) -> Vec<Event> {
        let records = self.audit.records.lock().unwrap();
        let event = |record: &Record| match record {
            Record::Opened(event) => Some(event.clone()),
            _ => None,
        };
        records.iter().filter_map(event).collect()
    }

    /// The findings so far.
    pub(super) fn findings(&self) -> Vec<String> {
        let records = self.audit.records.lock().unwrap();
        let finding = |record: &Record| match record {
            Record::Notice(notice) => match &notice.kind {
                NoticeKind::Finding { code, detail } => Some(format!("{code}: {detail}")),
                _ => None,
            },
            _ => None,
        };
        records.iter().filter_map(finding).collect()
    }

    fn find(&self, tried: &str) -> Option<Closing> {
        let event = self
            .events()
            .into_iter()
            .find(|event| event.action.to_string() == tried)?;
        let records = self.audit.records.lock().unwrap();
        closing_of(event.id, &records).cloned()
    }
}

/// `connect api.test:443: allow, done` and the like.
fn tell(event: &Event, records: &[Record]) -> String {
    let decision = match event.decision.is_allow() {
        true => "allow".to_owned(),
        false => event.decision.code.to_string(),
    };
    let end = closing_of(event.id, records).map_or(String::new(), |closing| {
        format!(", {}", outcome(closing.outcome))
    });
    format!("{}: {decision}{end}", event.action)
}

fn closing_of(event: EventId, records: &[Record]) -> Option<&Closing> {
    records.iter().find_map(|record| match record {
        Record::Closed(closing) if closing.id == event => Some(closing),
        _ => None,
    })
}

fn outcome(outcome: Outcome) -> String {
    match outcome {
        Outcome::Status(status) => status.to_string(),
        Outcome::Refused(code) => format!("refused {code}"),
        other => format!("{other:?}").to_lowercase(),
    }
}

fn snapshot(generation: u64, rules: &str) -> Snapshot {
    let text = format!("apiVersion: ringfence/v1\nkind: Profile\nname: test\nnetwork:\n{rules}\n");
    let profiles = Profile::parse("test", &text).unwrap();
    Snapshot::compile(Generation(generation), &profiles).unwrap()
}

pub(super) async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// The next connection of an upstream.
pub(super) async fn accept(listener: &TcpListener) -> TcpStream {
    listener.accept().await.unwrap().0
}

/// Whether nobody has connected to the upstream, once all connections of a stack are over.
pub(super) fn untouched(listener: TcpListener) -> bool {
    let listener = listener.into_std().unwrap();
    let error = listener.accept().map(|_| ()).unwrap_err();
    error.kind() == std::io::ErrorKind::WouldBlock
}

#[expect(
    clippy::disallowed_methods,
    reason = "the test plays the sandboxed client"
)]
async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}

pub(super) async fn say(stream: &mut TcpStream, text: impl AsRef<[u8]>) {
    stream.write_all(text.as_ref()).await.unwrap();
}

/// All until the other side closes.
pub(super) async fn hear_all(stream: &mut TcpStream) -> String {
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard).await.unwrap();
    String::from_utf8_lossy(&heard).into_owned()
}

/// All up to and including `end`.
pub(super) async fn hear_until(stream: &mut TcpStream, end: &str) -> String {
    let mut heard = Vec::new();
    while !heard.ends_with(end.as_bytes()) {
        let octet = stream.read_u8().await;
        heard.push(octet.unwrap_or_else(|_| panic!("heard only {}", heard.escape_ascii())));
    }
    String::from_utf8(heard).unwrap()
}

/// Exactly so many octets.
pub(super) async fn hear(stream: &mut TcpStream, octets: usize) -> Vec<u8> {
    let mut heard = vec![0; octets];
    stream.read_exact(&mut heard).await.unwrap();
    heard
}

/// A ClientHello of TLS 1.2 or later with these extensions, which no server can go on with.
pub(super) fn hello(sni: Option<&str>, ech: bool) -> Vec<u8> {
    hello_with(Vec::new(), sni, ech)
}

/// A ClientHello of TLS 1.3 that a server can go on with.
pub(super) fn whole_hello(sni: &str) -> Vec<u8> {
    let extension = |kind: u8, content: &[u8]| [&[0, kind][..], &vector16(content)].concat();
    let mut point = [0; 32];
    point[0] = 9;
    let share = [&[0, 0x1d][..], &vector16(&point)].concat();
    let extensions = [
        extension(10, &vector16(&[0, 0x1d])),
        extension(13, &vector16(&[4, 3])),
        extension(43, &[2, 3, 4]),
        extension(51, &vector16(&share)),
    ];
    hello_with(extensions.concat(), Some(sni), false)
}

fn hello_with(mut extensions: Vec<u8>, sni: Option<&str>, ech: bool) -> Vec<u8> {
    if let Some(name) = sni {
        let name = vector16(&[&[0][..], &vector16(name.as_bytes())].concat());
        extensions.extend([&[0, 0][..], &vector16(&name)].concat());
    }
    if ech {
        extensions.extend([&[0xfe, 0x0d][..], &vector16(&[0; 8])].concat());
    }
    let alpn = vector16(b"\x08http/1.1");
    extensions.extend([&[0, 16][..], &vector16(&alpn)].concat());
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.push(0);
    body.extend(vector16(&[0x13, 0x01]));
    body.extend([1, 0]);
    body.extend(vector16(&extensions));
    let mut message = vec![1, 0];
    message.extend(vector16(&body));
    [&[0x16, 3, 1][..], &vector16(&message)].concat()
}

fn vector16(octets: &[u8]) -> Vec<u8> {
    let length = u16::try_from(octets.len()).unwrap();
    [&length.to_be_bytes()[..], octets].concat()
}
