//! Starting the init process and talking to it.

use std::fs::File;
use std::io::{self, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{MemfdFlags, memfd_create};
use serde::Serialize;

use super::plan::{self, PlanError, Request};
use super::streams::Streams;
use crate::control::{Channel, Order, Report};
use crate::init::Left;
use crate::weaken::Weakening;

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// What was asked for cannot be done on this host.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The init process could not be started or talked to.
    #[error("cannot talk to the sandbox's init process")]
    Init(#[from] io::Error),
    /// The init process ended without a word.
    #[error("the sandbox's init process ended early")]
    Ended,
    /// A step of building the sandbox failed.
    #[error("{step}: {error}")]
    Build {
        /// What was being done.
        step: String,
        /// What the kernel said.
        error: String,
    },
    /// The self-test found a way out.
    #[error("the self-test got out of the sandbox: {}", .0.join("; "))]
    Escaped(Vec<String>),
    /// The command could not be executed.
    #[error("{error}")]
    NotExecuted {
        /// 126 or 127, as a shell says it.
        code: i32,
        /// Why.
        error: String,
    },
}

/// The listeners inside the sandbox, held outside.
#[derive(Debug)]
pub struct Listeners {
    /// Captures TCP over IPv4.
    pub tcp_v4: TcpListener,
    /// Captures TCP over IPv6; absent where the host has no IPv6.
    pub tcp_v6: Option<TcpListener>,
    /// Answers DNS, over IPv4 and IPv6.
    pub dns: Vec<UdpSocket>,
}

/// A sandbox that is built, but whose command does not run yet.
#[derive(Debug)]
pub struct Launched {
    /// The sandbox.
    pub sandbox: Sandbox,
    /// Its listeners; the gateway must serve them before the command is started.
    pub listeners: Listeners,
    /// The master side of its terminal, if it has one.
    pub terminal: Option<OwnedFd>,
}

/// A sandbox. Dropping it ends everything in it.
#[derive(Debug)]
pub struct Sandbox {
    channel: Arc<Channel>,
    keeper: Child,
    /// What this process cleans up if the keeper cannot.
    left: Option<Left>,
    alive: Option<File>,
}

/// Sends orders to a sandbox; may be used from any thread.
#[derive(Debug, Clone)]
pub struct Control(Arc<Channel>);

/// What happens in a running sandbox.
#[derive(Debug)]
pub enum Event {
    /// The command was stopped by this signal, as by Ctrl-Z.
    Stopped(i32),
    /// The answer to [`Control::connect`]: a connection, or none if nothing listens there.
    Connected(Option<OwnedFd>),
    /// The command ended with this exit code; 128 and the signal where one ended it.
    Exited(i32),
}

/// A sandbox whose init process begins with what needs no plan. Dropping it ends that.
#[derive(Debug)]
pub struct Prepared(Sandbox);

/// A sandbox whose init process is building it. The caller may do other work meanwhile.
#[derive(Debug)]
pub struct Building(Sandbox);

/// Starts a sandbox' init process. It has namespaces and a network by the time that the caller
/// knows what else is wanted.
pub fn prepare(weakening: &Weakening) -> Result<Prepared, LaunchError> {
    let (channel, theirs) = Channel::pair()?;
    let keeper = spawn_init(theirs, weakening.init_arguments())?;
    Ok(Prepared(Sandbox {
        channel: Arc::new(channel),
        keeper,
        left: None,
        alive: None,
    }))
}

impl Prepared {
    /// Begins to build what is asked for. `streams` are the command's standard input, output and
    /// error.
    pub fn begin(self, request: Request, streams: &Streams) -> Result<Building, LaunchError> {
        let Self(mut sandbox) = self;
        let plan = plan::plan(request, streams)?;
        sandbox.alive = Some(plan.alive);
        let spec = memory_file(&plan.spec)?;
        let keeping = memory_file(&plan.keeping);
        sandbox.left = Some(plan.keeping.left);
        let keeping = keeping?;
        let contents = memory(&plan.contents)?;
        let mut fds = vec![keeping.as_fd(), spec.as_fd(), contents.as_fd()];
        fds.extend(streams.fds());
        match sandbox.channel.send(&Order::Build, &fds) {
            // It has failed already; why is the next thing to be read.
            Err(error) if is_gone(&error) => {}
            sent => sent?,
        }
        Ok(Building(sandbox))
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
    )
}

/// Builds a sandbox.
pub fn launch(request: Request, streams: &Streams) -> Result<Launched, LaunchError> {
    prepare(&request.weakening)?
        .begin(request, streams)?
        .finish()
}

impl Building {
    /// Waits until it is built.
    pub fn finish(self) -> Result<Launched, LaunchError> {
        let Self(sandbox) = self;
        match sandbox.channel.receive::<Report>()? {
            Some((Report::Built { v6, terminal }, fds)) => {
                let (listeners, terminal) = unpack(fds, v6, terminal).ok_or(LaunchError::Ended)?;
                Ok(Launched {
                    sandbox,
                    listeners,
                    terminal,
                })
            }
            other => Err(failure(other.map(|(report, _)| report))),
        }
    }
}

impl Sandbox {
    /// Tests the sandbox from inside and starts the command.
    pub fn start(&self) -> Result<(), LaunchError> {
        self.channel.send(&Order::Start, &[])?;
        match self.channel.receive::<Report>()? {
            Some((Report::Started, _)) => Ok(()),
            other => Err(failure(other.map(|(report, _)| report))),
        }
    }

    /// A handle for sending orders.
    #[must_use]
    pub fn control(&self) -> Control {
        Control(Arc::clone(&self.channel))
    }

    /// Waits for what happens next. An end without a word counts as killed.
    pub fn next_event(&self) -> io::Result<Event> {
        loop {
            return Ok(match self.channel.receive::<Report>()? {
                Some((Report::Stopped { signal }, _)) => Event::Stopped(signal),
                Some((Report::Connected { .. }, mut fds)) => Event::Connected(fds.pop()),
                Some((Report::Exited { code }, _)) => Event::Exited(code),
                Some(_) => continue,
                None => Event::Exited(KILLED),
            });
        }
    }

    /// Ends what is left in the sandbox and waits until it is cleaned up.
    pub fn finish(&mut self) {
        // Pid 1 reads the end of the conversation and ends; the keeper cleans up after it.
        let _ = rustix::net::shutdown(&*self.channel, rustix::net::Shutdown::Both);
        let is_clean = self.keeper.wait().is_ok_and(|status| status.success());
        if let Some(left) = self.left.take().filter(|_| !is_clean) {
            left.clean_up();
        }
        drop(self.alive.take());
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.finish();
    }
}

impl Control {
    /// Whether the sandbox is over: pid 1, and so everything in it, has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        let mut ready = [PollFd::new(&*self.0, PollFlags::empty())];
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        poll(&mut ready, Some(&now)).is_ok_and(|count| count > 0)
    }

    /// Ends everything in the sandbox at once.
    pub fn end(&self) {
        // Pid 1 reads the end of the conversation; when it ends, so does all that is left.
        let _ = rustix::net::shutdown(&*self.0, rustix::net::Shutdown::Both);
    }

    /// Sends a signal to the command, or to its process group if a terminal would have.
    pub fn signal(&self, number: i32, group: bool) -> io::Result<()> {
        self.0.send(&Order::Signal { number, group }, &[])
    }

    /// Asks for a connection to a port of the sandbox's loopback; it comes as an [`Event`].
    pub fn connect(&self, port: u16) -> io::Result<()> {
        self.0.send(&Order::Connect { port }, &[])
    }
}

/// Starts this same program as the sandbox's init, with nothing but the channel: no
/// environment, no descriptors, none of this process' memory.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place where the init process is started"
)]
fn spawn_init(channel: OwnedFd, further: &[String]) -> io::Result<Child> {
    Command::new("/proc/self/exe")
        .arg0_init()
        .args(further)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::from(channel))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

trait InitCommand {
    fn arg0_init(&mut self) -> &mut Self;
}

impl InitCommand for Command {
    fn arg0_init(&mut self) -> &mut Self {
        use std::os::unix::process::CommandExt;
        self.arg0("ringfence").arg(crate::init::SUBCOMMAND)
    }
}

/// A plan may be larger than a message, so it travels in a file without a name.
fn memory_file<T: Serialize>(content: &T) -> io::Result<File> {
    memory(&[serde_json::to_vec(content)?])
}

fn memory(parts: &[Vec<u8>]) -> io::Result<File> {
    let mut file = File::from(memfd_create("ringfence-plan", MemfdFlags::CLOEXEC)?);
    for part in parts {
        file.write_all(part)?;
    }
    Ok(file)
}

fn unpack(fds: Vec<OwnedFd>, v6: bool, terminal: bool) -> Option<(Listeners, Option<OwnedFd>)> {
    let mut fds = fds.into_iter();
    let tcp_v4 = TcpListener::from(fds.next()?);
    let mut dns = vec![UdpSocket::from(fds.next()?)];
    let tcp_v6 = if v6 {
        let tcp = TcpListener::from(fds.next()?);
        dns.push(UdpSocket::from(fds.next()?));
        Some(tcp)
    } else {
        None
    };
    let terminal = if terminal { Some(fds.next()?) } else { None };
    let listeners = Listeners {
        tcp_v4,
        tcp_v6,
        dns,
    };
    Some((listeners, terminal))
}

fn failure(report: Option<Report>) -> LaunchError {
    match report {
        Some(Report::Failed { step, error }) => LaunchError::Build { step, error },
        Some(Report::Escaped { attempts }) => LaunchError::Escaped(attempts),
        Some(Report::NotExecuted { code, error }) => LaunchError::NotExecuted { code, error },
        _ => LaunchError::Ended,
    }
}

impl Streams {
    fn fds(&self) -> [BorrowedFd<'_>; 3] {
        [self.stdin.as_fd(), self.stdout.as_fd(), self.stderr.as_fd()]
    }
}

/// The exit code of a command that was killed.
const KILLED: i32 = 128 + 9;
