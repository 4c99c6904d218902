//! The init process: what `ringfence sandbox-init` does. It starts on the host, without any of
//! the launcher's memory, moves into new namespaces, builds the sandbox from the plan and
//! stays in it as pid 1. Policy, credentials and the gateway are never here.
//!
//! Two processes come of it: the *keeper*, which stays outside to clean up whatever happens,
//! and *pid 1*, which starts the command and hands out connections. What needs no plan, the
//! namespaces and the network, is made while the launcher still writes the plan.

mod agent;
pub(crate) mod cgroup;
mod confine;
mod identity;
mod keeper;
pub(crate) mod landlock;
mod left;
pub(crate) mod network;
pub(crate) mod probe;
mod replace;
mod root;
pub(crate) mod seccomp;
mod selftest;
mod supervise;
mod terminal;

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::process::{Signal, set_parent_process_death_signal};

use self::identity::Caller;
pub(crate) use self::keeper::Keeping;
use self::keeper::Step;
pub(crate) use self::left::{Left, Placeholder, lock, needed_by_others};
use crate::control::{Channel, Report};
use crate::spec::Spec;
use crate::weaken::Weakening;

/// Something that went wrong while the sandbox was being built.
#[derive(Debug, thiserror::Error)]
#[error("{step}: {error}")]
pub(crate) struct SetupError {
    step: &'static str,
    error: String,
}

impl SetupError {
    pub(crate) fn at<E: std::error::Error>(step: &'static str) -> impl FnOnce(E) -> Self {
        move |error| {
            let mut text = error.to_string();
            let mut cause = error.source();
            while let Some(inner) = cause {
                text = format!("{text}: {inner}");
                cause = inner.source();
            }
            Self { step, error: text }
        }
    }
}

/// What the launcher handed over: the plan and the command's standard streams.
pub(crate) struct Job {
    pub(crate) spec: Spec,
    /// What the given files of the plan hold.
    pub(crate) contents: File,
    /// Standard input, output and error; those that are a terminal outside are replaced.
    pub(crate) streams: Vec<OwnedFd>,
}

/// Runs the init process. Returns its exit code.
#[must_use]
pub fn main() -> i32 {
    keeper::run()
}

/// What pid 1 needs after building.
pub(crate) struct Built {
    /// The keeper: it says when this process is in its control group, or ends if that fails.
    pub(crate) keeper: Channel,
    pub(crate) terminal: Option<terminal::Slave>,
    pub(crate) filter: seccomp::Filter,
}

/// Builds the sandbox and lives in it. Returns pid 1's exit code, which nobody reads.
fn pid1(channel: &Channel, keeper: Channel, caller: Caller, weakening: &Weakening) -> i32 {
    match build(channel, keeper, caller, weakening) {
        Ok(Some((job, built))) => {
            // Without its keeper a sandbox would be taken for a dead one. Giving up
            // privileges cleared what was asked for earlier, so it is asked for here.
            let _ = set_parent_process_death_signal(Some(Signal::KILL));
            supervise::run(channel, &job, &built)
        }
        // There is no plan, because the launcher found that it cannot make one, or is gone.
        Ok(None) => INTERNAL_ERROR,
        Err(error) => keeper::fail(channel, error),
    }
}

/// Builds everything in the new namespaces and reports the listeners: first what is the same in
/// every sandbox, then what the plan says.
fn build(
    channel: &Channel,
    keeper: Channel,
    caller: Caller,
    weakening: &Weakening,
) -> Result<Option<(Job, Built)>, SetupError> {
    caller.map().map_err(SetupError::at("mapping the user"))?;
    let listeners = network::set_up(weakening).map_err(SetupError::at("setting up the network"))?;
    let filter = seccomp::Filter::compile(weakening);
    let Some(job) = receive(&keeper).map_err(SetupError::at("reading the plan"))? else {
        return Ok(None);
    };
    let spec = &job.spec;
    rustix::system::sethostname(spec.hostname.as_bytes())
        .map_err(SetupError::at("naming the host"))?;
    root::build(spec, &job.contents).map_err(SetupError::at("building the file system"))?;
    let terminal = spec
        .terminal
        .any()
        .then(terminal::open)
        .transpose()
        .map_err(SetupError::at("opening a terminal"))?;
    confine::pid1(&spec.weakening).map_err(SetupError::at("giving up privileges"))?;
    report_built(channel, &listeners, terminal.as_ref())
        .map_err(SetupError::at("handing out the listeners"))?;
    let built = Built {
        keeper,
        terminal: terminal.map(|terminal| terminal.slave),
        filter,
    };
    Ok(Some((job, built)))
}

/// Waits for the plan. None if there will be none.
fn receive(keeper: &Channel) -> io::Result<Option<Job>> {
    let Some((Step::Build, mut streams)) = keeper.receive::<Step>()? else {
        return Ok(None);
    };
    if streams.len() != 5 {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let spec = keeper::read(streams.remove(0))?;
    let contents = File::from(streams.remove(0));
    Ok(Some(Job {
        spec,
        contents,
        streams,
    }))
}

fn report_built(
    channel: &Channel,
    listeners: &network::Listeners,
    terminal: Option<&terminal::Terminal>,
) -> io::Result<()> {
    let mut fds = vec![listeners.tcp_v4.as_fd(), listeners.dns_v4.as_fd()];
    if let (Some(tcp), Some(dns)) = (&listeners.tcp_v6, &listeners.dns_v6) {
        fds.extend([tcp.as_fd(), dns.as_fd()]);
    }
    let report = Report::Built {
        v6: fds.len() == 4,
        terminal: terminal.is_some(),
    };
    fds.extend(terminal.map(|terminal| terminal.master.as_fd()));
    channel.send(&report, &fds)
}

/// The hidden subcommand of the one binary that runs [`main`].
pub const SUBCOMMAND: &str = "sandbox-init";

const INTERNAL_ERROR: i32 = 70;

/// User, mount, pid, network, IPC, host name and cgroup namespaces.
fn namespaces(weakening: &Weakening) -> u64 {
    let always = libc::CLONE_NEWUSER
        | libc::CLONE_NEWNS
        | libc::CLONE_NEWPID
        | libc::CLONE_NEWUTS
        | libc::CLONE_NEWCGROUP;
    [
        ("network-namespace", libc::CLONE_NEWNET),
        ("ipc-namespace", libc::CLONE_NEWIPC),
    ]
    .into_iter()
    .filter(|(name, _)| !weakening.is_off(name))
    .fold(always, |flags, (_, flag)| flags | flag)
    .cast_unsigned()
    .into()
}
