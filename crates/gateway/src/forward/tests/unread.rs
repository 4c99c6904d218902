//! Clients that take nothing of a response. The library in front of them does not look at its body
//! then, and what the response rests on counts all the same.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Empty, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use ringfence_model::{Action, Closing};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::task::TaskTracker;

use super::upstream::{Ca, Reply, Seen, Speaks, Upstream, reply};
use super::world::{WITH_GITHUB, World};
use crate::http::{RequestBody, ResponseBody, full};
use crate::intercept::tests::{client_config, connect};
use crate::intercept::{Authority, Opened, Service, accept, plain};
use crate::stream::Buffered;
use crate::testing::{connect_to, pair};
use crate::wire::http::HttpError;
use crate::{Session, UpstreamPool};

/// How long is waited for a change to be felt. It takes a fraction of that.
const PATIENCE: Duration = Duration::from_secs(2);

/// Answers without an end, but for `/short`, and knows what became of its answers.
#[derive(Clone, Default)]
struct Flood {
    frames: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
}

/// One answer that is being sent.
struct Answering(Arc<AtomicUsize>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Flood {
    async fn start(&self, ca: &Ca, speaks: Speaks) -> Upstream {
        let flood = self.clone();
        Upstream::start(ca, speaks, move |seen| flood.clone().reply(seen)).await
    }

    async fn reply(self, seen: Seen) -> Reply {
        if seen.target == "/short" {
            return reply("short");
        }
        self.open.fetch_add(1, Ordering::SeqCst);
        let answering = Answering(self.open);
        let frames = futures_util::stream::repeat_with(move || {
            let _ = &answering;
            self.frames.fetch_add(1, Ordering::SeqCst);
            Ok::<_, Infallible>(Frame::data(Bytes::from_static(&[b'.'; 8192])))
        });
        Response::new(StreamBody::new(frames).boxed())
    }

    /// Waits until nothing takes any more of an answer.
    async fn stuck(&self) {
        loop {
            let before = self.frames.load(Ordering::SeqCst);
            sleep(Duration::from_millis(200)).await;
            if before > 0 && before == self.frames.load(Ordering::SeqCst) {
                return;
            }
        }
    }

    /// Waits until all answers were given up.
    async fn given_up(&self) {
        while self.open.load(Ordering::SeqCst) > 0 {
            sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Forwards what one client asks for.
struct Forwarding {
    world: Arc<World>,
    pool: Arc<UpstreamPool>,
}

impl Service for Forwarding {
    async fn call(&self, request: Request<RequestBody>) -> Response<ResponseBody> {
        let (mut head, body) = request.into_parts();
        head.uri = format!("https://api.test{}", head.uri).parse().unwrap();
        let request = Request::from_parts(head, body);
        let (gateway, session) = (&self.world.gateway, &self.world.session);
        let permit = self.world.permit(&request);
        let forwarded = gateway.forward(session, &self.pool, permit, request).await;
        forwarded.unwrap_or_else(|stopped| Response::new(full(format!("{stopped:?}"))))
    }

    fn refuse(&self, error: HttpError) -> Response<ResponseBody> {
        Response::new(full(error.to_string()))
    }
}

/// Serves a client as an intercepted one.
fn attend(world: &Arc<World>, client: Opened) -> JoinSet<()> {
    let session: &Session = &world.session;
    let permit = world
        .gateway
        .decide(session, connect_to("api.test:443"), None)
        .unwrap();
    let (pool, upstreams) = UpstreamPool::new(&permit);
    let world = Arc::clone(world);
    let service = Arc::new(Forwarding {
        world: Arc::clone(&world),
        pool,
    });
    JoinSet::from_iter([async move {
        let gateway = &world.gateway;
        let ending = gateway.attend(&permit, client, service, upstreams).await;
        let _ = ending.settle(permit);
    }])
}

async fn http1(world: &Arc<World>) -> (TcpStream, JoinSet<()>) {
    let (client, server) = pair().await;
    let place = "api.test:443".parse().unwrap();
    let serving = attend(world, plain(Buffered::new(server), &place));
    (client, serving)
}

async fn http2(world: &Arc<World>) -> (SendRequest<Empty<Bytes>>, JoinSet<()>) {
    let (client, server) = pair().await;
    let authority = Authority::new().unwrap();
    let config = client_config(&authority, &["h2"]);
    let place = "api.test:443".parse().unwrap();
    let host = &"api.test".parse().unwrap();
    let accepting = accept(&authority, Buffered::new(server), host, &place, PATIENCE);
    let (opened, stream) = tokio::join!(accepting, connect(config, "api.test", client));
    let serving = attend(world, opened.unwrap());
    let io = TokioIo::new(stream.unwrap());
    let (sender, connection) = handshake(TokioExecutor::new(), io).await.unwrap();
    TaskTracker::new().spawn(connection);
    (sender, serving)
}

async fn ask(sender: &mut SendRequest<Empty<Bytes>>, path: &str) -> Response<Incoming> {
    let asked = Request::get(format!("https://api.test{path}")).body(Empty::new());
    sender.send_request(asked.unwrap()).await.unwrap()
}

/// The end of the first request; nobody does anything until then.
async fn closing(world: &World) -> Closing {
    let opened = world.audit.opened();
    let is_request = |action: &Action| matches!(action, Action::Http(_));
    let request = opened.iter().find(|event| is_request(&event.action));
    let event = request.unwrap().id;
    let closed = async {
        loop {
            if let Some(closing) = world.audit.closing_of(event) {
                return closing;
            }
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, closed).await.unwrap()
}

/// What takes a response back, and leaves the connection of the client.
const CHANGES: [fn(&World); 3] = [
    |world| world.vault.revoke("github"),
    |world| world.tokens.replace(Vec::new()),
    |world| {
        let rules = WITH_GITHUB.replace("credential: github", "credential: other");
        world.publish(2, &rules);
    },
];

/// Half a minute of the tests' patience would not do: the response is cut by what takes it back.
async fn is_cut(world: &World, flood: &Flood) {
    let closing = closing(world).await;
    assert_eq!(format!("{:?}", closing.outcome), "Refused(Revoked)");
    timeout(PATIENCE, flood.given_up()).await.unwrap();
}

#[tokio::test]
async fn a_response_that_an_http1_client_does_not_read_is_cut() {
    let ca = Ca::new();
    for speaks in [Speaks::Http1, Speaks::Http2] {
        for change in CHANGES {
            let flood = Flood::default();
            let upstream = flood.start(&ca, speaks).await;
            let world = Arc::new(World::new(&ca, &upstream, WITH_GITHUB));
            let token = world.issue(&["github"]);
            let (mut client, mut serving) = http1(&world).await;
            let asked = format!(
                "GET /flood HTTP/1.1\r\nHost: api.test:443\r\nAuthorization: Bearer {token}\r\n\r\n"
            );
            client.write_all(asked.as_bytes()).await.unwrap();
            client.read_u8().await.unwrap();
            flood.stuck().await;
            change(&world);
            is_cut(&world, &flood).await;
            timeout(PATIENCE, serving.join_next()).await.unwrap();
            // What was on its way arrives, and does not look like the whole answer.
            let mut rest = Vec::new();
            let _ = client.read_to_end(&mut rest).await;
            assert!(!rest.ends_with(b"\r\n0\r\n\r\n"));
        }
    }
}

#[tokio::test]
async fn a_response_that_an_http2_client_does_not_read_is_cut_and_its_connection_is_not() {
    let ca = Ca::new();
    for change in [CHANGES[0], CHANGES[2]] {
        let flood = Flood::default();
        let upstream = flood.start(&ca, Speaks::Http1).await;
        let world = Arc::new(World::new(&ca, &upstream, WITH_GITHUB));
        let (mut sender, _serving) = http2(&world).await;
        let mut unread = ask(&mut sender, "/flood").await.into_body();
        flood.stuck().await;
        change(&world);
        is_cut(&world, &flood).await;
        let other = ask(&mut sender, "/short").await.into_body();
        other.collect().await.unwrap();
        let mut read = timeout(PATIENCE, unread.frame()).await.unwrap();
        while let Some(Ok(_)) = read {
            read = timeout(PATIENCE, unread.frame()).await.unwrap();
        }
        let error = read.unwrap().unwrap_err();
        assert!(format!("{error:?}").contains("Reset"), "{error:?}");
    }
}

#[tokio::test]
async fn a_response_that_is_read_slowly_arrives_whole() {
    let ca = Ca::new();
    let upstream = Upstream::start(&ca, Speaks::Http1, |_| async {
        reply(Bytes::from(vec![b'.'; 16 * 1024 * 1024]))
    })
    .await;
    let world = Arc::new(World::new(&ca, &upstream, WITH_GITHUB));
    let (mut client, _serving) = http1(&world).await;
    let asked = "GET /x HTTP/1.1\r\nHost: api.test:443\r\nConnection: close\r\n\r\n";
    client.write_all(asked.as_bytes()).await.unwrap();
    // A change that concerns others while nobody reads.
    sleep(Duration::from_millis(300)).await;
    world.publish(2, &WITH_GITHUB.replace("id: all", "id: renamed"));
    sleep(Duration::from_millis(100)).await;
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    let body = rest.iter().filter(|octet| **octet == b'.').count();
    assert!(body >= 16 * 1024 * 1024, "{body}");
    assert_eq!(
        format!("{:?}", closing(&world).await.outcome),
        "Status(200)"
    );
}

#[tokio::test]
async fn an_intercepted_connection_records_what_its_client_moved_and_where_to() {
    let ca = Ca::new();
    let upstream = Upstream::start(&ca, Speaks::Http1, |_| async { reply("short") }).await;
    let world = Arc::new(World::new(&ca, &upstream, WITH_GITHUB));
    let (mut client, mut serving) = http1(&world).await;
    let asked = "GET /x HTTP/1.1\r\nHost: api.test:443\r\n\r\n";
    let mut heard = Vec::new();
    for _ in 0..2 {
        client.write_all(asked.as_bytes()).await.unwrap();
        let before = heard.len();
        while !heard[before..].ends_with(b"short") && !heard[before..].ends_with(b"0\r\n\r\n") {
            heard.push(client.read_u8().await.unwrap());
        }
    }
    client.shutdown().await.unwrap();
    client.read_to_end(&mut heard).await.unwrap();
    serving.join_next().await.unwrap().unwrap();
    let connection = &world.audit.opened()[0];
    let closing = world.audit.closing_of(connection.id).unwrap();
    assert_eq!(closing.sent, 2 * asked.len() as u64);
    assert_eq!(closing.received, heard.len() as u64);
    assert_eq!(closing.upstream.unwrap().address, upstream.address);
}
