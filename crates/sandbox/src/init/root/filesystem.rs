//! New file systems by the mount API of Linux 5.2: configured by name and value, so no path
//! needs escaping, and attached by descriptor.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, fsconfig_create, fsconfig_set_flag,
    fsconfig_set_string, fsmount, fsopen, move_mount,
};

/// A file system that is configured but not mounted yet.
pub(in crate::init) struct FileSystem {
    context: OwnedFd,
    attributes: MountAttrFlags,
}

impl FileSystem {
    pub(in crate::init) fn new(kind: &str, attributes: MountAttrFlags) -> io::Result<Self> {
        let context = fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC)?;
        Ok(Self {
            context,
            attributes,
        })
    }

    pub(in crate::init) fn tmpfs(octets: u64, mode: u32) -> io::Result<Self> {
        let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
        let this = Self::new("tmpfs", attributes)?;
        this.set("size", &octets.to_string())?;
        this.set("mode", &format!("{mode:o}"))?;
        Ok(this)
    }

    /// An overlay whose layers are given by descriptor, so their paths may hold any character.
    pub(in crate::init) fn overlay(
        lower: &OwnedFd,
        upper: &OwnedFd,
        work: &OwnedFd,
    ) -> io::Result<Self> {
        let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
        let this = Self::new("overlay", attributes)?;
        let path = |fd: &OwnedFd| format!("/proc/self/fd/{}", fd.as_raw_fd());
        this.set("lowerdir", &path(lower))?;
        this.set("upperdir", &path(upper))?;
        this.set("workdir", &path(work))?;
        // The trusted.* attributes that overlayfs uses otherwise are for the host's root only.
        fsconfig_set_flag(&this.context, "userxattr")?;
        Ok(this)
    }

    pub(in crate::init) fn set(&self, key: &str, value: &str) -> io::Result<()> {
        Ok(fsconfig_set_string(&self.context, key, value)?)
    }

    /// Creates it and returns its root, not attached to any path.
    pub(in crate::init) fn detached(self) -> io::Result<OwnedFd> {
        fsconfig_create(&self.context)?;
        Ok(fsmount(
            &self.context,
            FsMountFlags::FSMOUNT_CLOEXEC,
            self.attributes,
        )?)
    }

    /// Creates it and attaches it at `target`.
    pub(in crate::init) fn mount(self, target: &OwnedFd) -> io::Result<()> {
        attach(&self.detached()?, target)
    }
}

/// Attaches a detached mount at the directory or file that `target` holds.
pub(in crate::init) fn attach(tree: &OwnedFd, target: &OwnedFd) -> io::Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    Ok(move_mount(tree, "", target, "", flags)?)
}
