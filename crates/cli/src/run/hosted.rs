//! Servers of the Model Context Protocol that this run starts for its agent: each is a run of its
//! own, in a sandbox of its own, by a profile of its own. Everything about it comes from the
//! documents of the policy, and nothing from the agent.

mod child;
mod described;
mod log;

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use anyhow::anyhow;
use ringfence_model::RunId;
use ringfence_model::mcp::ServerName;
use ringfence_protocols::hosted::{Launch, Launching, NotLaunched, Pipe, Servers};
use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::runtime::Runtime;

use crate::args::RunArguments;
use crate::failure::Failure;
use crate::paths;
pub(crate) use described::Described;

/// The servers that a run may start.
pub(crate) struct Hosting {
    launcher: Arc<Launcher>,
    servers: Arc<Servers>,
}

/// Starts them.
struct Launcher {
    run: RunId,
    config: Option<PathBuf>,
    described: HashMap<ServerName, Described>,
    /// Who waits for the ends of processes.
    waiting: Mutex<Vec<JoinHandle<()>>>,
}

impl Hosting {
    /// The servers of `described`, for the agent of `run`.
    pub(crate) fn new(run: RunId, config: Option<&Path>, described: Vec<Described>) -> Self {
        let described = described.into_iter().map(|it| (it.name.clone(), it));
        let launcher = Arc::new(Launcher {
            run,
            config: config.and_then(|path| std::path::absolute(path).ok()),
            described: described.collect(),
            waiting: Mutex::default(),
        });
        let launch: Arc<dyn Launch> = launcher.clone();
        let servers = Arc::new(Servers::new(launch));
        Self { launcher, servers }
    }

    /// The port for the gateway.
    pub(crate) fn port(&self) -> Arc<Servers> {
        Arc::clone(&self.servers)
    }

    /// Ends all of them, and waits until they have ended.
    pub(crate) fn finish(&self, runtime: &Runtime) {
        runtime.block_on(self.servers.close());
        let mut waiting = self.launcher.waiting();
        for thread in waiting.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Launcher {
    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_for(&self, thread: JoinHandle<()>) {
        let mut waiting = self.waiting();
        waiting.retain(|thread| !thread.is_finished());
        waiting.push(thread);
    }

    async fn start(&self, server: &ServerName) -> Result<Pipe, NotLaunched> {
        let unknown = || NotLaunched("it is not described".to_owned());
        let described = self.described.get(server).ok_or_else(unknown)?;
        let failed = |what: &str| {
            let what = what.to_owned();
            move |error: io::Error| NotLaunched(format!("{what}: {error}"))
        };
        private_directory(&described.workspace, described.is_own)
            .map_err(failed("its workspace cannot be made"))?;
        let first = described.first_line()?;
        let log = log_of(server).map_err(|error| NotLaunched(error.to_string()))?;
        let arguments = self.arguments(described)?;
        let child = child::Starting {
            name: server.to_string(),
            arguments,
            directory: described.workspace.clone(),
            log,
        };
        let (started, thread) = child.start().map_err(failed("no thread for it"))?;
        self.wait_for(thread);
        let started = started
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into()));
        let started = started.map_err(failed("its sandbox cannot be started"))?;
        let input = Sender::from_owned_fd(started.input).map_err(failed("its input"))?;
        let output = Receiver::from_owned_fd(started.output).map_err(failed("its output"))?;
        let mut pipe = Pipe {
            output: Box::new(output),
            input: Box::new(input),
            ending: Box::new(started.ending),
        };
        if let Some(line) = first {
            use tokio::io::AsyncWriteExt as _;
            let told = tokio::time::timeout(FIRST_LINE, pipe.input.write_all(&line)).await;
            let told = told.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
            told.map_err(failed("it does not read what it serves"))?;
        }
        Ok(pipe)
    }

    /// The command line of the server's own run.
    fn arguments(&self, described: &Described) -> Result<Vec<String>, NotLaunched> {
        let text = |path: &Path| path.display().to_string();
        let mut arguments = Vec::new();
        if let Some(config) = &self.config {
            arguments.extend(["--config".to_owned(), text(config)]);
        }
        let parent = rustix::process::getpid().as_raw_nonzero().to_string();
        arguments.extend(["run", "--quiet"].map(str::to_owned));
        for (option, value) in [
            ("--hosted-by", self.run.to_string()),
            ("--hosted-parent", parent),
            ("--agent", format!("mcp-{}", described.name)),
            ("--profile", described.profile.clone()),
            ("--workspace", text(&described.workspace)),
        ] {
            arguments.extend([option.to_owned(), value]);
        }
        for path in &described.read {
            arguments.extend(["--read".to_owned(), path.clone()]);
        }
        for (name, value) in &described.environment {
            arguments.extend(["--env".to_owned(), format!("{name}={value}")]);
        }
        let mut command = described.command.clone();
        if command.is_empty() {
            let own = std::env::current_exe();
            let own = own.map_err(|error| NotLaunched(format!("where am I? {error}")))?;
            arguments.extend(["--read".to_owned(), text(&own)]);
            command = vec![text(&own), "mcp".to_owned(), "serve".to_owned()];
        }
        arguments.push("--".to_owned());
        arguments.extend(command);
        Ok(arguments)
    }
}

impl Launch for Launcher {
    fn launch<'a>(&'a self, server: &'a ServerName) -> Launching<'a> {
        Box::pin(self.start(server))
    }

    fn most(&self, server: &ServerName) -> usize {
        let described = self.described.get(server);
        described.map_or(0, |it| usize::from(it.sessions))
    }

    fn look(&self, server: &ServerName) -> String {
        match log_of(server) {
            Ok(log) => format!("a person can look at {}", log.display()),
            Err(_) => "a person can look at `ringfence events`".to_owned(),
        }
    }
}

/// What a server writes to its standard error is kept there.
fn log_of(server: &ServerName) -> anyhow::Result<PathBuf> {
    let directory = paths::data()?.join("servers");
    private_directory(&directory, true)?;
    Ok(directory.join(format!("{server}.log")))
}

/// Makes a directory that nobody else may look into, where it is ours to make.
fn private_directory(path: &Path, is_own: bool) -> io::Result<()> {
    if !is_own {
        return Ok(());
    }
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

/// In the run of a server: has it end with the run that started it, however that ends.
pub(super) fn follow_parent(arguments: &RunArguments) -> Result<(), Failure> {
    let Some(parent) = arguments.hosted_parent else {
        return Ok(());
    };
    let followed = set_parent_process_death_signal(Some(Signal::KILL));
    followed.map_err(|error| Failure::internal(io::Error::from(error)))?;
    // It may have ended before that.
    if getppid().map(Pid::as_raw_pid) != Some(parent) {
        return Err(Failure::Internal(anyhow!(
            "the run that started this server has ended"
        )));
    }
    Ok(())
}

/// How long a server of our own may take to read what it serves.
const FIRST_LINE: std::time::Duration = std::time::Duration::from_secs(30);
