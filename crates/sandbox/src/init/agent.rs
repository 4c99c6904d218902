//! The last steps of the process that becomes the agent.

use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::Pid;

use super::{Built, Job, confine};
use crate::sys::{self, Forked};

/// What became of the attempt to start the command.
pub(crate) enum Start {
    /// It runs as this process.
    Running(Pid),
    /// It could not be executed: the code that a shell would use, and why.
    NotExecuted { code: i32, error: String },
}

/// Forks the process that confines itself and becomes the command.
pub(crate) fn start(job: &Job, built: &Built) -> io::Result<Start> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
    match sys::fork()? {
        Forked::Child => {
            drop(reader);
            let (code, error) = become_command(job, built);
            let mut message = code.to_ne_bytes().to_vec();
            message.extend_from_slice(error.as_bytes());
            let _ = std::fs::File::from(writer).write_all(&message);
            sys::exit_now(code)
        }
        Forked::Parent { pid, .. } => {
            drop(writer);
            let pid = Pid::from_raw(pid).ok_or(io::ErrorKind::InvalidData)?;
            Ok(outcome(reader, pid))
        }
    }
}

/// The pipe closes silently when the command was executed, and says why where it was not.
fn outcome(reader: OwnedFd, pid: Pid) -> Start {
    let mut message = Vec::new();
    let _ = std::fs::File::from(reader).read_to_end(&mut message);
    match message.split_first_chunk() {
        None => Start::Running(pid),
        Some((code, error)) => Start::NotExecuted {
            code: i32::from_ne_bytes(*code),
            error: String::from_utf8_lossy(error).into_owned(),
        },
    }
}

/// Returns only when it failed.
fn become_command(job: &Job, built: &Built) -> (i32, String) {
    if let Err(error) = take_place(job, built) {
        return (
            CANNOT_EXECUTE,
            format!("cannot prepare the command: {error}"),
        );
    }
    if let Err(error) = confine::agent(&job.spec, &job.streams, &built.filters) {
        return (CANNOT_EXECUTE, error.to_string());
    }
    let Some((program, arguments)) = job.spec.command.split_first() else {
        return (NOT_FOUND, "no command was given".to_owned());
    };
    let error = command(program)
        .args(arguments)
        .env_clear()
        .envs(&job.spec.environment)
        .current_dir(&job.spec.directory)
        .exec();
    let code = if error.kind() == io::ErrorKind::NotFound {
        NOT_FOUND
    } else {
        CANNOT_EXECUTE
    };
    (code, format!("{program}: {error}"))
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
            _ => job
                .streams
                .get(index)
                .ok_or(io::ErrorKind::InvalidInput)?
                .try_clone(),
        }
    };
    rustix::stdio::dup2_stdin(choose(0, terminal.stdin)?)?;
    rustix::stdio::dup2_stdout(choose(1, terminal.stdout)?)?;
    rustix::stdio::dup2_stderr(choose(2, terminal.stderr)?)?;
    sys::reset_signals()
}

/// A shell's exit codes for a command that is not there or cannot be run.
const NOT_FOUND: i32 = 127;
const CANNOT_EXECUTE: i32 = 126;
