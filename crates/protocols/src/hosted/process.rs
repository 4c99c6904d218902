//! One process of a server, from its start to its end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ringfence_mcp::frame::Frame;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::Notify;
use tokio::sync::mpsc::{Receiver, Sender, UnboundedReceiver, channel};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, timeout};

use super::launch::Pipe;
use super::limits::{IDLE, LOOK, SILENCE, WAITING_LINES, WRITE_WAIT};
use super::lines::Lines;
use super::router::{Asked, Router, Said};

/// A process. It ends when this is dropped.
pub(super) struct Process {
    state: Arc<State>,
    _tasks: JoinSet<()>,
}

/// What the tasks of a process share with who uses it.
struct State {
    router: Mutex<Router>,
    times: Mutex<Times>,
    input: Sender<Vec<u8>>,
    /// Told when the process is to end.
    ending: Notify,
    /// Where a person finds out why it ended.
    look: String,
}

struct Times {
    began: Instant,
    /// When the process said something, or was asked after it owed nothing.
    heard: Instant,
    used: Instant,
    over: Option<Over>,
}

/// How a process ended by itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Over {
    /// When it began and ended.
    pub(super) began: Instant,
    pub(super) ended: Instant,
    /// Whether that is as it should be.
    pub(super) is_fine: bool,
}

/// The client's side of one request. The process is told when it is dropped before its answer.
pub(super) struct Answering {
    pub(super) stream: UnboundedReceiver<Said>,
    number: i64,
    state: Arc<State>,
}

impl Process {
    /// Takes care of a process that was started.
    pub(super) fn new(pipe: Pipe, is_shared: bool, look: String) -> Self {
        let (input, lines) = channel(WAITING_LINES);
        let now = Instant::now();
        let state = Arc::new(State {
            router: Mutex::new(Router::new(is_shared)),
            times: Mutex::new(Times {
                began: now,
                heard: now,
                used: now,
                over: None,
            }),
            input,
            ending: Notify::new(),
            look,
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(attend(Arc::clone(&state), pipe, lines));
        Self {
            state,
            _tasks: tasks,
        }
    }

    /// Sends a request. None where the process does not take it.
    pub(super) async fn ask(&self, frame: Frame) -> Option<Answering> {
        self.state.touch();
        let asked = self.state.router().ask(frame);
        let Asked {
            number,
            line,
            stream,
        } = asked?;
        let answering = Answering {
            stream,
            number,
            state: Arc::clone(&self.state),
        };
        // Where it is over by now, the stream says so.
        if self.is_over() {
            self.state.finish(false, "it has ended");
        }
        self.send(line).await.then_some(answering)
    }

    /// Sends a notification, or an answer to what the process asked. False where it goes nowhere.
    pub(super) async fn tell(&self, frame: Frame) -> bool {
        self.state.touch();
        let line = match frame.method() {
            Some(_) => self.state.router().tell(frame),
            None => self.state.router().answer(&frame),
        };
        match line {
            Some(line) => self.send(line).await,
            None => false,
        }
    }

    /// What is said to nobody in particular.
    pub(super) fn listen(&self) -> UnboundedReceiver<Said> {
        self.state.touch();
        self.state.router().listen()
    }

    async fn send(&self, line: Vec<u8>) -> bool {
        let sent = timeout(WRITE_WAIT, self.state.input.send(line)).await;
        matches!(sent, Ok(Ok(())))
    }

    /// Ends it, whoever still listens.
    pub(super) fn end(&self) {
        self.state.finish(true, "its session has ended");
        self.state.ending.notify_one();
    }

    pub(super) fn is_over(&self) -> bool {
        self.over().is_some()
    }

    /// How it ended, where it did.
    pub(super) fn over(&self) -> Option<Over> {
        self.state.times().over
    }

    /// Whether somebody waits for what it says.
    pub(super) fn is_used(&self) -> bool {
        self.state.router().is_used()
    }

    /// When it was used last.
    pub(super) fn used(&self) -> Instant {
        self.state.times().used
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.state.finish(true, "its session has ended");
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let told = self.state.router().leave(self.number);
        if let Some(line) = told {
            // A process that reads nothing learns it by its end.
            let _ = self.state.input.try_send(line);
        }
    }
}

impl State {
    fn router(&self) -> MutexGuard<'_, Router> {
        self.router.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn times(&self) -> MutexGuard<'_, Times> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn touch(&self) {
        let owes = self.router().owes();
        let now = Instant::now();
        let mut times = self.times();
        times.used = now;
        if !owes {
            times.heard = now;
        }
    }

    /// Notes the end, the first of several, and tells all who wait.
    fn finish(&self, is_fine: bool, why: &str) {
        let mut times = self.times();
        let began = times.began;
        times.over.get_or_insert_with(|| Over {
            began,
            ended: Instant::now(),
            is_fine,
        });
        drop(times);
        let words = format!(
            "the server has ended: {why}. It is started anew when it is asked next. Next step: {}",
            self.look
        );
        self.router().end(&words);
    }

    /// Why the process must end now, and whether that is as it should be.
    fn verdict(&self) -> Option<(bool, &'static str)> {
        let (owes, is_used) = {
            let router = self.router();
            (router.owes(), router.is_used())
        };
        let times = self.times();
        if owes && times.heard.elapsed() > SILENCE {
            return Some((false, "it said nothing for as long as an answer may take"));
        }
        let is_idle = !is_used && times.used.elapsed() > IDLE;
        is_idle.then_some((true, "nobody used it"))
    }
}

async fn attend(state: Arc<State>, pipe: Pipe, lines: Receiver<Vec<u8>>) {
    let Pipe {
        output,
        input,
        ending,
    } = pipe;
    let (is_fine, why) = tokio::select! {
        over = hear(&state, output) => over,
        over = say(input, lines) => over,
        over = watch(&state) => over,
        () = state.ending.notified() => (true, "its session has ended"),
    };
    state.finish(is_fine, why);
    drop(ending);
}

/// Reads what the process says until it says no more.
async fn hear(state: &State, output: impl AsyncRead + Unpin) -> (bool, &'static str) {
    let mut lines = Lines::new(output);
    loop {
        match lines.next().await {
            Ok(Some(line)) => {
                state.times().heard = Instant::now();
                let reply = state.router().said(&line);
                if let Some(reply) = reply
                    && state.input.try_send(reply).is_err()
                {
                    return (false, "it asks, and does not read what it is told");
                }
            }
            Ok(None) => return (false, "it closed its output"),
            Err(error) if error.kind() == std::io::ErrorKind::FileTooLarge => {
                return (false, "it said a line that is too long");
            }
            Err(_) => return (false, "it could not be read"),
        }
    }
}

/// Tells the process what it is told.
async fn say(
    mut input: impl AsyncWrite + Unpin,
    mut lines: Receiver<Vec<u8>>,
) -> (bool, &'static str) {
    while let Some(mut line) = lines.recv().await {
        line.push(b'\n');
        let writing = async {
            input.write_all(&line).await?;
            input.flush().await
        };
        match timeout(WRITE_WAIT, writing).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return (false, "it closed its input"),
            Err(_) => return (false, "it does not read what it is told"),
        }
    }
    (true, "nobody uses it")
}

async fn watch(state: &State) -> (bool, &'static str) {
    let mut looks = interval(LOOK);
    loop {
        looks.tick().await;
        if let Some(verdict) = state.verdict() {
            return verdict;
        }
    }
}
