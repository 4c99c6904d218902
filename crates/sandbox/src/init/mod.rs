//! The init process: what `ringfence sandbox-init` does. It starts on the host, without any of
//! the launcher's memory, moves into new namespaces, builds the sandbox from the plan and
//! stays in it as pid 1. Policy, credentials and the gateway are never here.
//!
//! Two processes come of it: the *keeper*, which stays outside to clean up whatever happens,
//! and *pid 1*, which starts the command and hands out connections.

mod agent;
pub(crate) mod cgroup;
mod confine;
mod identity;
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
use std::io::{self, Read, Seek};
use std::os::fd::{AsFd, OwnedFd};

use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Signal, WaitId, WaitIdOptions, set_parent_process_death_signal};

use self::identity::Caller;
pub(crate) use self::left::{Left, Placeholder, lock, needed_by_others};
use crate::control::{Channel, Order, Report};
use crate::spec::Spec;
use crate::sys::{self, Forked};
use crate::weaken::{self, Weakening};

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
    /// Standard input, output and error; those that are a terminal outside are replaced.
    pub(crate) streams: Vec<OwnedFd>,
    left: Left,
}

/// Runs the keeper, and in the new namespaces pid 1. Standard input is the control channel.
///
/// Returns the exit code of the keeper: 0, whatever became of the command.
#[must_use]
pub fn main() -> i32 {
    match prepare() {
        Ok((channel, job)) => keep(channel, &job),
        Err(_) => INTERNAL_ERROR,
    }
}

/// Takes the channel off standard input and reads the plan.
fn prepare() -> io::Result<(Channel, Job)> {
    // A terminal's Ctrl-C is the launcher's to pass on.
    rustix::process::setsid()?;
    // What the launcher's own caller left open is not ours either.
    if !weaken::keeps_descriptors() {
        sys::close_from(3)?;
    }
    let channel = Channel::from_fd(rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?);
    let null = File::options().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    let Some((Order::Build, mut fds)) = channel.receive::<Order>()? else {
        return Err(io::ErrorKind::UnexpectedEof.into());
    };
    if fds.len() != 4 {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let streams = fds.split_off(1);
    let plan = fds.pop().ok_or(io::ErrorKind::InvalidData)?;
    let (spec, left) = read_plan(File::from(plan))?;
    let job = Job {
        spec,
        streams,
        left,
    };
    Ok((channel, job))
}

fn read_plan(mut file: File) -> io::Result<(Spec, Left)> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(serde_json::from_slice(&bytes)?)
}

/// Starts pid 1 and waits for its end; then removes what it left on the host.
fn keep(channel: Channel, job: &Job) -> i32 {
    // Held to the end: a run without this lock is dead, and others clean up after it.
    let _alive = job.left.hold();
    let fail = |error: SetupError| {
        let SetupError { step, error } = error;
        let report = Report::Failed {
            step: step.to_owned(),
            error,
        };
        // Without a channel there is nobody to tell.
        let _ = channel.send(&report, &[]);
        INTERNAL_ERROR
    };
    let cgroup = match cgroup::Cgroup::create(&job.spec) {
        Ok(cgroup) => cgroup,
        Err(error) => return fail(error),
    };
    let (bounded, bounding) = match pipe_with(PipeFlags::CLOEXEC) {
        Ok(ends) => ends,
        Err(error) => return fail(SetupError::at("making a pipe")(error)),
    };
    let caller = Caller::current();
    caller.drop_groups();
    match sys::clone_into(namespaces(&job.spec.weakening)) {
        Ok(Forked::Child) => match build(&channel, job, caller, bounded) {
            Ok(built) => {
                // Without its keeper a sandbox would be taken for a dead one. Giving up
                // privileges cleared what was asked for earlier, so it is asked for here.
                let _ = set_parent_process_death_signal(Some(Signal::KILL));
                sys::exit_now(supervise::run(channel, job, built))
            }
            Err(error) => sys::exit_now(fail(error)),
        },
        Ok(Forked::Parent { pid, pidfd }) => {
            drop(channel);
            bound(&cgroup, pid, bounding, &job.spec);
            if let Some(pidfd) = pidfd {
                let _ =
                    rustix::process::waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED);
            }
            cgroup.remove();
            job.left.clean_up();
            0
        }
        Err(error) => fail(SetupError::at("making the namespaces")(error)),
    }
}

/// Moves pid 1 into its group and tells it so; it starts nothing before.
fn bound(cgroup: &cgroup::Cgroup, pid: i32, bounding: OwnedFd, spec: &Spec) {
    let admitted = cgroup.admit(pid);
    // For an ordinary user `setrlimit(2)` bounds the processes in any case; memory and the
    // host's root are bounded by the group alone.
    let is_needed = spec.limits.memory.is_some() || cgroup::is_uncounted();
    if admitted.is_ok() || !is_needed {
        let _ = rustix::io::write(&bounding, b"!");
    }
}

/// What pid 1 needs after building.
pub(crate) struct Built {
    /// Readable once this process is in its control group; closed if it cannot be.
    pub(crate) bounded: OwnedFd,
    pub(crate) terminal: Option<terminal::Slave>,
    pub(crate) filters: seccomp::Filters,
}

/// Builds everything in the new namespaces and reports the listeners.
fn build(
    channel: &Channel,
    job: &Job,
    caller: Caller,
    bounded: OwnedFd,
) -> Result<Built, SetupError> {
    let spec = &job.spec;
    caller.map().map_err(SetupError::at("mapping the user"))?;
    rustix::system::sethostname(spec.hostname.as_bytes())
        .map_err(SetupError::at("naming the host"))?;
    let listeners =
        network::set_up(&spec.weakening).map_err(SetupError::at("setting up the network"))?;
    root::build(spec).map_err(SetupError::at("building the file system"))?;
    let filters = seccomp::Filters::compile(&spec.weakening)
        .map_err(SetupError::at("compiling the system call filter"))?;
    let terminal = spec
        .terminal
        .any()
        .then(terminal::open)
        .transpose()
        .map_err(SetupError::at("opening a terminal"))?;
    confine::pid1(&spec.weakening).map_err(SetupError::at("giving up privileges"))?;
    report_built(channel, &listeners, terminal.as_ref())
        .map_err(SetupError::at("handing out the listeners"))?;
    Ok(Built {
        bounded,
        terminal: terminal.map(|terminal| terminal.slave),
        filters,
    })
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
