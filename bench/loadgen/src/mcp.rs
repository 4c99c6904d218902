//! Calls of a tool by the Model Context Protocol on kept connections, each with a session of its own.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use clap::Args;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep_until, timeout};

use crate::sample::{Meter, Sample};

const CALL_LIMIT: Duration = Duration::from_secs(10);
const VERSION: &str = "2025-11-25";
const SESSION: &str = "mcp-session-id";
const HEAD_LIMIT: usize = 8 * 1024;

#[derive(Args)]
pub struct Options {
    /// Where connections go first: the server, or a proxy.
    #[arg(long)]
    address: SocketAddr,
    /// The name and port that a proxy is asked to connect to; without it, there is no tunnel.
    #[arg(long)]
    tunnel: Option<String>,
    /// The `Host` of requests.
    #[arg(long)]
    host: String,
    #[arg(long, default_value = "/mcp")]
    path: String,
    /// The tool that is called.
    #[arg(long, default_value = "small")]
    tool: String,
    /// The bearer token to show, where nobody else adds one.
    #[arg(long)]
    key: Option<String>,
    /// Duration of the measurement.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Connections, each with a session.
    #[arg(long, default_value_t = 8)]
    connections: usize,
    /// Calls per second in all, due on time whether or not earlier ones have been answered (open loop).
    #[arg(long)]
    rate: Option<f64>,
    /// The process in between, for its CPU time.
    #[arg(long)]
    pid: Option<u32>,
}

pub async fn measure(options: Options) -> Result<Value> {
    LocalSet::new().run_until(run(Rc::new(options))).await
}

async fn run(options: Rc<Options>) -> Result<Value> {
    let mut clients = Vec::new();
    for _ in 0..options.connections {
        let mut client = timeout(CALL_LIMIT, Client::open(Rc::clone(&options))).await??;
        // The first call makes connections and looks at definitions, which is not what is measured here.
        timeout(CALL_LIMIT, client.call()).await??;
        clients.push(client);
    }
    let meter = Meter::start(options.pid);
    let sample = Rc::new(RefCell::new(Sample::default()));
    let (start, count) = (Instant::now(), clients.len());
    let end = start + Duration::from_secs_f64(options.seconds);
    let steps = options.rate.map(|rate| (count as f64 / rate, 1.0 / rate));
    let workers: Vec<_> = clients
        .into_iter()
        .enumerate()
        .map(|(position, client)| {
            let schedule = Schedule {
                start: start
                    + Duration::from_secs_f64(steps.map_or(0.0, |it| it.1 * position as f64)),
                end,
                step: steps.map(|it| it.0),
            };
            tokio::task::spawn_local(work(client, schedule, Rc::clone(&sample)))
        })
        .collect();
    for worker in workers {
        worker.await?;
    }
    Ok(meter.report(&mut sample.borrow_mut()))
}

/// When the calls of one client are due.
struct Schedule {
    start: Instant,
    end: Instant,
    step: Option<f64>,
}

async fn work(mut client: Client, schedule: Schedule, sample: Rc<RefCell<Sample>>) {
    for done in 0u32.. {
        let due = schedule.step.map_or_else(Instant::now, |step| {
            schedule.start + Duration::from_secs_f64(step * f64::from(done))
        });
        if due >= schedule.end {
            return;
        }
        // A late call is measured from when it was due; that timers are late is not part of it.
        let since = if due > Instant::now() {
            sleep_until(due).await;
            Instant::now()
        } else {
            due
        };
        let called = timeout(CALL_LIMIT, client.call()).await;
        let mut sample = sample.borrow_mut();
        match called.context("no answer in time").and_then(|inner| inner) {
            Ok(()) => sample.success(since.elapsed()),
            Err(error) => return sample.failure(&error),
        }
    }
}

/// One connection with one session.
struct Client {
    options: Rc<Options>,
    sender: http1::SendRequest<Full<Bytes>>,
    session: Option<HeaderValue>,
    next: u64,
}

impl Client {
    async fn open(options: Rc<Options>) -> Result<Self> {
        let mut stream = TcpStream::connect(options.address).await?;
        stream.set_nodelay(true)?;
        if let Some(name) = &options.tunnel {
            tunnel(&mut stream, name).await?;
        }
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::task::spawn_local(connection);
        let mut client = Self {
            options,
            sender,
            session: None,
            next: 0,
        };
        let about = json!({"name": "loadgen", "version": "1"});
        let hello = json!({"protocolVersion": VERSION, "capabilities": {}, "clientInfo": about});
        client.ask("initialize", &hello).await?;
        let begun = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        client.send(begun.to_string()).await?;
        Ok(client)
    }

    async fn call(&mut self) -> Result<()> {
        let tool = json!({"name": self.options.tool, "arguments": {"text": "hello"}});
        let answer = self.ask("tools/call", &tool).await?;
        // Looked for, not parsed: the load generator shares the processor with what it measures.
        let is_result = answer.windows(9).any(|part| part == b"measured ");
        ensure!(
            is_result,
            "{}",
            String::from_utf8_lossy(answer.get(..300).unwrap_or(&answer))
        );
        Ok(())
    }

    async fn ask(&mut self, method: &str, params: &Value) -> Result<Bytes> {
        self.next += 1;
        let request =
            json!({"jsonrpc": "2.0", "id": self.next, "method": method, "params": params});
        let (status, answer) = self.send(request.to_string()).await?;
        ensure!(
            status == StatusCode::OK,
            "{method}: {status} {}",
            String::from_utf8_lossy(&answer)
        );
        Ok(answer)
    }

    async fn send(&mut self, body: String) -> Result<(StatusCode, Bytes)> {
        let mut request = Request::post(&self.options.path)
            .header(HOST, &self.options.host)
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json, text/event-stream");
        if let Some(key) = &self.options.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        if let Some(session) = &self.session {
            request = request
                .header(SESSION, session)
                .header("mcp-protocol-version", VERSION);
        }
        self.sender.ready().await?;
        let answer = self
            .sender
            .send_request(request.body(Full::from(body))?)
            .await?;
        if let Some(session) = answer.headers().get(SESSION) {
            self.session = Some(session.clone());
        }
        let status = answer.status();
        Ok((status, answer.into_body().collect().await?.to_bytes()))
    }
}

async fn tunnel(stream: &mut TcpStream, name: &str) -> Result<()> {
    let request = format!("CONNECT {name} HTTP/1.1\r\nHost: {name}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::with_capacity(512);
    while !answer.ends_with(b"\r\n\r\n") {
        let count = stream.read_buf(&mut answer).await?;
        ensure!(
            count > 0 && answer.len() < HEAD_LIMIT,
            "no answer to CONNECT"
        );
    }
    crate::target::check_answer(&answer)
}
