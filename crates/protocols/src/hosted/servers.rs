//! All servers of one run that are started as programs: which process a request is for, when one is
//! started, and how many there may be.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use ringfence_gateway::http::ResponseBody;
use ringfence_gateway::{Hosted, HostedAnswer};
use ringfence_mcp::frame::{Body, Frame};
use ringfence_mcp::version::{Era, Version};
use ringfence_model::mcp::{McpServer, ServerName};
use rustix::rand::{GetRandomFlags, getrandom};
use tokio::time::Instant;

use super::launch::Launch;
use super::limits::{BACK_OFF, LINE_OCTETS, MOST_BACK_OFF, WORKS};
use super::process::{Over, Process};
use super::reply;
use super::router::unasked;

/// The servers. Their processes end when this is dropped, or told to.
pub struct Servers {
    launch: Arc<dyn Launch>,
    known: Mutex<HashMap<ServerName, Arc<tokio::sync::Mutex<Processes>>>>,
}

/// The processes of one server.
#[derive(Default)]
struct Processes {
    sessions: HashMap<String, Arc<Process>>,
    /// That of requests that stand alone.
    shared: Option<Arc<Process>>,
    /// Ends in a row that nobody asked for.
    failures: u32,
    /// Nothing is started before.
    not_before: Option<Instant>,
    is_closed: bool,
}

impl Servers {
    /// Servers that are started by `launch`.
    #[must_use]
    pub fn new(launch: Arc<dyn Launch>) -> Self {
        Self {
            launch,
            known: Mutex::default(),
        }
    }

    /// Ends all processes. None is started any more.
    pub async fn close(&self) {
        let known: Vec<_> = self.known().values().cloned().collect();
        for processes in known {
            let mut processes = processes.lock().await;
            processes.is_closed = true;
            for process in processes.sessions.values().chain(&processes.shared) {
                process.end();
            }
        }
    }

    fn known(
        &self,
    ) -> std::sync::MutexGuard<'_, HashMap<ServerName, Arc<tokio::sync::Mutex<Processes>>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of(&self, server: &ServerName) -> Arc<tokio::sync::Mutex<Processes>> {
        Arc::clone(self.known().entry(server.clone()).or_default())
    }

    async fn serve(&self, server: &ServerName, request: Request<Bytes>) -> Response<ResponseBody> {
        let (head, body) = request.into_parts();
        let is_alone = version(&head.headers).is_some_and(|it| it.era() == Era::Stateless);
        let session = head.headers.get(reply::SESSION);
        let session = session.and_then(|it| it.to_str().ok());
        match (head.method, session) {
            (Method::POST, session) => {
                let Ok(frame) = Frame::read(&body, LINE_OCTETS) else {
                    return reply::status(StatusCode::BAD_REQUEST);
                };
                match session.filter(|_| !is_alone) {
                    Some(session) => self.in_session(server, session, frame).await,
                    None if is_alone => self.alone(server, frame).await,
                    None if frame.method() == Some("initialize") => self.begin(server, frame).await,
                    None => reply::status(StatusCode::BAD_REQUEST),
                }
            }
            (Method::GET, Some(session)) if !is_alone => {
                match self.of(server).lock().await.session(session) {
                    Some(process) => reply::listening(&process),
                    None => reply::status(StatusCode::NOT_FOUND),
                }
            }
            (Method::DELETE, Some(session)) if !is_alone => {
                match self.of(server).lock().await.sessions.remove(session) {
                    Some(process) => {
                        process.end();
                        reply::status(StatusCode::NO_CONTENT)
                    }
                    None => reply::status(StatusCode::NOT_FOUND),
                }
            }
            _ => reply::status(StatusCode::METHOD_NOT_ALLOWED),
        }
    }

    async fn in_session(
        &self,
        server: &ServerName,
        session: &str,
        frame: Frame,
    ) -> Response<ResponseBody> {
        let process = self.of(server).lock().await.session(session);
        match process {
            Some(process) => exchange(&process, frame).await,
            None => reply::status(StatusCode::NOT_FOUND),
        }
    }

    async fn alone(&self, server: &ServerName, frame: Frame) -> Response<ResponseBody> {
        let started = {
            let processes = self.of(server);
            let mut processes = processes.lock().await;
            processes.sweep();
            match &processes.shared {
                Some(process) => Ok(Arc::clone(process)),
                None => {
                    let started = self.start(server, &mut processes, true).await;
                    started.inspect(|process| processes.shared = Some(Arc::clone(process)))
                }
            }
        };
        match started {
            Ok(process) => exchange(&process, frame).await,
            Err(why) => reply::message(unasked(&frame, &why)),
        }
    }

    async fn begin(&self, server: &ServerName, frame: Frame) -> Response<ResponseBody> {
        let Some(session) = random() else {
            return reply::status(StatusCode::SERVICE_UNAVAILABLE);
        };
        let started = {
            let processes = self.of(server);
            let mut processes = processes.lock().await;
            processes.sweep();
            let started = self.start(server, &mut processes, false).await;
            started.inspect(|process| {
                processes
                    .sessions
                    .insert(session.clone(), Arc::clone(process));
            })
        };
        match started {
            Ok(process) => reply::in_session(exchange(&process, frame).await, &session),
            Err(why) => reply::message(unasked(&frame, &why)),
        }
    }

    async fn start(
        &self,
        server: &ServerName,
        processes: &mut Processes,
        is_shared: bool,
    ) -> Result<Arc<Process>, String> {
        let most = self.launch.most(server);
        if most == 0 || processes.is_closed {
            return Err(format!(
                "the server {server} is not started in this run, which began before it was described so. Next step: start a new run"
            ));
        }
        if let Some(left) = processes.left() {
            return Err(format!(
                "the server {server} ended by itself {} times in a row, and is not started again for {} s. Next step: {}",
                processes.failures,
                left.as_secs() + 1,
                self.launch.look(server)
            ));
        }
        if !processes.make_room(most) {
            return Err(format!(
                "the server {server} has {most} processes already, and all are in use. Next step: end a session, or raise `sessions` in its description"
            ));
        }
        let launched = self.launch.launch(server).await;
        let look = self.launch.look(server);
        match launched {
            Ok(pipe) => Ok(Arc::new(Process::new(pipe, is_shared, look))),
            Err(error) => {
                processes.failed(Instant::now());
                Err(format!("the server {server} cannot be started: {error}"))
            }
        }
    }
}

impl Hosted for Servers {
    fn answer<'a>(&'a self, server: &'a McpServer, request: Request<Bytes>) -> HostedAnswer<'a> {
        Box::pin(self.serve(&server.name, request))
    }
}

impl Processes {
    /// Takes out what is over, and learns from it.
    fn sweep(&mut self) {
        let mut ends = Vec::new();
        let mut is_there = |process: &Process| {
            ends.extend(process.over());
            !process.is_over()
        };
        self.sessions.retain(|_, process| is_there(process));
        if self.shared.as_deref().is_some_and(|it| !is_there(it)) {
            self.shared = None;
        }
        ends.sort_by_key(|over| over.ended);
        for over in ends {
            self.learn(over);
        }
    }

    fn learn(&mut self, over: Over) {
        if over.ended.duration_since(over.began) >= WORKS || over.is_fine {
            self.failures = 0;
            self.not_before = None;
        }
        if !over.is_fine {
            self.failed(over.ended);
        }
    }

    fn failed(&mut self, at: Instant) {
        let wait = BACK_OFF.saturating_mul(1 << self.failures.min(6));
        self.failures = self.failures.saturating_add(1);
        self.not_before = Some(at + wait.min(MOST_BACK_OFF));
    }

    /// How long nothing is started yet.
    fn left(&self) -> Option<Duration> {
        let left = self.not_before?.checked_duration_since(Instant::now())?;
        (!left.is_zero()).then_some(left)
    }

    fn session(&mut self, session: &str) -> Option<Arc<Process>> {
        self.sweep();
        self.sessions.get(session).cloned()
    }

    /// Makes room for one more process: ends the session that was unused longest, if none is free.
    fn make_room(&mut self, most: usize) -> bool {
        let count = self.sessions.len() + usize::from(self.shared.is_some());
        if count < most {
            return true;
        }
        let unused = self.sessions.iter().filter(|(_, it)| !it.is_used());
        let Some((oldest, _)) = unused.min_by_key(|(_, it)| it.used()) else {
            return false;
        };
        let oldest = oldest.clone();
        if let Some(process) = self.sessions.remove(&oldest) {
            process.end();
        }
        true
    }
}

async fn exchange(process: &Arc<Process>, frame: Frame) -> Response<ResponseBody> {
    if !matches!(frame.body(), Body::Request { .. }) {
        // Whether anybody takes it is no business of who sends it.
        let _ = process.tell(frame).await;
        return reply::status(StatusCode::ACCEPTED);
    }
    let refused = unasked(
        &frame,
        "the server does not take the request: too many wait. Next step: wait for answers that are open",
    );
    match process.ask(frame).await {
        Some(answering) => reply::answer(process, answering).await,
        None => reply::message(refused),
    }
}

fn version(headers: &HeaderMap) -> Option<Version> {
    let value = headers.get("mcp-protocol-version")?;
    Version::read(value.to_str().ok()?)
}

/// An id that nobody guesses.
fn random() -> Option<String> {
    let mut octets = [0; 16];
    let filled = getrandom(&mut octets, GetRandomFlags::empty()).ok()?;
    let whole = filled == octets.len();
    whole.then(|| {
        octets
            .iter()
            .fold(String::new(), |text, octet| format!("{text}{octet:02x}"))
    })
}
