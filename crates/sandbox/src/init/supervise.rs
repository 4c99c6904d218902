//! Pid 1: tests the sandbox, starts the command, reaps orphans, passes signals on, hands out
//! connections to the sandbox's own ports, and ends when the command or the launcher does.
//! When it ends, the kernel ends every process that is left.

mod connect;

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, wait};

use self::connect::{Connecting, Progress};
use super::agent::{self, Start};
use super::keeper::Step;
use super::{Built, Job, cgroup, replace};
use crate::control::{Channel, Order, Report};
use crate::sys;

/// Lives until the command has ended. Returns pid 1's exit code, which nobody reads.
pub(crate) fn run(channel: &Channel, job: &Job, built: &Built) -> i32 {
    match supervise(channel, job, built) {
        Ok(()) => 0,
        Err(error) => {
            let report = Report::Failed {
                step: "supervising the command".to_owned(),
                error: error.to_string(),
            };
            let _ = channel.send(&report, &[]);
            1
        }
    }
}

fn supervise(channel: &Channel, job: &Job, built: &Built) -> io::Result<()> {
    let signals = sys::child_signals()?;
    bound(&built.keeper)?;
    if let Some(terminal) = &built.terminal {
        terminal.control()?;
    }
    // The process that becomes the command confines itself while the gateway begins to serve.
    let waiting = agent::fork(job, built)?;
    let Some((Order::Start, _)) = channel.receive::<Order>()? else {
        return Ok(());
    };
    match waiting.start()? {
        Start::NotExecuted { code, error } => {
            channel.send(&Report::NotExecuted { code, error }, &[])
        }
        Start::Escaped(attempts) => channel.send(&Report::Escaped { attempts }, &[]),
        Start::Running(running) => {
            channel.send(&Report::Started, &[])?;
            let mut attended = Attended {
                channel,
                signals: &signals,
                command: running.pid,
                renames: running.renames.as_ref(),
                protected: &job.spec.protected_files,
                connecting: None,
            };
            attended.attend()
        }
    }
}

/// Waits until this process may start others, and goes through the doors of its control groups.
fn bound(keeper: &Channel) -> io::Result<()> {
    let refused = || io::Error::other("the sandbox could not be moved into its control group");
    let Some((Step::Bounded { is_needed }, doors)) = keeper.receive::<Step>()? else {
        return Err(refused());
    };
    match cgroup::enter(&doors) {
        Err(_) if is_needed => Err(refused()),
        _ => Ok(()),
    }
}

/// What the main loop looks after.
struct Attended<'a> {
    channel: &'a Channel,
    signals: &'a OwnedFd,
    command: Pid,
    renames: Option<&'a OwnedFd>,
    protected: &'a [PathBuf],
    /// The connection that the launcher waits for; it asks for one at a time.
    connecting: Option<Connecting>,
}

/// What there is to do.
struct Ready {
    ordered: bool,
    signalled: bool,
    renaming: PollFlags,
    connected: bool,
}

impl Attended<'_> {
    /// The main loop.
    fn attend(&mut self) -> io::Result<()> {
        loop {
            let ready = self.wait()?;
            match self.renames {
                Some(listener) if ready.renaming.contains(PollFlags::IN) => {
                    replace::answer(listener, self.protected);
                }
                // No process is left whose renames could wait.
                Some(_) if !ready.renaming.is_empty() => self.renames = None,
                _ => {}
            }
            if let Some(connecting) = self.connecting.take() {
                self.connecting = hand_out(self.channel, connecting.advance(ready.connected))?;
            }
            if ready.signalled {
                drain(self.signals);
                if let Some(code) = reap(self.channel, self.command)? {
                    return self.channel.send(&Report::Exited { code }, &[]);
                }
            }
            if ready.ordered {
                match self.channel.receive::<Order>()? {
                    Some((order, _)) => self.obey(&order)?,
                    // The launcher is gone, and with it the gateway.
                    None => return Ok(()),
                }
            }
        }
    }

    fn wait(&self) -> io::Result<Ready> {
        let socket = self.connecting.as_ref().map(Connecting::socket);
        let limit = self.connecting.as_ref().map(Connecting::remaining);
        // What there is none of is replaced by the signals, polled twice and then ignored.
        let renames = self.renames.unwrap_or(self.signals);
        let mut ready = [
            PollFd::new(self.channel, PollFlags::IN),
            PollFd::new(self.signals, PollFlags::IN),
            PollFd::from_borrowed_fd(renames.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(socket.unwrap_or(self.signals).as_fd(), PollFlags::OUT),
        ];
        match poll(&mut ready, limit.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let [ordered, signalled, renaming, connected] = ready.map(|fd| fd.revents());
        Ok(Ready {
            ordered: !ordered.is_empty(),
            signalled: !signalled.is_empty(),
            renaming,
            connected: !connected.is_empty(),
        })
    }

    fn obey(&mut self, order: &Order) -> io::Result<()> {
        match *order {
            Order::Signal { number, group } => signal(self.command, number, group),
            Order::Connect { port } => {
                self.connecting = hand_out(self.channel, connect::begin(port))?;
            }
            Order::Build | Order::Start => {}
        }
        Ok(())
    }
}

fn drain(signals: &OwnedFd) {
    let mut buffer = [0u8; 1024];
    while rustix::io::read(signals, &mut buffer[..]).is_ok_and(|length| length > 0) {}
}

/// Reaps all that ended. Returns the command's exit code once it has one.
fn reap(channel: &Channel, command: Pid) -> io::Result<Option<i32>> {
    let options = WaitOptions::NOHANG | WaitOptions::UNTRACED;
    while let Ok(Some((pid, status))) = wait(options) {
        if pid != command {
            continue;
        }
        match status.stopping_signal() {
            Some(signal) => channel.send(&Report::Stopped { signal }, &[])?,
            None => return Ok(Some(code_of(status))),
        }
    }
    Ok(None)
}

/// A command that has just ended cannot be signalled any more, which is no error.
fn signal(command: Pid, number: i32, group: bool) {
    let Some(signal) = Signal::from_named_raw(number) else {
        return;
    };
    let _ = if group {
        rustix::process::kill_process_group(command, signal)
    } else {
        rustix::process::kill_process(command, signal)
    };
}

/// Answers the launcher, unless there is no answer yet.
fn hand_out(channel: &Channel, progress: Progress) -> io::Result<Option<Connecting>> {
    match progress {
        Progress::Pending(connecting) => return Ok(Some(connecting)),
        Progress::Connected(connection) => {
            channel.send(&Report::Connected { ok: true }, &[connection.as_fd()])?;
        }
        Progress::Failed => channel.send(&Report::Connected { ok: false }, &[])?,
    }
    Ok(None)
}

fn code_of(status: WaitStatus) -> i32 {
    status
        .exit_status()
        .or_else(|| status.terminating_signal().map(|signal| SIGNALLED + signal))
        .unwrap_or(SIGNALLED)
}

/// A shell adds this to the signal that ended a command.
const SIGNALLED: i32 = 128;
