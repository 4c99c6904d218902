//! The new root and the mount points in it.

use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::filesystem::{FileSystem, attach};

/// The root of the new file system, while it is being built.
pub(super) struct Root {
    root: OwnedFd,
    /// The directory that was looked up last: files come in groups.
    last: RefCell<Option<(PathBuf, Rc<OwnedFd>)>>,
}

impl Root {
    /// A new root in memory. It is attached over some directory that every host has, because
    /// kernels before 6.15 take mounts only below an attached one.
    pub(super) fn new() -> io::Result<Self> {
        let tree = FileSystem::tmpfs(ROOT_OCTETS, 0o755)?.detached()?;
        let base = BASES
            .iter()
            .find_map(|base| open_directory(base).ok())
            .ok_or(io::ErrorKind::NotFound)?;
        attach(&tree, &base)?;
        Ok(Self {
            root: tree,
            last: RefCell::default(),
        })
    }

    /// Opens the place at `path`, making it and its parents where they are missing.
    pub(super) fn mount_point(&self, path: &Path, directory: bool) -> io::Result<OwnedFd> {
        let (parent, name) = self.parent(path)?;
        if directory {
            self.forget();
        }
        let made = if directory {
            rustix::fs::mkdirat(&parent, name, Mode::from(0o755))
        } else {
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
            rustix::fs::openat(&parent, name, flags, Mode::from(0o644)).map(drop)
        };
        match made {
            Ok(()) => {
                let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                Ok(rustix::fs::openat(&parent, name, flags, Mode::empty())?)
            }
            // What is there already may be a link, or in a tree that cannot be written.
            Err(Errno::EXIST | Errno::ROFS | Errno::ACCESS | Errno::PERM) => self.open(path),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn symlink(&self, target: &Path, at: &Path) -> io::Result<()> {
        let (parent, name) = self.parent(at)?;
        Ok(rustix::fs::symlinkat(target, &parent, name)?)
    }

    /// Makes a file of the new root itself; what is mounted there already is not written to.
    pub(super) fn file(&self, at: &Path) -> io::Result<File> {
        let (parent, name) = self.parent(at)?;
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&parent, name, flags, Mode::from(0o644))?;
        Ok(file.into())
    }

    /// Makes the root itself read-only; what is mounted below keeps its own flags.
    pub(super) fn make_read_only(&self) -> io::Result<()> {
        use std::os::fd::AsFd;
        crate::sys::mount_setattr(self.root.as_fd(), false, libc::MOUNT_ATTR_RDONLY)
    }

    /// Changes into it.
    pub(super) fn enter(&self) -> io::Result<()> {
        Ok(rustix::process::fchdir(&self.root)?)
    }

    /// The directory that holds `path`, made where it is missing, and the last name.
    fn parent<'a>(&self, path: &'a Path) -> io::Result<(Rc<OwnedFd>, &'a Path)> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        if let Some((last, found)) = &*self.last.borrow()
            && last == parent
        {
            return Ok((Rc::clone(found), Path::new(name)));
        }
        let found = Rc::new(self.make(parent)?);
        *self.last.borrow_mut() = Some((parent.to_owned(), Rc::clone(&found)));
        Ok((found, Path::new(name)))
    }

    /// Opens a directory, made where it is missing.
    fn make(&self, parent: &Path) -> io::Result<OwnedFd> {
        if let Ok(found) = self.look(parent) {
            return Ok(found);
        }
        let mut made = PathBuf::from("/");
        for component in parent.components().skip(1) {
            made.push(component);
            if let Err(error) = self.look(&made) {
                if error.kind() != io::ErrorKind::NotFound {
                    return Err(error);
                }
                let (holder, last) = self.parent(&made)?;
                rustix::fs::mkdirat(&holder, last, Mode::from(0o755))?;
            }
        }
        self.look(parent)
    }

    /// Opens what is at `path`, seen from the new root.
    pub(super) fn open(&self, path: &Path) -> io::Result<OwnedFd> {
        self.forget();
        self.look(path)
    }

    /// A directory is to be covered: what was looked up may be in it, by whatever name.
    fn forget(&self) {
        self.last.take();
    }

    fn look(&self, path: &Path) -> io::Result<OwnedFd> {
        self.open_with(path, OFlags::PATH | OFlags::CLOEXEC)
    }

    /// Opens the symbolic link at `path` itself.
    pub(super) fn open_link(&self, path: &Path) -> io::Result<OwnedFd> {
        self.forget();
        self.open_with(path, OFlags::PATH | OFlags::CLOEXEC | OFlags::NOFOLLOW)
    }

    fn open_with(&self, path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        loop {
            match rustix::fs::openat2(&self.root, path, flags, Mode::empty(), resolve) {
                // The kernel gives up when the tree changes under it; it does not, for long.
                Err(Errno::AGAIN) => {}
                result => return Ok(result?),
            }
        }
    }
}

fn open_directory(path: &str) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(CWD, path, flags, Mode::empty())?)
}

/// Directories of which every host has one.
const BASES: [&str; 3] = ["/tmp", "/mnt", "/run"];

/// The root holds mount points, links and a few small files.
const ROOT_OCTETS: u64 = 16 * 1024 * 1024;
