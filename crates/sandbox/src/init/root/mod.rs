//! The file system of a sandbox: a fresh root in memory into which the plan's mounts are put,
//! one after the other, before the old root is detached for good.
//!
//! Sources are opened before anything is covered and are then used by descriptor. Targets are
//! resolved below the new root only (`RESOLVE_IN_ROOT`), so a symbolic link in a mounted tree
//! cannot lead a later mount out of it.

mod devices;
mod files;
pub(super) mod filesystem;
mod proc;
mod target;

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
use rustix::mount::{MountPropagationFlags, OpenTreeFlags, UnmountFlags};

use self::filesystem::{FileSystem, attach};
use self::target::Root;
use crate::spec::{Access, Mount, Spec};
use crate::weaken::Weakening;

/// Why the file system could not be built: which step, and what the kernel said.
#[derive(Debug, thiserror::Error)]
#[error("{step}")]
pub(super) struct RootError {
    step: String,
    #[source]
    source: io::Error,
}

/// Builds the file system of `mounts` and makes it the root of this mount namespace.
///
/// `contents` is what the given files among them hold.
pub(crate) fn build(spec: &Spec, contents: &File) -> Result<(), RootError> {
    rustix::mount::mount_change(
        "/",
        MountPropagationFlags::REC | MountPropagationFlags::PRIVATE,
    )
    .map_err(at_step("making the mounts private"))?;
    let Spec {
        mounts, weakening, ..
    } = spec;
    let sources = mounts
        .iter()
        .map(|mount| {
            Source::open(mount, &spec.workspace, contents).map_err(at_step(&describe(mount)))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let root = Root::new().map_err(at_step("making the new root"))?;
    for (mount, source) in mounts.iter().zip(sources) {
        place(&root, mount, source, weakening).map_err(at_step(&describe(mount)))?;
    }
    enter(&root, weakening).map_err(at_step("entering the new root"))
}

/// A source of the host's file system, held by descriptor, or a content.
enum Source<'a> {
    None,
    Tree(OwnedFd),
    Content(Vec<u8>),
    Contents(&'a File),
    Layers {
        lower: OwnedFd,
        upper: OwnedFd,
        work: OwnedFd,
    },
}

impl<'a> Source<'a> {
    fn open(mount: &Mount, workspace: &Path, contents: &'a File) -> io::Result<Self> {
        Ok(match mount {
            Mount::Bind { from, .. } if from.starts_with(workspace) => {
                Self::Tree(clone_plain(from)?)
            }
            Mount::Bind { from, .. } => Self::Tree(clone_tree(from)?),
            Mount::Link { at } => Self::Tree(clone_link(at)?),
            Mount::Overlay {
                lower, upper, work, ..
            } => Self::Layers {
                lower: open_path(lower)?,
                upper: open_path(upper)?,
                work: open_path(work)?,
            },
            Mount::Copy { path } => match files::read(path)? {
                Some(content) => Self::Content(content),
                None => Self::Tree(clone_tree(path)?),
            },
            Mount::Given { .. } => Self::Contents(contents),
            _ => Self::None,
        })
    }
}

fn place(root: &Root, mount: &Mount, source: Source<'_>, weakening: &Weakening) -> io::Result<()> {
    match (mount, source) {
        (Mount::Bind { at, access, .. }, Source::Tree(tree)) => {
            bind(root, &tree, at, attributes(*access, weakening))
        }
        (Mount::Copy { path }, Source::Tree(tree)) => {
            bind(root, &tree, path, attributes(Access::Read, weakening))
        }
        (Mount::Copy { path }, Source::Content(content)) => root.file(path)?.write_all(&content),
        (
            Mount::Given {
                at,
                instead_of,
                start,
                octets,
            },
            Source::Contents(contents),
        ) => {
            let file = files::give(root, at, contents, *start..start.saturating_add(*octets))?;
            let attributes = attributes(Access::Read, weakening);
            instead_of
                .iter()
                .try_for_each(|place| bind(root, &clone_place(&file)?, place, attributes))
        }
        // A link that is a mount point can be followed, but neither removed nor replaced.
        (Mount::Link { at }, Source::Tree(link)) => attach(&link, &root.open_link(at)?),
        (Mount::Overlay { at, .. }, Source::Layers { lower, upper, work }) => {
            FileSystem::overlay(&lower, &upper, &work)?.mount(&root.mount_point(at, true)?)
        }
        (Mount::Tmpfs { at, octets, mode }, _) => {
            FileSystem::tmpfs(*octets, *mode)?.mount(&root.mount_point(at, true)?)
        }
        (Mount::Symlink { target, at }, _) => root.symlink(target, at),
        (Mount::File { at, content }, _) => root.file(at)?.write_all(content),
        (Mount::Proc, _) => proc::mount(root, weakening),
        (Mount::Dev, _) => devices::mount(root),
        (
            Mount::Bind { .. }
            | Mount::Link { .. }
            | Mount::Overlay { .. }
            | Mount::Copy { .. }
            | Mount::Given { .. },
            _,
        ) => Err(io::ErrorKind::InvalidInput.into()),
    }
}

fn attributes(access: Access, weakening: &Weakening) -> u64 {
    if access == Access::Read && !weakening.is_off("read-only") {
        READ_ONLY
    } else {
        HARMLESS
    }
}

fn bind(root: &Root, tree: &OwnedFd, at: &Path, attributes: u64) -> io::Result<()> {
    crate::sys::mount_setattr(tree.as_fd(), true, attributes)?;
    attach(tree, &root.mount_point(at, is_directory(tree)?)?)
}

/// Makes the new root the root and lets go of the old one, so that no path leads back.
fn enter(root: &Root, weakening: &Weakening) -> io::Result<()> {
    if !weakening.is_off("read-only") {
        root.make_read_only()?;
    }
    root.enter()?;
    // The old root is stacked below the new one now; detaching "." takes the upper mount off.
    rustix::process::pivot_root(".", ".")?;
    if weakening.is_off("pivot") {
        return Ok(());
    }
    rustix::mount::unmount(".", UnmountFlags::DETACH)?;
    rustix::process::chdir("/")?;
    Ok(())
}

fn clone_tree(path: &Path) -> io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_RECURSIVE;
    Ok(rustix::mount::open_tree(CWD, path, flags)?)
}

fn clone_link(path: &Path) -> io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_SYMLINK_NOFOLLOW;
    Ok(rustix::mount::open_tree(CWD, path, flags)?)
}

/// Clones what is at a path of which no part is a link.
fn clone_plain(path: &Path) -> io::Result<OwnedFd> {
    clone_place(&open_plain(path, OFlags::PATH | OFlags::CLOEXEC)?)
}

/// Clones what a descriptor holds.
fn clone_place(place: &OwnedFd) -> io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_RECURSIVE
        | OpenTreeFlags::AT_EMPTY_PATH;
    Ok(rustix::mount::open_tree(place, "", flags)?)
}

/// Opens a layer of an overlay; no part of its path may be a link.
fn open_path(path: &Path) -> io::Result<OwnedFd> {
    open_plain(path, OFlags::PATH | OFlags::CLOEXEC | OFlags::DIRECTORY)
}

fn open_plain(path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
    let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    Ok(rustix::fs::openat2(
        CWD,
        path,
        flags,
        Mode::empty(),
        resolve,
    )?)
}

fn is_directory(fd: &OwnedFd) -> io::Result<bool> {
    let stat = rustix::fs::fstat(fd)?;
    Ok(rustix::fs::FileType::from_raw_mode(stat.st_mode).is_dir())
}

fn describe(mount: &Mount) -> String {
    match mount {
        Mount::Bind { from, at, .. } if from == at => format!("mounting {}", at.display()),
        Mount::Bind { from, at, .. } => format!("mounting {} at {}", from.display(), at.display()),
        Mount::Overlay { at, .. } => {
            format!("mounting the copy-on-write layer at {}", at.display())
        }
        Mount::Link { at } => format!("keeping the link {}", at.display()),
        Mount::Tmpfs { at, .. }
        | Mount::File { at, .. }
        | Mount::Given { at, .. }
        | Mount::Symlink { at, .. } => {
            format!("making {}", at.display())
        }
        Mount::Copy { path } => format!("copying {}", path.display()),
        Mount::Proc => "mounting /proc".to_owned(),
        Mount::Dev => "making /dev".to_owned(),
    }
}

fn at_step<E: Into<io::Error>>(step: &str) -> impl FnOnce(E) -> RootError {
    let step = step.to_owned();
    move |source| RootError {
        step,
        source: source.into(),
    }
}

/// No set-user-id program and no device node of a mounted tree has any effect.
const HARMLESS: u64 = libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV;
const READ_ONLY: u64 = HARMLESS | libc::MOUNT_ATTR_RDONLY;
