use std::sync::atomic::AtomicU16;
use std::time::{Duration as StdDuration, Instant as StdInstant};

use jiff::Timestamp;
use ringfence_gateway::Config;
use ringfence_model::{
    Action, Connect, Decision, Effect, Entry, Event, EventId, Generation, Notice, NoticeKind,
    ReasonCode, RunId, SandboxId,
};
use ringfence_testkit::http::{Answer, HttpUpstream};
use ringfence_testkit::poll;
use ringfence_testkit::tcp::TcpServer;

use super::*;
use crate::traces::{Collector, Protocol, TraceConfig};

/// A collector that answers with the status that is set.
struct Receiver {
    upstream: HttpUpstream,
    status: Arc<AtomicU16>,
}

impl Receiver {
    fn start() -> Self {
        let status = Arc::new(AtomicU16::new(200));
        let answered = Arc::clone(&status);
        let upstream = HttpUpstream::start(move |_| {
            let status = answered.load(Ordering::Relaxed);
            let head = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n");
            Answer::SendAndClose(head.into_bytes())
        });
        Self {
            upstream: upstream.unwrap(),
            status,
        }
    }

    fn exporter(&self) -> Exporter {
        let address = format!("http://{}", self.upstream.address());
        Exporter::start(async move {
            let collector = Collector::at(&address, Protocol::Http);
            let collector = collector.map_err(|error| error.to_string())?;
            Sender::new(&Config::default(), collector).map_err(|error| error.to_string())
        })
        .unwrap()
    }

    fn requests(&self) -> Vec<String> {
        let requests = self.upstream.requests();
        let text = |octets: Vec<u8>| String::from_utf8_lossy(&octets).into_owned();
        requests.into_iter().map(text).collect()
    }
}

fn notice(run: RunId, kind: NoticeKind) -> Record {
    Record::Notice(Notice {
        time: Timestamp::now(),
        run,
        sandbox: SandboxId::new(),
        agent: "coder".parse().unwrap(),
        kind,
    })
}

fn ended(run: RunId) -> Record {
    notice(run, NoticeKind::RunEnded { exit_code: 0 })
}

#[test]
fn a_run_that_ends_sends_the_rest() {
    let receiver = Receiver::start();
    let exporter = receiver.exporter();
    exporter.tee().offer(&ended(RunId::new()));
    let report = exporter.finish();
    assert_eq!((report.sent, report.is_whole()), (1, true), "{report:?}");
    let requests = receiver.requests();
    assert!(
        requests[0].starts_with("POST /v1/traces HTTP/1.1\r\n"),
        "{requests:?}"
    );
    assert!(requests[0].contains("content-type: application/x-protobuf\r\n"));
    assert!(requests[0].contains("run coder"));
}

#[test]
fn a_collector_that_comes_back_gets_what_waited() {
    let receiver = Receiver::start();
    receiver.status.store(503, Ordering::Relaxed);
    let exporter = receiver.exporter();
    exporter.tee().offer(&ended(RunId::new()));
    let status = Arc::clone(&receiver.status);
    let finishing = thread::spawn(move || exporter.finish());
    poll::until_true("a try", || !receiver.requests().is_empty()).unwrap();
    status.store(200, Ordering::Relaxed);
    let report = finishing.join().unwrap();
    assert_eq!((report.sent, report.unsent), (1, 0), "{report:?}");
}

#[test]
fn a_run_waits_for_its_collector_for_a_few_seconds_only() {
    let receiver = Receiver::start();
    receiver.status.store(503, Ordering::Relaxed);
    let exporter = receiver.exporter();
    exporter.tee().offer(&ended(RunId::new()));
    let started = StdInstant::now();
    let report = exporter.finish();
    assert!(started.elapsed() < FLUSH + StdDuration::from_secs(2));
    assert_eq!((report.sent, report.unsent), (0, 1));
    assert!(report.why.unwrap().ends_with("answered 503"));
}

#[test]
fn what_a_collector_refuses_for_good_is_not_owed() {
    let receiver = Receiver::start();
    receiver.status.store(400, Ordering::Relaxed);
    let exporter = receiver.exporter();
    exporter.tee().offer(&ended(RunId::new()));
    let report = exporter.finish();
    assert_eq!(
        (report.rejected, report.is_whole()),
        (1, true),
        "{report:?}"
    );
    assert_eq!(receiver.requests().len(), 1);
}

#[test]
fn records_never_wait_and_those_without_room_are_counted() {
    // Nothing is made before this lets go, so that nothing is taken from the queue.
    let (go, waits) = oneshot::channel::<()>();
    let exporter = Exporter::start(async move {
        let _ = waits.await;
        Err("no collector".to_owned())
    })
    .unwrap();
    let tee = exporter.tee();
    let run = RunId::new();
    for _ in 0..QUEUE_RECORDS + 7 {
        let layer = "landlock".to_owned();
        tee.offer(&notice(run, NoticeKind::LayerOff { layer }));
    }
    go.send(()).unwrap();
    let report = exporter.finish();
    assert_eq!((report.missed, report.is_whole()), (7, false));
    assert_eq!(
        (report.unsent, report.why.as_deref()),
        (1, Some("no collector"))
    );
}

#[test]
fn metrics_go_to_a_collector_that_is_to_have_them() {
    let receiver = Receiver::start();
    let endpoint = format!("http://{}", receiver.upstream.address());
    let config = TraceConfig {
        endpoint: Some(endpoint.try_into().unwrap()),
        metrics: true,
        ..TraceConfig::default()
    };
    let exporter = Exporter::start(async move {
        let collector = config
            .collector()
            .await
            .map_err(|error| error.to_string())?;
        Sender::new(&Config::default(), collector.unwrap()).map_err(|error| error.to_string())
    })
    .unwrap();
    let run = RunId::new();
    exporter.tee().offer(&Record::Opened(denied(run)));
    exporter.tee().offer(&ended(run));
    let report = exporter.finish();
    assert_eq!((report.sent, report.unmetered.as_deref()), (2, None));
    let requests = receiver.requests();
    assert_eq!(requests.len(), 2, "{requests:?}");
    assert!(requests[0].starts_with("POST /v1/metrics HTTP/1.1\r\n"));
    assert!(requests[0].contains("ringfence.actions"));
    assert!(requests[1].starts_with("POST /v1/traces HTTP/1.1\r\n"));
}

fn denied(run: RunId) -> Event {
    Event {
        id: EventId::new(),
        parent: None,
        time: Timestamp::now(),
        run,
        sandbox: SandboxId::new(),
        agent: "coder".parse().unwrap(),
        workspace: "local".parse().unwrap(),
        action: Action::Connect(Connect {
            destination: "evil.test:443".parse().unwrap(),
            entry: Entry::Transparent,
        }),
        decision: Decision {
            effect: Effect::Deny,
            code: ReasonCode::NoRule,
            reason: "no rule".to_owned(),
            rule: None,
            generation: Generation(1),
            next_step: None,
            credential: None,
            access: None,
        },
    }
}

/// A collector that takes connections and never says anything.
fn silent() -> TcpServer {
    let address = "127.0.0.1:0".parse().unwrap();
    let silent = TcpServer::start(address, |connection| {
        while connection.read()?.is_some() {}
        Ok(())
    });
    silent.unwrap()
}

#[test]
fn a_run_waits_no_longer_for_a_collector_that_never_answers() {
    let silent = silent();
    let endpoint = format!("http://{}", silent.address());
    let config = TraceConfig {
        endpoint: Some(endpoint.try_into().unwrap()),
        metrics: true,
        ..TraceConfig::default()
    };
    let exporter = Exporter::start(async move {
        let collector = config.collector().await.unwrap().unwrap();
        Sender::new(&Config::default(), collector).map_err(|error| error.to_string())
    })
    .unwrap();
    let (tee, run) = (exporter.tee(), RunId::new());
    tee.offer(&Record::Opened(denied(run)));
    // A request is under way when the run ends, so that everything has to wait for it.
    silent.wait_for(b"POST /v1/traces").unwrap();
    tee.offer(&Record::Opened(denied(run)));
    tee.offer(&ended(run));
    let started = StdInstant::now();
    let report = exporter.finish();
    let took = started.elapsed();
    assert!(took < FLUSH + StdDuration::from_secs(1), "{took:?}");
    assert_eq!((report.sent, report.unsent), (0, 3), "{report:?}");
    assert!(report.unmetered.is_some());
}

#[test]
fn metrics_that_nobody_takes_leave_time_for_spans() {
    let collector = HttpUpstream::start(|request| {
        if request.starts_with(b"POST /v1/metrics") {
            thread::sleep(FLUSH + StdDuration::from_secs(1));
        }
        Answer::SendAndClose(b"HTTP/1.1 200 x\r\ncontent-length: 0\r\n\r\n".to_vec())
    })
    .unwrap();
    let endpoint = format!("http://{}", collector.address());
    let config = TraceConfig {
        endpoint: Some(endpoint.try_into().unwrap()),
        metrics: true,
        ..TraceConfig::default()
    };
    let exporter = Exporter::start(async move {
        let collector = config.collector().await.unwrap().unwrap();
        Sender::new(&Config::default(), collector).map_err(|error| error.to_string())
    })
    .unwrap();
    let run = RunId::new();
    exporter.tee().offer(&Record::Opened(denied(run)));
    exporter.tee().offer(&ended(run));
    let report = exporter.finish();
    assert_eq!((report.sent, report.unsent), (2, 0), "{report:?}");
    assert!(
        report
            .unmetered
            .unwrap()
            .ends_with("did not answer in time")
    );
}

#[test]
fn a_collector_that_wants_no_pause_is_not_asked_all_the_time() {
    let collector =
        HttpUpstream::once(b"HTTP/1.1 503 x\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n")
            .unwrap();
    let address = format!("http://{}", collector.address());
    let exporter = Exporter::start(async move {
        let collector = Collector::at(&address, Protocol::Http).unwrap();
        Sender::new(&Config::default(), collector).map_err(|error| error.to_string())
    })
    .unwrap();
    exporter.tee().offer(&ended(RunId::new()));
    let report = exporter.finish();
    assert_eq!(report.unsent, 1);
    let tries = collector.requests().len();
    assert!((2..=7).contains(&tries), "{tries}");
}
