//! `/dev`: the devices that hold no state, a private set of pseudo-terminals, and nothing else.

use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use rustix::fs::CWD;
use rustix::mount::{MountAttrFlags, OpenTreeFlags};

use super::filesystem::{FileSystem, attach};
use super::target::Root;

/// Makes `/dev` below `root`.
pub(super) fn mount(root: &Root) -> io::Result<()> {
    FileSystem::tmpfs(DEV_OCTETS, 0o755)?.mount(&root.mount_point(Path::new("/dev"), true)?)?;
    for name in DEVICES {
        device(root, &Path::new("/dev").join(name))?;
    }
    let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    let terminals = FileSystem::new("devpts", attributes)?;
    terminals.set("ptmxmode", "0666")?;
    terminals.set("mode", "0620")?;
    terminals.mount(&root.mount_point(Path::new("/dev/pts"), true)?)?;
    FileSystem::tmpfs(SHARED_MEMORY_OCTETS, 0o1777)?
        .mount(&root.mount_point(Path::new("/dev/shm"), true)?)?;
    for (at, target) in LINKS {
        root.symlink(Path::new(target), Path::new(at))?;
    }
    Ok(())
}

/// The host's node, mounted: making one needs a privilege that no sandbox has.
fn device(root: &Root, path: &PathBuf) -> io::Result<()> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let tree = rustix::mount::open_tree(CWD, path, flags)?;
    // Devices can be written on a read-only mount, but who owns the node (as the host's root
    // does) cannot change its mode.
    let attributes = libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NOEXEC | libc::MOUNT_ATTR_RDONLY;
    crate::sys::mount_setattr(tree.as_fd(), false, attributes)?;
    attach(&tree, &root.mount_point(path, false)?)
}

const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];
const LINKS: [(&str, &str); 5] = [
    ("/dev/ptmx", "pts/ptmx"),
    ("/dev/fd", "/proc/self/fd"),
    ("/dev/stdin", "/proc/self/fd/0"),
    ("/dev/stdout", "/proc/self/fd/1"),
    ("/dev/stderr", "/proc/self/fd/2"),
];
const DEV_OCTETS: u64 = 1024 * 1024;
const SHARED_MEMORY_OCTETS: u64 = 1024 * 1024 * 1024;
