//! `/proc` for the sandbox's own processes. The kernel's switches in it are read-only and what
//! tells about the host is covered: a process that runs as the host's root without any
//! capability could still write some of them by being their owner.

use std::io;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags};
use rustix::mount::{MountAttrFlags, OpenTreeFlags};

use super::filesystem::{FileSystem, attach};
use super::target::Root;
use crate::weaken::Weakening;

/// Mounts `/proc` of the pid namespace that the caller is in.
pub(super) fn mount(root: &Root, weakening: &Weakening) -> io::Result<()> {
    let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID
        | MountAttrFlags::MOUNT_ATTR_NODEV
        | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    FileSystem::new("proc", attributes)?.mount(&root.mount_point(Path::new("/proc"), true)?)?;
    if weakening.is_off("proc-masks") {
        return Ok(());
    }
    for path in READ_ONLY {
        if let Some(place) = existing(root, path)? {
            protect(&place, &place)?;
        }
    }
    for path in COVERED {
        if let Some(place) = existing(root, path)? {
            cover(&place)?;
        }
    }
    Ok(())
}

/// Mounts `source` read-only over `place`.
fn protect(source: &std::os::fd::OwnedFd, place: &std::os::fd::OwnedFd) -> io::Result<()> {
    use std::os::fd::AsFd;
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_EMPTY_PATH;
    let tree = rustix::mount::open_tree(source, "", flags)?;
    crate::sys::mount_setattr(tree.as_fd(), false, libc::MOUNT_ATTR_RDONLY)?;
    attach(&tree, place)
}

/// Hides what is there: an empty directory over a directory, the null device over a file.
fn cover(place: &std::os::fd::OwnedFd) -> io::Result<()> {
    let kind = rustix::fs::FileType::from_raw_mode(rustix::fs::fstat(place)?.st_mode);
    if kind.is_dir() {
        return FileSystem::tmpfs(4096, 0o555)?.mount(place);
    }
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let null = rustix::fs::openat(CWD, "/dev/null", flags, Mode::empty())?;
    protect(&null, place)
}

fn existing(root: &Root, path: &str) -> io::Result<Option<std::os::fd::OwnedFd>> {
    match root.open(Path::new(path)) {
        Ok(place) => Ok(Some(place)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The kernel's switches: readable, because programs ask them for limits.
const READ_ONLY: [&str; 4] = ["/proc/sys", "/proc/irq", "/proc/bus", "/proc/fs"];

/// What tells about the host or acts on it.
const COVERED: &[&str] = &[
    "/proc/acpi",
    "/proc/asound",
    "/proc/bus/pci",
    "/proc/dynamic_debug",
    "/proc/kcore",
    "/proc/keys",
    "/proc/key-users",
    "/proc/kmsg",
    "/proc/kpagecgroup",
    "/proc/kpagecount",
    "/proc/kpageflags",
    "/proc/latency_stats",
    "/proc/mtrr",
    "/proc/pagetypeinfo",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/slabinfo",
    "/proc/sysrq-trigger",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/vmallocinfo",
    "/proc/vmcore",
];
