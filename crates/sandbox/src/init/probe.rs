//! What the host lets the owner of new namespaces do: the inside half of `ringfence doctor`.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;

use rustix::mount::{MountAttrFlags, MountPropagationFlags};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{WaitId, WaitIdOptions, waitid};
use serde::{Deserialize, Serialize};

use super::identity::Caller;
use super::root::filesystem::FileSystem;
use super::{namespaces, network};
use crate::sys::{self, Forked};
use crate::weaken::Weakening;

/// What was tried: nothing where it works, else what the kernel said.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Findings {
    pub(crate) namespaces: Option<String>,
    pub(crate) mounts: Option<String>,
    pub(crate) proc: Option<String>,
    pub(crate) nftables: Option<String>,
    pub(crate) overlay: Option<String>,
}

/// Tries everything in new namespaces. The caller must be single-threaded.
pub(crate) fn run() -> Findings {
    try_all().unwrap_or_else(|error| all_failed(&error))
}

fn try_all() -> io::Result<Findings> {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
    let caller = Caller::current();
    match sys::clone_into(namespaces(&Weakening::none()))? {
        Forked::Child => {
            drop(reader);
            let written = serde_json::to_vec(&inside(caller))
                .map_err(io::Error::from)
                .and_then(|bytes| File::from(writer).write_all(&bytes));
            sys::exit_now(i32::from(written.is_err()))
        }
        Forked::Parent { pidfd, .. } => {
            drop(writer);
            let mut bytes = Vec::new();
            File::from(reader).read_to_end(&mut bytes)?;
            if let Some(pidfd) = pidfd {
                waitid(WaitId::PidFd(pidfd.as_fd()), WaitIdOptions::EXITED)?;
            }
            Ok(serde_json::from_slice(&bytes)?)
        }
    }
}

fn inside(caller: Caller) -> Findings {
    let said = |result: io::Result<()>| result.err().map(|error| error.to_string());
    Findings {
        namespaces: said(caller.map()),
        mounts: said(mounts()),
        proc: said(proc()),
        nftables: said(network::probe_nftables()),
        overlay: said(overlay()),
    }
}

fn mounts() -> io::Result<()> {
    let flags = MountPropagationFlags::REC | MountPropagationFlags::PRIVATE;
    rustix::mount::mount_change("/", flags)?;
    let root = FileSystem::tmpfs(4096, 0o700)?.detached()?;
    sys::mount_setattr(root.as_fd(), true, libc::MOUNT_ATTR_RDONLY)
}

fn proc() -> io::Result<()> {
    FileSystem::new("proc", MountAttrFlags::empty())?
        .detached()
        .map(drop)
}

/// Mounts an overlay of directories in memory, which needs the same rights as one on disk.
fn overlay() -> io::Result<()> {
    use rustix::fs::{Mode, OFlags, mkdirat, openat};
    let base = FileSystem::tmpfs(1024 * 1024, 0o700)?.detached()?;
    let directory = |name: &str| {
        mkdirat(&base, name, Mode::from(0o700))?;
        openat(&base, name, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
    };
    let (lower, upper, work) = (directory("lower")?, directory("upper")?, directory("work")?);
    FileSystem::overlay(&lower, &upper, &work)?
        .detached()
        .map(drop)
}

fn all_failed(error: &io::Error) -> Findings {
    let said = Some(error.to_string());
    Findings {
        namespaces: said.clone(),
        mounts: said.clone(),
        proc: said.clone(),
        nftables: said.clone(),
        overlay: said,
    }
}
