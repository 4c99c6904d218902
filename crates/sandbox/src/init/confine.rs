//! Giving up what a process does not need any more: the step from "may build a sandbox" to
//! "may only live in it". Nothing here can be undone by the process that did it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::OFlags;
use rustix::process::{DumpableBehavior, Resource, Rlimit};
use rustix::thread::{CapabilitySet, CapabilitySets};

use super::{SetupError, landlock, seccomp};
use crate::spec::{Access, Layer, Limits, Spec};
use crate::weaken::Weakening;

/// What pid 1 gives up once everything is built: all capabilities, and the right to be read.
pub(crate) fn pid1(weakening: &Weakening) -> io::Result<()> {
    if !weakening.is_off("dumpable") {
        // The agent runs as the same user; it must not read pid 1's memory or descriptors.
        rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    }
    if weakening.is_off("capabilities") {
        keep_capabilities()?;
    } else {
        drop_capabilities()?;
    }
    if !weakening.is_off("no-new-privs") {
        rustix::thread::set_no_new_privs(true)?;
    }
    Ok(())
}

/// What a process gives up just before it becomes the agent.
pub(crate) fn agent(
    spec: &Spec,
    streams: &[OwnedFd],
    filter: &seccomp::Filter,
) -> Result<(), SetupError> {
    if !spec.weakening.is_off("rlimits") {
        limit(&spec.limits).map_err(SetupError::at("setting limits"))?;
    }
    let landlock = !spec.without.contains(&Layer::Landlock) && !spec.weakening.is_off("landlock");
    if landlock {
        let rules = landlock::Rules {
            mounts: &spec.mounts,
            streams: streams
                .iter()
                .filter_map(|fd| regular(fd.as_fd()))
                .collect(),
        };
        landlock::restrict(&rules).map_err(SetupError::at("restricting the file system"))?;
    }
    filter
        .install()
        .map_err(SetupError::at("filtering system calls"))
}

fn drop_capabilities() -> io::Result<()> {
    rustix::thread::clear_ambient_capability_set()?;
    for capability in 0..=LAST_POSSIBLE_CAPABILITY {
        match crate::sys::drop_bounding(capability) {
            Ok(()) => {}
            // The kernel knows no more than it has.
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => break,
            Err(error) => return Err(error),
        }
    }
    let none = CapabilitySet::empty();
    rustix::thread::set_capabilities(
        None,
        CapabilitySets {
            effective: none,
            permitted: none,
            inheritable: none,
        },
    )?;
    Ok(())
}

/// Makes an ordinary user's capabilities outlive exec, as root's do by themselves. Test builds only.
fn keep_capabilities() -> io::Result<()> {
    let mut sets = rustix::thread::capabilities(None)?;
    sets.inheritable = sets.permitted;
    rustix::thread::set_capabilities(None, sets)?;
    for capability in sets.permitted {
        rustix::thread::configure_capability_in_ambient_set(capability, true)?;
    }
    Ok(())
}

fn limit(limits: &Limits) -> io::Result<()> {
    let bounds = [
        (Resource::Core, Some(0)),
        (Resource::Nproc, Some(limits.processes)),
        (Resource::Nofile, Some(limits.open_files)),
        (Resource::Memlock, Some(LOCKED_OCTETS)),
    ];
    for (resource, bound) in bounds {
        lower(resource, bound)?;
    }
    Ok(())
}

/// Sets a limit, never above what the caller's own hard limit is.
fn lower(resource: Resource, bound: Option<u64>) -> io::Result<()> {
    let hard = rustix::process::getrlimit(resource).maximum;
    let bound = match (bound, hard) {
        (Some(bound), Some(hard)) => Some(bound.min(hard)),
        (bound, hard) => bound.or(hard),
    };
    let limit = Rlimit {
        current: bound,
        maximum: bound,
    };
    Ok(rustix::process::setrlimit(resource, limit)?)
}

/// A standard stream that is a regular file, and what it was opened for.
fn regular(fd: BorrowedFd<'_>) -> Option<(BorrowedFd<'_>, Access)> {
    let stat = rustix::fs::fstat(fd).ok()?;
    // A file without a name cannot be opened again by name.
    if !rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file() || stat.st_nlink == 0 {
        return None;
    }
    let flags = rustix::fs::fcntl_getfl(fd).ok()?;
    let access = if flags.intersects(OFlags::WRONLY | OFlags::RDWR) {
        Access::Write
    } else {
        Access::Read
    };
    Some((fd, access))
}

/// Capabilities are numbered from 0; no kernel can have more than 64.
const LAST_POSSIBLE_CAPABILITY: u32 = 63;
const LOCKED_OCTETS: u64 = 64 * 1024 * 1024;
