use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use ringfence_gateway::Hosted as _;
use ringfence_gateway::http::ResponseBody;
use ringfence_mcp::frame::Frame;
use ringfence_model::Scheme;
use ringfence_model::mcp::{McpServer, ServerName, hosted_at};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, duplex};
use tokio::task::JoinSet;

use super::lines::Lines;
use super::router::Router;
use super::*;

/// What a server says to a message; none where it ends.
type Manner = fn(&Value) -> Option<Vec<Value>>;

/// Starts servers in this process.
struct Fake {
    manner: Manner,
    most: usize,
    starts: AtomicUsize,
    tasks: Mutex<JoinSet<()>>,
    /// What servers were told.
    told: Arc<Mutex<Vec<Value>>>,
}

impl Launch for Fake {
    fn launch<'a>(&'a self, _: &'a ServerName) -> Launching<'a> {
        self.starts.fetch_add(1, Ordering::Relaxed);
        let (near, far) = duplex(1 << 16);
        let told = Arc::clone(&self.told);
        self.tasks
            .lock()
            .unwrap()
            .spawn(serve(far, self.manner, told));
        let (output, input) = tokio::io::split(near);
        let pipe = Pipe {
            output: Box::new(output),
            input: Box::new(input),
            ending: Box::new(()),
        };
        Box::pin(std::future::ready(Ok(pipe)))
    }

    fn most(&self, _: &ServerName) -> usize {
        self.most
    }

    fn look(&self, _: &ServerName) -> String {
        "look at its log".to_owned()
    }
}

async fn serve(far: DuplexStream, manner: Manner, told: Arc<Mutex<Vec<Value>>>) {
    let (output, mut input) = tokio::io::split(far);
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let message: Value = serde_json::from_str(&line).unwrap();
        told.lock().unwrap().push(message.clone());
        let Some(said) = manner(&message) else {
            return;
        };
        for message in said {
            let line = format!("{message}\n");
            // In two parts, so that no line comes whole.
            let (first, second) = line.as_bytes().split_at(line.len() / 2);
            for part in [first, second] {
                if input.write_all(part).await.is_err() || input.flush().await.is_err() {
                    return;
                }
                tokio::task::yield_now().await;
            }
        }
    }
}

struct World {
    servers: Arc<Servers>,
    fake: Arc<Fake>,
    server: McpServer,
}

impl World {
    fn new(most: usize, manner: Manner) -> Self {
        let fake = Arc::new(Fake {
            manner,
            most,
            starts: AtomicUsize::new(0),
            tasks: Mutex::default(),
            told: Arc::default(),
        });
        let name = ServerName::new("lab").unwrap();
        let server = McpServer {
            destination: hosted_at(&name),
            name,
            scheme: Scheme::Http,
            path: "/mcp".to_owned(),
            credential: None,
            trace: false,
        };
        let launch: Arc<dyn Launch> = fake.clone();
        Self {
            servers: Arc::new(Servers::new(launch)),
            fake,
            server,
        }
    }

    async fn send(&self, method: Method, of: Of<'_>, body: Value) -> Response<ResponseBody> {
        let mut request = Request::new(Bytes::from(body.to_string()));
        *request.method_mut() = method;
        let headers = request.headers_mut();
        match of {
            Of::Alone => {
                headers.insert("mcp-protocol-version", "2026-07-28".parse().unwrap());
            }
            Of::Session(session) => {
                headers.insert("mcp-session-id", session.parse().unwrap());
            }
            Of::Nothing => {}
        }
        self.servers.answer(&self.server, request).await
    }

    async fn post(&self, of: Of<'_>, body: Value) -> Response<ResponseBody> {
        self.send(Method::POST, of, body).await
    }

    async fn begin(&self) -> Option<String> {
        let greeting = asked(0, "initialize", json!({}));
        let response = self.post(Of::Nothing, greeting).await;
        let session = response.headers().get("mcp-session-id")?;
        Some(session.to_str().unwrap().to_owned())
    }

    fn starts(&self) -> usize {
        self.fake.starts.load(Ordering::Relaxed)
    }

    fn told(&self) -> Vec<Value> {
        self.fake.told.lock().unwrap().clone()
    }
}

#[derive(Clone, Copy)]
enum Of<'a> {
    Alone,
    Session(&'a str),
    Nothing,
}

/// A number of its own in every other round, and a text that is always the same.
fn id_of(round: i32) -> Value {
    match round % 2 {
        0 => round.into(),
        _ => "same".into(),
    }
}

fn asked(id: impl Into<Value>, method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id.into(), "method": method, "params": params})
}

/// The messages of a response, whether it is one or a stream.
async fn messages(response: Response<ResponseBody>) -> Vec<Value> {
    let octets = response.into_body().collect().await.unwrap().to_bytes();
    let text = std::str::from_utf8(&octets).unwrap();
    let lines = text
        .lines()
        .map(|line| line.strip_prefix("data: ").unwrap_or(line));
    let lines = lines.filter(|line| line.starts_with('{'));
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[expect(clippy::unnecessary_wraps, reason = "other manners end")]
fn echo(message: &Value) -> Option<Vec<Value>> {
    let Some(id) = message
        .get("id")
        .filter(|_| message.get("method").is_some())
    else {
        return Some(Vec::new());
    };
    let answer = json!({"jsonrpc": "2.0", "id": id, "result": {"params": message["params"]}});
    Some(vec![answer])
}

#[tokio::test]
async fn clients_with_the_same_ids_and_tokens_never_meet() {
    fn manner(message: &Value) -> Option<Vec<Value>> {
        let id = message.get("id")?;
        let token = &message["params"]["_meta"]["progressToken"];
        let progress = json!({"jsonrpc": "2.0", "method": "notifications/progress",
            "params": {"progressToken": token, "progress": 1, "message": message["params"]["who"]}});
        let answer =
            json!({"jsonrpc": "2.0", "id": id, "result": {"who": message["params"]["who"]}});
        Some(vec![progress, answer])
    }
    let world = Arc::new(World::new(4, manner));
    let mut clients = JoinSet::new();
    for who in 0..2 {
        let world = Arc::clone(&world);
        clients.spawn(async move {
            for round in 0..1000 {
                let name = format!("{who}-{round}");
                let id = id_of(round);
                let params = json!({"who": name, "_meta": {"progressToken": "same"}});
                let response = world
                    .post(Of::Alone, asked(id.clone(), "tools/call", params))
                    .await;
                let messages = messages(response).await;
                assert_eq!(messages.len(), 2, "{messages:?}");
                assert_eq!(messages[0]["params"]["progressToken"], "same");
                assert_eq!(messages[0]["params"]["message"], name.as_str());
                assert_eq!(messages[1]["id"], id);
                assert_eq!(messages[1]["result"]["who"], name.as_str());
            }
        });
    }
    while let Some(ended) = clients.join_next().await {
        ended.unwrap();
    }
    assert_eq!(world.starts(), 1);
}

#[tokio::test]
async fn a_session_is_a_process_and_nothing_without_its_id() {
    let world = World::new(4, echo);
    let (a, b) = (world.begin().await.unwrap(), world.begin().await.unwrap());
    assert_ne!(a, b);
    assert_eq!(world.starts(), 2);
    let list = || asked(1, "tools/list", json!({"x": 1}));
    let answer = messages(world.post(Of::Session(&a), list()).await).await;
    assert_eq!(
        answer,
        [json!({"jsonrpc": "2.0", "id": 1, "result": {"params": {"x": 1}}})]
    );
    assert_eq!(
        world.post(Of::Session("guess"), list()).await.status(),
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        world.post(Of::Nothing, list()).await.status(),
        StatusCode::BAD_REQUEST
    );
    let ended = world.send(Method::DELETE, Of::Session(&a), json!({})).await;
    assert_eq!(ended.status(), StatusCode::NO_CONTENT);
    assert_eq!(
        world.post(Of::Session(&a), list()).await.status(),
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        world.post(Of::Session(&b), list()).await.status(),
        StatusCode::OK
    );
    for of in [Of::Alone, Of::Nothing] {
        let listened = world.send(Method::GET, of, json!({})).await;
        assert_eq!(listened.status(), StatusCode::METHOD_NOT_ALLOWED);
    }
}

#[tokio::test]
async fn answers_that_nobody_asked_for_go_nowhere() {
    fn manner(message: &Value) -> Option<Vec<Value>> {
        let id = message["id"].as_i64()?;
        let answer = |id: i64| json!({"jsonrpc": "2.0", "id": id, "result": {"of": id}});
        let stray = json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": 9, "progress": 1}});
        Some(vec![
            answer(id + 1),
            answer(-1),
            stray,
            answer(id),
            answer(id),
        ])
    }
    let world = World::new(4, manner);
    for round in 1..50 {
        let answer = messages(
            world
                .post(Of::Alone, asked("a", "tools/list", json!({})))
                .await,
        )
        .await;
        assert_eq!(
            answer,
            [json!({"jsonrpc": "2.0", "id": "a", "result": {"of": round}})]
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_answers_who_waits_and_the_next_start_waits_longer_each_time() {
    fn manner(message: &Value) -> Option<Vec<Value>> {
        (message["method"] != "crash")
            .then(|| echo(message))
            .flatten()
    }
    let world = World::new(4, manner);
    let crash = || asked(7, "crash", json!({}));
    for wait in [1, 2, 4, 8, 16, 32, 60, 60] {
        let answer = messages(world.post(Of::Alone, crash()).await).await;
        assert_eq!(answer[0]["id"], 7);
        let words = answer[0]["error"]["message"].as_str().unwrap();
        assert!(
            words.contains("has ended") && words.contains("look at its log"),
            "{words}"
        );
        let starts = world.starts();
        let refused = messages(world.post(Of::Alone, crash()).await).await;
        let words = refused[0]["error"]["message"].as_str().unwrap();
        assert!(words.contains("in a row"), "{words}");
        tokio::time::advance(Duration::from_millis(wait * 1000 - 500)).await;
        world.post(Of::Alone, crash()).await;
        assert_eq!(world.starts(), starts, "{wait}");
        tokio::time::advance(Duration::from_millis(600)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_owes_an_answer_and_is_silent_is_ended() {
    fn manner(_: &Value) -> Option<Vec<Value>> {
        Some(Vec::new())
    }
    let world = World::new(4, manner);
    let response = world
        .post(Of::Alone, asked(1, "tools/call", json!({})))
        .await;
    let answer = messages(response).await;
    let words = answer[0]["error"]["message"].as_str().unwrap();
    assert!(words.contains("said nothing"), "{words}");
}

#[tokio::test]
async fn no_more_processes_than_allowed() {
    fn manner(message: &Value) -> Option<Vec<Value>> {
        if message["method"] == "slow" {
            return Some(Vec::new());
        }
        echo(message)
    }
    let world = World::new(2, manner);
    let (a, b) = (world.begin().await.unwrap(), world.begin().await.unwrap());
    let slow = [
        world
            .post(Of::Session(&a), asked(1, "slow", json!({})))
            .await,
        world
            .post(Of::Session(&b), asked(1, "slow", json!({})))
            .await,
    ];
    assert!(world.begin().await.is_none());
    assert_eq!(world.starts(), 2);
    drop(slow);
    world.send(Method::DELETE, Of::Session(&a), json!({})).await;
    assert!(world.begin().await.is_some());
    assert_eq!(world.starts(), 3);
}

#[tokio::test]
async fn a_client_that_goes_cancels_in_the_stateless_era_alone() {
    fn manner(message: &Value) -> Option<Vec<Value>> {
        let is_slow = message["method"] == "slow";
        if is_slow {
            Some(Vec::new())
        } else {
            echo(message)
        }
    }
    let world = World::new(4, manner);
    let session = world.begin().await.unwrap();
    drop(world.post(Of::Alone, asked("x", "slow", json!({}))).await);
    drop(
        world
            .post(Of::Session(&session), asked("y", "slow", json!({})))
            .await,
    );
    messages(
        world
            .post(Of::Alone, asked(1, "tools/list", json!({})))
            .await,
    )
    .await;
    messages(
        world
            .post(Of::Session(&session), asked(1, "tools/list", json!({})))
            .await,
    )
    .await;
    let told = world.told();
    let cancelled: Vec<_> = told
        .iter()
        .filter(|it| it["method"] == "notifications/cancelled")
        .collect();
    assert_eq!(cancelled.len(), 1, "{told:?}");
    assert_eq!(cancelled[0]["params"]["requestId"], 1);
}

#[tokio::test]
async fn a_server_of_a_session_asks_its_client_and_gets_one_answer() {
    fn manner(message: &Value) -> Option<Vec<Value>> {
        if message["method"] == "tools/call" {
            let question = json!({"jsonrpc": "2.0", "id": "q", "method": "roots/list"});
            let ping = json!({"jsonrpc": "2.0", "id": "p", "method": "ping"});
            return Some(vec![ping, question]);
        }
        if message["id"] == "q" {
            return Some(vec![
                json!({"jsonrpc": "2.0", "id": 2, "result": {"heard": message["result"]}}),
            ]);
        }
        if message["id"] == "p" {
            Some(Vec::new())
        } else {
            echo(message)
        }
    }
    let world = World::new(4, manner);
    let session = world.begin().await.unwrap();
    let mut response = world
        .post(Of::Session(&session), asked("c", "tools/call", json!({})))
        .await
        .into_body();
    let first = response
        .frame()
        .await
        .unwrap()
        .unwrap()
        .into_data()
        .unwrap();
    assert!(std::str::from_utf8(&first).unwrap().contains("roots/list"));
    for id in ["never-asked", "q", "q"] {
        let answer = json!({"jsonrpc": "2.0", "id": id, "result": {"roots": []}});
        let taken = world.post(Of::Session(&session), answer).await;
        assert_eq!(taken.status(), StatusCode::ACCEPTED);
    }
    let last = response
        .frame()
        .await
        .unwrap()
        .unwrap()
        .into_data()
        .unwrap();
    let last = std::str::from_utf8(&last).unwrap();
    assert!(
        last.contains(r#""id":"c""#) && last.contains("heard"),
        "{last}"
    );
    messages(
        world
            .post(Of::Session(&session), asked(1, "tools/list", json!({})))
            .await,
    )
    .await;
    let told = world.told();
    let answers: Vec<_> = told
        .iter()
        .filter(|it| it.get("method").is_none())
        .collect();
    assert_eq!(answers.len(), 2, "{answers:?}");
}

#[tokio::test]
async fn what_is_closed_starts_nothing() {
    let world = World::new(4, echo);
    let session = world.begin().await.unwrap();
    world.servers.close().await;
    let list = asked(1, "tools/list", json!({}));
    assert_eq!(
        world.post(Of::Session(&session), list).await.status(),
        StatusCode::NOT_FOUND
    );
    assert!(world.begin().await.is_none());
    assert_eq!(world.starts(), 1);
}

fn frame(message: &Value) -> Frame {
    Frame::read(message.to_string().as_bytes(), 1 << 20).unwrap()
}

#[test]
fn what_is_not_read_is_bounded_and_an_answer_is_always_given() {
    let mut router = Router::new(false);
    let params = json!({"_meta": {"progressToken": 5}});
    let mut asked = router
        .ask(frame(&asked("a", "tools/call", params)))
        .unwrap();
    let progress = |text: &str| {
        let params = json!({"progressToken": 1, "progress": 1, "message": text});
        json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": params}).to_string()
    };
    let long = "x".repeat(1 << 20);
    for _ in 0..40 {
        router.said(progress(&long).as_bytes());
    }
    assert!(router.dropped() >= 8);
    for _ in 0..300 {
        router.said(progress("short").as_bytes());
    }
    let answer = json!({"jsonrpc": "2.0", "id": 1, "result": {"long": long.repeat(8)}});
    router.said(answer.to_string().as_bytes());
    let (mut octets, mut last) = (0, Vec::new());
    while let Ok(said) = asked.stream.try_recv() {
        octets += said.octets.len();
        last.clone_from(&said.octets);
        assert_eq!(said.is_last, asked.stream.is_empty());
    }
    assert!(octets <= (32 << 20) + 1024, "{octets}");
    assert!(router.dropped() >= 8 + 300 - 256);
    let last: Value = serde_json::from_slice(&last).unwrap();
    assert_eq!(last["id"], "a");
    assert!(
        last["error"]["message"]
            .as_str()
            .unwrap()
            .contains("too much")
    );
}

#[test]
fn lines_that_are_no_messages_are_dropped_and_counted() {
    let mut router = Router::new(false);
    let mut asked = router
        .ask(frame(&asked(1, "tools/list", json!({}))))
        .unwrap();
    for line in [
        "",
        "started",
        "[]",
        "{}",
        r#"{"jsonrpc":"2.0","id":1,"id":2,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1.5,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"m"}}"#,
        r#"{"jsonrpc":"2.0","id":"1","result":{}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}"#,
    ] {
        assert!(router.said(line.as_bytes()).is_none(), "{line}");
        assert!(asked.stream.try_recv().is_err(), "{line}");
    }
    assert_eq!(router.dropped(), 9);
}

#[test]
fn a_shared_process_tells_and_asks_nobody_in_particular_nothing() {
    let mut router = Router::new(true);
    let mut asked = router
        .ask(frame(&asked(1, "tools/list", json!({}))))
        .unwrap();
    let log = json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"data": "of another client"}});
    assert!(router.said(log.to_string().as_bytes()).is_none());
    let question =
        json!({"jsonrpc": "2.0", "id": 3, "method": "sampling/createMessage", "params": {}});
    let refused: Value =
        serde_json::from_slice(&router.said(question.to_string().as_bytes()).unwrap()).unwrap();
    assert_eq!(refused["error"]["code"], -32601);
    let cancel =
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}});
    assert!(router.tell(frame(&cancel)).is_none());
    assert!(asked.stream.try_recv().is_err());
}

#[tokio::test]
async fn a_line_is_read_whatever_it_is_split_into_and_not_without_end() {
    let text = b"one\r\ntwo\n\nthree";
    for split in 0..text.len() {
        let (mut near, far) = duplex(64);
        let mut lines = Lines::new(far);
        let writing = async {
            near.write_all(&text[..split]).await.unwrap();
            tokio::task::yield_now().await;
            near.write_all(&text[split..]).await.unwrap();
            drop(near);
        };
        let reading = async {
            let mut read = Vec::new();
            while let Some(line) = lines.next().await.unwrap() {
                read.push(String::from_utf8(line).unwrap());
            }
            read
        };
        let ((), read) = tokio::join!(writing, reading);
        assert_eq!(read, ["one", "two", ""]);
    }
    let mut endless = Lines::new(tokio::io::repeat(b'x'));
    let error = endless.next().await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::FileTooLarge);
}
