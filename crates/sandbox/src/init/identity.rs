//! Who the sandbox's processes are: the caller, and nobody else.

use std::io;

use rustix::process::{Gid, Uid, getegid, geteuid};

/// The caller's ids as the host knows them. Inside a new user namespace they have no name
/// until they are mapped, so they are read before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller {
    user: Uid,
    group: Gid,
}

impl Caller {
    /// The user and group that this process runs as.
    pub(crate) fn current() -> Self {
        Self {
            user: geteuid(),
            group: getegid(),
        }
    }

    /// Gives up the caller's supplementary groups where the caller may do that (as root): files
    /// that are open to one of the host's groups would be open to the agent.
    pub(crate) fn drop_groups(self) {
        if self.user.is_root() {
            // An ordinary user may not; then the groups appear inside as "nobody".
            let _ = rustix::thread::set_thread_groups(&[]);
        }
    }

    /// Maps these ids into the new user namespace of this process, and no others.
    pub(crate) fn map(self) -> io::Result<()> {
        std::fs::write("/proc/self/setgroups", "deny")?;
        std::fs::write(
            "/proc/self/uid_map",
            format!("{0} {0} 1", self.user.as_raw()),
        )?;
        std::fs::write(
            "/proc/self/gid_map",
            format!("{0} {0} 1", self.group.as_raw()),
        )
    }
}
