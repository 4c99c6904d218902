//! The keeper: the half of the init process that stays on the host. It makes pid 1 before there is
//! a plan, hands the plan on when it comes, bounds pid 1 by a control group, and cleans up after
//! its end, however it ends.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::fd::{AsFd, OwnedFd};

use rustix::process::{WaitId, WaitIdOptions};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::identity::Caller;
use super::{INTERNAL_ERROR, Left, SetupError, cgroup, namespaces, pid1};
use crate::control::{Channel, Order, Report};
use crate::spec::Bounds;
use crate::sys::{self, Forked};
use crate::weaken::Weakening;

/// What the launcher hands over for the keeper alone.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Keeping {
    pub(crate) left: Left,
    pub(crate) bounds: Bounds,
}

/// What the keeper says to pid 1.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Step {
    /// The plan, the contents of given files and the command's standard streams come along.
    Build,
    /// Pid 1 is in its control groups, but for those whose doors come along.
    Bounded {
        /// Whether nothing may be started outside of them.
        is_needed: bool,
    },
}

/// Runs the keeper, and in the new namespaces pid 1. Standard input is the control channel.
///
/// Returns the exit code of the keeper: 0, whatever became of the command.
pub(super) fn run() -> i32 {
    let weakening = Weakening::of_init();
    match prepare(&weakening) {
        Ok(channel) => keep(channel, &weakening),
        Err(_) => INTERNAL_ERROR,
    }
}

/// Takes the channel off standard input.
fn prepare(weakening: &Weakening) -> io::Result<Channel> {
    // A terminal's Ctrl-C is the launcher's to pass on.
    rustix::process::setsid()?;
    // What the launcher's own caller left open is not ours either.
    if !weakening.is_off("descriptors") {
        sys::close_from(3)?;
    }
    let channel = Channel::from_fd(rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?);
    let null = File::options().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    Ok(channel)
}

/// Starts pid 1 and waits for its end; then removes what it left on the host.
fn keep(channel: Channel, weakening: &Weakening) -> i32 {
    let (link, theirs) = match Channel::pair() {
        Ok(ends) => ends,
        Err(error) => return fail(&channel, SetupError::at("making a channel")(error)),
    };
    let caller = Caller::current();
    caller.drop_groups();
    match sys::clone_into(namespaces(weakening)) {
        Ok(Forked::Child) => {
            drop(link);
            let link = Channel::from_fd(theirs);
            sys::exit_now(pid1(&channel, link, caller, weakening))
        }
        Ok(Forked::Parent { pid, pidfd }) => {
            drop(theirs);
            attend(channel, &link, pid, pidfd)
        }
        Err(error) => fail(&channel, SetupError::at("making the namespaces")(error)),
    }
}

/// Says what failed. Without a channel there is nobody to tell.
pub(super) fn fail(channel: &Channel, error: SetupError) -> i32 {
    let SetupError { step, error } = error;
    let report = Report::Failed {
        step: step.to_owned(),
        error,
    };
    let _ = channel.send(&report, &[]);
    INTERNAL_ERROR
}

/// Hands the plan to pid 1, waits for its end and cleans up. Returns the keeper's exit code.
fn attend(channel: Channel, link: &Channel, pid: i32, pidfd: Option<OwnedFd>) -> i32 {
    let wait = || {
        if let Some(pidfd) = &pidfd {
            let _ = rustix::process::waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED);
        }
    };
    let keeping = match hand_over(&channel, link) {
        Ok(keeping) => keeping,
        Err(error) => {
            // Pid 1 has no plan and ends when nobody can send it one.
            let _ = rustix::net::shutdown(link, rustix::net::Shutdown::Both);
            wait();
            return fail(&channel, SetupError::at("reading the plan")(error));
        }
    };
    // Held to the end: a run without this lock is dead, and others clean up after it.
    let _alive = keeping.left.hold();
    let group = match cgroup::Cgroup::create(&keeping.bounds) {
        Ok(group) => bound(group, pid, link, &keeping.bounds),
        Err(error) => {
            fail(&channel, error);
            None
        }
    };
    if group.is_none() {
        // Nothing is started in a sandbox without its bounds.
        let _ = rustix::net::shutdown(link, rustix::net::Shutdown::Both);
    }
    // The launcher sees pid 1's end by the end of this channel.
    drop(channel);
    wait();
    if let Some(group) = group {
        group.remove();
    }
    keeping.left.clean_up();
    0
}

/// Receives the plan, passes it on at once and reads what is the keeper's.
fn hand_over(channel: &Channel, link: &Channel) -> io::Result<Keeping> {
    let Some((Order::Build, mut fds)) = channel.receive::<Order>()? else {
        return Err(io::ErrorKind::UnexpectedEof.into());
    };
    if fds.is_empty() {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let keeping = fds.remove(0);
    let fds: Vec<_> = fds.iter().map(AsFd::as_fd).collect();
    // Pid 1 may have failed already, and has said so itself.
    let _ = link.send(&Step::Build, &fds);
    read(keeping)
}

/// Reads a memory file.
pub(super) fn read<T: DeserializeOwned>(file: OwnedFd) -> io::Result<T> {
    let mut file = File::from(file);
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(serde_json::from_slice(&bytes)?)
}

/// Moves pid 1 into its group, or shows it the door; it starts nothing before. None if that is needed
/// and could not be done.
fn bound(
    group: cgroup::Cgroup,
    pid: i32,
    link: &Channel,
    bounds: &Bounds,
) -> Option<cgroup::Cgroup> {
    let doors = group.admit(pid);
    // For an ordinary user `setrlimit(2)` bounds the processes in any case; memory and the
    // host's root are bounded by the group alone.
    let is_needed = bounds.limits.memory.is_some() || cgroup::is_uncounted();
    if doors.is_err() && is_needed {
        group.remove();
        return None;
    }
    let doors = doors.unwrap_or_default();
    let doors: Vec<_> = doors.iter().map(AsFd::as_fd).collect();
    let _ = link.send(&Step::Bounded { is_needed }, &doors);
    Some(group)
}
