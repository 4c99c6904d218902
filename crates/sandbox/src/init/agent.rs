//! The last steps of the process that becomes the agent.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::Pid;
use serde::{Deserialize, Serialize};

use super::selftest::{self, Part};
use super::{Built, Job, SetupError, confine, replace};
use crate::control::Channel;
use crate::linux::is_null;
use crate::spec::Spec;
use crate::sys::{self, Forked};

/// What became of the attempt to start the command.
pub(crate) enum Start {
    /// It runs.
    Running(Running),
    /// It could not be executed: the code that a shell would use, and why.
    NotExecuted { code: i32, error: String },
    /// The self-test got out, so it was not executed.
    Escaped(Vec<String>),
}

/// The running command.
pub(crate) struct Running {
    pub(crate) pid: Pid,
    /// Where its renames wait for an answer, if there are protected files.
    pub(crate) renames: Option<OwnedFd>,
}

/// What the new process says until it has become the command.
#[derive(Serialize, Deserialize)]
enum Word {
    /// It is confined; the listener for its renames comes along.
    Confined,
    NotExecuted {
        code: i32,
        error: String,
    },
    Escaped(Vec<String>),
}

/// The process that becomes the command, once it is told to.
pub(crate) struct Waiting {
    channel: Channel,
    pid: Pid,
}

/// Tells the new process that the gateway serves.
#[derive(Serialize, Deserialize)]
struct Go;

/// Forks the process that confines itself and becomes the command.
pub(crate) fn fork(job: &Job, built: &Built) -> io::Result<Waiting> {
    let (ours, theirs) = Channel::pair()?;
    match sys::fork()? {
        Forked::Child => {
            drop(ours);
            let channel = Channel::from_fd(theirs);
            let word = become_command(job, built, &channel);
            let _ = channel.send(&word, &[]);
            sys::exit_now(CANNOT_EXECUTE)
        }
        Forked::Parent { pid, .. } => {
            drop(theirs);
            let pid = Pid::from_raw(pid).ok_or(io::ErrorKind::InvalidData)?;
            Ok(Waiting { channel: ours, pid })
        }
    }
}

impl Waiting {
    /// Lets it test the sandbox and become the command.
    pub(crate) fn start(self) -> io::Result<Start> {
        // One that could not even confine itself has ended, and left word why.
        let _ = self.channel.send(&Go, &[]);
        outcome(&self.channel, self.pid)
    }
}

/// The channel closes when the command is executed.
fn outcome(channel: &Channel, pid: Pid) -> io::Result<Start> {
    let mut renames = None;
    while let Some((word, mut fds)) = channel.receive::<Word>()? {
        match word {
            Word::Confined => renames = fds.pop(),
            Word::NotExecuted { code, error } => return Ok(Start::NotExecuted { code, error }),
            Word::Escaped(attempts) => return Ok(Start::Escaped(attempts)),
        }
    }
    Ok(Start::Running(Running { pid, renames }))
}

/// Returns only when it failed.
fn become_command(job: &Job, built: &Built, channel: &Channel) -> Word {
    if let Err(error) = prepare(job, built) {
        return Word::NotExecuted {
            code: CANNOT_EXECUTE,
            error: error.to_string(),
        };
    }
    let mut escaped = selftest::run(&job.spec, Part::Alone);
    if let Err(error) = hand_over_renames(job, channel) {
        return not_executed(&job.spec, &error);
    }
    match channel.receive::<Go>() {
        Ok(Some((Go, _))) => {}
        // Without pid 1 there is nobody to tell.
        _ => sys::exit_now(CANNOT_EXECUTE),
    }
    escaped.extend(selftest::run(&job.spec, Part::Network));
    if !escaped.is_empty() {
        return Word::Escaped(escaped);
    }
    not_executed(&job.spec, &execute(&job.spec))
}

fn not_executed(spec: &Spec, error: &io::Error) -> Word {
    let code = if error.kind() == io::ErrorKind::NotFound {
        NOT_FOUND
    } else {
        CANNOT_EXECUTE
    };
    let program = spec.command.first().cloned().unwrap_or_default();
    Word::NotExecuted {
        code,
        error: format!("{program}: {error}"),
    }
}

/// Takes the command's place and gives up everything that it must not have.
fn prepare(job: &Job, built: &Built) -> Result<(), SetupError> {
    take_place(job, built).map_err(SetupError::at("preparing the command"))?;
    confine::agent(&job.spec, &job.streams, &built.filter)
}

/// Returns only when it failed.
fn execute(spec: &Spec) -> io::Error {
    let Some((program, arguments)) = spec.command.split_first() else {
        return io::ErrorKind::NotFound.into();
    };
    command(program)
        .args(arguments)
        .env_clear()
        .envs(&spec.environment)
        .current_dir(&spec.directory)
        .exec()
}

/// Has renames over protected files done by pid 1; see [`replace`].
fn hand_over_renames(job: &Job, channel: &Channel) -> io::Result<()> {
    // The kernel takes a filter only from a process without a way to new privileges.
    if job.spec.protected_files.is_empty() || job.spec.weakening.is_off("no-new-privs") {
        return Ok(());
    }
    let listener = replace::listen()?;
    channel.send(&Word::Confined, &[listener.as_fd()])
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place where the agent's process is executed"
)]
fn command(program: &str) -> Command {
    Command::new(program)
}

/// Signals, process group, terminal and standard streams as a shell would set them.
fn take_place(job: &Job, built: &Built) -> io::Result<()> {
    rustix::process::setpgid(None, None)?;
    if let Some(terminal) = &built.terminal {
        terminal.foreground()?;
    }
    let terminal = job.spec.terminal;
    let choose = |index: usize, is_terminal: bool| -> io::Result<OwnedFd> {
        match &built.terminal {
            Some(slave) if is_terminal => slave.duplicate(),
            _ => stream(job.streams.get(index).ok_or(io::ErrorKind::InvalidInput)?),
        }
    };
    rustix::stdio::dup2_stdin(choose(0, terminal.stdin)?)?;
    rustix::stdio::dup2_stdout(choose(1, terminal.stdout)?)?;
    rustix::stdio::dup2_stderr(choose(2, terminal.stderr)?)?;
    sys::reset_signals()
}

/// The stream as the command gets it. The null device is opened again, in the sandbox's own
/// `/dev`: by the host's, its owner could change its mode.
fn stream(fd: &OwnedFd) -> io::Result<OwnedFd> {
    if !is_null(&rustix::fs::fstat(fd)?) {
        return fd.try_clone();
    }
    let null = File::options().read(true).write(true).open("/dev/null")?;
    Ok(null.into())
}

/// A shell's exit codes for a command that is not there or cannot be run.
const NOT_FOUND: i32 = 127;
const CANNOT_EXECUTE: i32 = 126;
