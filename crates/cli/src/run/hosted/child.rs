//! One process of a server: our own executable again, in a run of its own. A thread starts it and
//! waits for its end; the kernel ends the process when that thread ends, and so with this run,
//! however it ends.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::oneshot;

use super::log;

/// A process to be started.
pub(super) struct Starting {
    pub(super) name: String,
    pub(super) arguments: Vec<String>,
    pub(super) directory: PathBuf,
    pub(super) log: PathBuf,
}

/// A process that was started.
pub(super) struct Running {
    pub(super) input: OwnedFd,
    pub(super) output: OwnedFd,
    /// The process ends when this is dropped.
    pub(super) ending: mpsc::Sender<()>,
}

/// Where it is told whether it was started.
type Started = oneshot::Receiver<io::Result<Running>>;

impl Starting {
    /// Starts it, in a thread that lives as long as it does.
    pub(super) fn start(self) -> io::Result<(Started, JoinHandle<()>)> {
        let (started, told) = oneshot::channel();
        let thread = thread::Builder::new()
            .name(format!("server-{}", self.name))
            .spawn(move || self.attend(started))?;
        Ok((told, thread))
    }

    fn attend(self, started: oneshot::Sender<io::Result<Running>>) {
        let (ending, end) = mpsc::channel();
        let mut child = match self.spawn() {
            Ok(child) => child,
            Err(error) => {
                let _ = started.send(Err(error));
                return;
            }
        };
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return end_of(child);
        };
        let stderr = child.stderr.take();
        let logged = stderr.map(|stderr| thread::spawn(move || log::keep(stderr, &self.log)));
        let running = Running {
            input: input.into(),
            output: output.into(),
            ending,
        };
        // Where nobody waits for it any more, its pipes and what ends it are dropped here.
        drop(started.send(Ok(running)));
        wait(child, &end);
        if let Some(logged) = logged {
            let _ = logged.join();
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "it is this executable, which makes a sandbox for the command"
    )]
    fn spawn(&self) -> io::Result<Child> {
        Command::new("/proc/self/exe")
            .args(&self.arguments)
            .current_dir(&self.directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // What a person types at the terminal is for the agent's run, which ends this one.
            .process_group(0)
            .spawn()
    }
}

/// Waits until the process ends, or is to end.
fn wait(mut child: Child, end: &Receiver<()>) {
    loop {
        match end.recv_timeout(LOOK) {
            Err(RecvTimeoutError::Timeout) => match child.try_wait() {
                Ok(None) => {}
                Ok(Some(_)) | Err(_) => return,
            },
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return end_of(child),
        }
    }
}

/// Ends the process: by asking, then by force, which its sandbox does not outlive.
fn end_of(mut child: Child) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(pid) = pid {
        let _ = kill_process(pid, Signal::TERM);
    }
    let begun = Instant::now();
    while begun.elapsed() < GRACE {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        thread::sleep(SOON);
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// How often it is looked whether a process has ended.
const LOOK: Duration = Duration::from_millis(100);

/// The same, for one that was asked to.
const SOON: Duration = Duration::from_millis(10);

/// How long a process may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(2);
