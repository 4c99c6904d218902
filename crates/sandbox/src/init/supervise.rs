//! Pid 1: tests the sandbox, starts the command, reaps orphans, passes signals on, hands out
//! connections to the sandbox's own ports, and ends when the command or the launcher does.
//! When it ends, the kernel ends every process that is left.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, wait};

use super::agent::{self, Running, Start};
use super::{Built, Job, replace};
use crate::control::{Channel, Order, Report};
use crate::sys;

/// Lives until the command has ended. Returns pid 1's exit code, which nobody reads.
pub(crate) fn run(channel: Channel, job: &Job, built: Built) -> i32 {
    match supervise(&channel, job, &built) {
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
    let Some((Order::Start, _)) = channel.receive::<Order>()? else {
        return Ok(());
    };
    if rustix::io::retry_on_intr(|| rustix::io::read(&built.bounded, &mut [0u8; 1]))? == 0 {
        return Err(io::Error::other(
            "memory cannot be bounded by a control group",
        ));
    }
    if let Some(terminal) = &built.terminal {
        terminal.control()?;
    }
    match agent::start(job, built)? {
        Start::NotExecuted { code, error } => {
            channel.send(&Report::NotExecuted { code, error }, &[])
        }
        Start::Escaped(attempts) => channel.send(&Report::Escaped { attempts }, &[]),
        Start::Running(running) => {
            channel.send(&Report::Started, &[])?;
            attend(channel, &signals, &running, &job.spec.protected_files)
        }
    }
}

/// The main loop.
fn attend(
    channel: &Channel,
    signals: &OwnedFd,
    running: &Running,
    protected: &[PathBuf],
) -> io::Result<()> {
    let command = running.pid;
    let mut renames = running.renames.as_ref();
    loop {
        let mut ready = [
            PollFd::new(channel, PollFlags::IN),
            PollFd::new(signals, PollFlags::IN),
            // Without protected files no rename waits, and the signals are polled twice.
            PollFd::from_borrowed_fd(renames.unwrap_or(signals).as_fd(), PollFlags::IN),
        ];
        match poll(&mut ready, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let [ordered, signalled, renaming] = ready.map(|fd| fd.revents());
        let (ordered, signalled) = (!ordered.is_empty(), !signalled.is_empty());
        match renames {
            Some(listener) if renaming.contains(PollFlags::IN) => {
                replace::answer(listener, protected);
            }
            // No process is left whose renames could wait.
            Some(_) if !renaming.is_empty() => renames = None,
            _ => {}
        }
        if signalled {
            drain(signals);
            if let Some(code) = reap(channel, command)? {
                return channel.send(&Report::Exited { code }, &[]);
            }
        }
        if ordered {
            match channel.receive::<Order>()? {
                Some((order, _)) => obey(channel, &order, command)?,
                // The launcher is gone, and with it the gateway.
                None => return Ok(()),
            }
        }
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

fn obey(channel: &Channel, order: &Order, command: Pid) -> io::Result<()> {
    match *order {
        Order::Signal { number, group } => {
            signal(command, number, group);
            Ok(())
        }
        Order::Connect { port } => hand_out(channel, port),
        Order::Build | Order::Start => Ok(()),
    }
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

/// Connects to a port of the sandbox's own loopback, for `--publish`.
fn hand_out(channel: &Channel, port: u16) -> io::Result<()> {
    let v4 = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, port));
    match connect(v4).or_else(|_| connect(v6)) {
        Ok(connection) => channel.send(&Report::Connected { ok: true }, &[connection.as_fd()]),
        Err(_) => channel.send(&Report::Connected { ok: false }, &[]),
    }
}

fn connect(address: SocketAddr) -> io::Result<OwnedFd> {
    let family = if address.is_ipv4() {
        AddressFamily::INET
    } else {
        AddressFamily::INET6
    };
    let socket = rustix::net::socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    rustix::net::connect(&socket, &address)?;
    Ok(socket)
}

fn code_of(status: WaitStatus) -> i32 {
    status
        .exit_status()
        .or_else(|| status.terminating_signal().map(|signal| SIGNALLED + signal))
        .unwrap_or(SIGNALLED)
}

/// A shell adds this to the signal that ended a command.
const SIGNALLED: i32 = 128;
