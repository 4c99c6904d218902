//! Ways to a process of the host that is not reached by a network.

use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};

use super::Category::Ipc;
use super::{Attempt, Outcome, escaped_if_ok, unstaged};
use crate::sys;

pub(super) const ATTEMPTS: &[Attempt] = &[
    Ipc.attempt(
        "unix-socket",
        "connect to a unix socket of the host's",
        &["root"],
        |scene| match &scene.socket {
            Some(path) => escaped_if_ok(UnixStream::connect(path), "connected"),
            None => unstaged("unix socket"),
        },
    ),
    Ipc.attempt(
        "abstract-socket",
        "connect to an abstract unix socket of the host's",
        &["network-namespace", "landlock"],
        |scene| match &scene.abstract_socket {
            Some(name) => escaped_if_ok(abstract_socket(name), "connected"),
            None => unstaged("abstract unix socket"),
        },
    ),
    Ipc.attempt(
        "shared-memory",
        "attach a System V shared memory segment of the host's",
        &["ipc-namespace"],
        |scene| match scene.shared_memory {
            Some(key) => escaped_if_ok(segment(key), "the segment is there"),
            None => unstaged("shared memory segment"),
        },
    ),
    Ipc.attempt(
        "keyring",
        "add a key to the caller's keyring",
        &["seccomp", "keys"],
        |_| escaped_if_ok(keyring(), "the key was added"),
    ),
    Ipc.attempt(
        "terminal-injection",
        "type into a terminal with TIOCSTI",
        &["seccomp", "ioctl"],
        |_| reaches_kernel(libc::TIOCSTI),
    ),
    Ipc.attempt(
        "terminal-linux",
        "paste into a console with TIOCLINUX",
        &["seccomp", "ioctl"],
        |_| reaches_kernel(libc::TIOCLINUX),
    ),
    Ipc.attempt(
        "pid1-descriptors",
        "see what the descriptors of pid 1 are",
        &["dumpable", "landlock"],
        |_| {
            // The names are numbers and tell nothing; what they stand for does.
            escaped_if_ok(std::fs::read_link("/proc/1/fd/0"), "one of them was read")
        },
    ),
    Ipc.attempt(
        "pid1-environment",
        "read the environment of pid 1",
        &["dumpable", "landlock"],
        |_| escaped_if_ok(std::fs::read("/proc/1/environ"), "it was read"),
    ),
    Ipc.attempt(
        "pid1-root",
        "look at the file system through pid 1",
        &["dumpable", "landlock"],
        |_| escaped_if_ok(std::fs::read_dir("/proc/1/root/"), "it was listed"),
    ),
    Ipc.attempt(
        "pid1-trace",
        "attach to pid 1 as a debugger",
        &["dumpable", "landlock", "capabilities"],
        |_| {
            const PTRACE_SEIZE: usize = 0x4206;
            escaped_if_ok(
                sys::probe(libc::SYS_ptrace, [PTRACE_SEIZE, 1, 0, 0, 0, 0]),
                "attached",
            )
        },
    ),
    Ipc.attempt(
        "pid1-memory",
        "open the memory of pid 1",
        &["dumpable", "landlock", "capabilities"],
        |_| escaped_if_ok(std::fs::File::open("/proc/1/mem"), "it was opened"),
    ),
];

fn abstract_socket(name: &str) -> io::Result<UnixStream> {
    UnixStream::connect_addr(&SocketAddr::from_abstract_name(name)?)
}

/// Looks a segment up without making one.
fn segment(key: i32) -> io::Result<usize> {
    let key = usize::try_from(key).map_err(|_| io::ErrorKind::InvalidInput)?;
    sys::probe(libc::SYS_shmget, [key, 0, 0, 0, 0, 0])
}

fn keyring() -> io::Result<usize> {
    const SESSION_KEYRING: usize = usize::MAX - 2;
    let (kind, description, payload) = (c"user", c"ringfence-attempt", b"x");
    sys::probe(
        libc::SYS_add_key,
        [
            kind.as_ptr().addr(),
            description.as_ptr().addr(),
            payload.as_ptr().addr(),
            payload.len(),
            SESSION_KEYRING,
            0,
        ],
    )
}

/// The filter answers `EPERM`; any other answer comes from the kernel's terminal code.
fn reaches_kernel(request: u64) -> Outcome {
    let request = usize::try_from(request).unwrap_or_default();
    // Descriptor -1 is never a terminal, so nothing is typed even where the call gets through.
    match sys::probe(libc::SYS_ioctl, [usize::MAX, request, 0, 0, 0, 0]) {
        Err(error) if error.raw_os_error() == Some(libc::EPERM) => {
            Outcome::Stopped(error.to_string())
        }
        result => Outcome::Escaped(format!("the kernel answered: {result:?}")),
    }
}

/// A System V shared memory segment of the host's, to aim at.
#[derive(Debug)]
pub struct SharedMemory {
    key: i32,
    id: usize,
}

impl SharedMemory {
    /// Makes a segment with a key of its own.
    pub fn create() -> io::Result<Self> {
        const CREATE_EXCLUSIVE: usize = 0o1000 | 0o2000 | 0o600;
        let key = i32::try_from(std::process::id() & 0x00ff_ffff).unwrap_or(1) | 0x5200_0000;
        let id = sys::probe(
            libc::SYS_shmget,
            [
                usize::try_from(key).unwrap_or_default(),
                4096,
                CREATE_EXCLUSIVE,
                0,
                0,
                0,
            ],
        )?;
        Ok(Self { key, id })
    }

    /// Its key.
    #[must_use]
    pub const fn key(&self) -> i32 {
        self.key
    }

    /// Removes it.
    pub fn remove(self) {
        const REMOVE: usize = 0;
        let _ = sys::probe(libc::SYS_shmctl, [self.id, REMOVE, 0, 0, 0, 0]);
    }
}
