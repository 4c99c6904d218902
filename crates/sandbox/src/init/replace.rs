//! Replacing a protected file by renaming another one over it, as git and most editors write.
//!
//! A protected file is a mount point, and the kernel refuses to rename over one. That refusal
//! is the protection; what is here only makes such programs work. The rename calls of the
//! sandbox wait for an answer from pid 1: one that aims at a protected file is done by copying
//! the new content into the private copy, every other one is left to the kernel. An agent that
//! fools this with changing memory or paths gets what it could have done by itself.

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags};

use crate::sys::{self, Answer, Instruction, Notification};

/// Installs the filter for this process and all that it starts, and returns its listener.
pub(super) fn listen() -> io::Result<OwnedFd> {
    sys::seccomp_listen(&program())
}

/// Answers one waiting call.
pub(super) fn answer(listener: &OwnedFd, protected: &[PathBuf]) {
    let Ok(call) = sys::seccomp_receive(listener.as_fd()) else {
        return;
    };
    let answer = match Rename::read(&call).and_then(|rename| rename.aimed_at(protected)) {
        Some((rename, target)) => match rename.copy_over(&target) {
            Ok(()) => Answer::Done,
            Err(error) => Answer::Failed(error.raw_os_error().unwrap_or(libc::EBUSY)),
        },
        None => Answer::Continue,
    };
    // The process may be gone; then nobody waits for the answer.
    let _ = sys::seccomp_answer(listener.as_fd(), call.id, answer);
}

/// A rename without special flags.
struct Rename {
    from: PathBuf,
    to: PathBuf,
}

impl Rename {
    /// Reads the paths from the caller's memory. None where that is not possible: the kernel
    /// then decides.
    fn read(call: &Notification) -> Option<Self> {
        let [a, b, c, d, flags, _] = call.arguments;
        let (from, to) = match call.number {
            #[cfg(target_arch = "x86_64")]
            libc::SYS_rename => ((None, a), (None, b)),
            libc::SYS_renameat => ((Some(a), b), (Some(c), d)),
            libc::SYS_renameat2 if flags == 0 => ((Some(a), b), (Some(c), d)),
            _ => return None,
        };
        let memory = File::open(format!("/proc/{}/mem", call.pid)).ok()?;
        Some(Self {
            from: resolve(call.pid, from.0, &text(&memory, from.1)?),
            to: resolve(call.pid, to.0, &text(&memory, to.1)?),
        })
    }

    /// The protected file that would be replaced, if it is one.
    fn aimed_at(self, protected: &[PathBuf]) -> Option<(Self, PathBuf)> {
        let name = self.to.file_name()?;
        if !protected.iter().any(|path| path.file_name() == Some(name)) {
            return None;
        }
        let target = real_path(&self.to).ok()?;
        protected.contains(&target).then_some((self, target))
    }

    fn copy_over(&self, target: &Path) -> io::Result<()> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let from = rustix::fs::openat(CWD, &self.from, flags, Mode::empty())?;
        let mut content = Vec::new();
        let mut from = File::from(from);
        check_source(&from.metadata()?, target)?;
        Read::by_ref(&mut from)
            .take(MOST_OCTETS)
            .read_to_end(&mut content)?;
        if from.read(&mut [0u8; 1])? != 0 {
            return Err(io::Error::from_raw_os_error(libc::EFBIG));
        }
        // Whoever holds a lease on a file (fcntl(2)) could keep pid 1 waiting for it.
        let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mut to = File::from(rustix::fs::openat(CWD, target, flags, Mode::empty())?);
        to.rewind()?;
        to.write_all(&content)?;
        to.set_len(u64::try_from(content.len()).unwrap_or(MOST_OCTETS))?;
        fs::remove_file(&self.from)
    }
}

/// Only a file that the kernel could have renamed there: pid 1 may read more than the agent, its
/// own files in /proc for example, and must not read them for it.
fn check_source(from: &fs::Metadata, target: &Path) -> io::Result<()> {
    if !from.is_file() {
        return Err(io::Error::from_raw_os_error(libc::EBUSY));
    }
    let parent = target.parent().ok_or(io::ErrorKind::InvalidInput)?;
    if fs::metadata(parent)?.dev() != from.dev() {
        return Err(io::Error::from_raw_os_error(libc::EXDEV));
    }
    Ok(())
}

/// A NUL-terminated string of the caller's.
fn text(memory: &File, address: u64) -> Option<PathBuf> {
    use std::os::unix::fs::FileExt;
    let mut buffer = vec![0u8; PATH_OCTETS];
    // The string may end before the mapping does, so a short read is enough.
    let length = memory.read_at(&mut buffer, address).ok()?;
    let bytes = buffer.get(..length)?;
    let end = bytes.iter().position(|byte| *byte == 0)?;
    Some(PathBuf::from(std::ffi::OsStr::from_bytes(
        bytes.get(..end)?,
    )))
}

/// The path as pid 1 can use it: relative ones start at the caller's directory or descriptor.
fn resolve(pid: u32, directory: Option<u64>, path: &Path) -> PathBuf {
    if path.is_absolute() {
        return path.to_owned();
    }
    // The kernel reads a descriptor as 32 bits; AT_FDCWD is negative.
    let directory = directory.and_then(|fd| u32::try_from(fd & 0xffff_ffff).ok());
    let base = match directory.map(u32::cast_signed) {
        Some(fd) if fd >= 0 => format!("/proc/{pid}/fd/{fd}"),
        _ => format!("/proc/{pid}/cwd"),
    };
    Path::new(&base).join(path)
}

/// Where the path leads, with its parents resolved and its last name not followed.
fn real_path(path: &Path) -> io::Result<PathBuf> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let found = rustix::fs::openat(CWD, path, flags, Mode::empty())?;
    fs::read_link(format!("/proc/self/fd/{}", found.as_raw_fd()))
}

/// `if the call is a rename, notify; else allow`, for the native architecture only: calls of
/// another one never get here, the first filter refuses them.
fn program() -> Vec<Instruction> {
    const LOAD_NUMBER: Instruction = (0x20, 0, 0, 0);
    const JUMP_IF_EQUAL: u16 = 0x15;
    const RETURN: u16 = 0x06;
    let calls: Vec<u32> = RENAMES
        .iter()
        .filter_map(|number| u32::try_from(*number).ok())
        .collect();
    let mut program = vec![LOAD_NUMBER];
    for (index, number) in calls.iter().enumerate() {
        // Jump over the remaining comparisons and the "allow".
        let skip = u8::try_from(calls.len() - index).unwrap_or(u8::MAX);
        program.push((JUMP_IF_EQUAL, skip, 0, *number));
    }
    program.push((RETURN, 0, 0, libc::SECCOMP_RET_ALLOW));
    program.push((RETURN, 0, 0, libc::SECCOMP_RET_USER_NOTIF));
    program
}

#[cfg(target_arch = "x86_64")]
const RENAMES: &[i64] = &[libc::SYS_rename, libc::SYS_renameat, libc::SYS_renameat2];
#[cfg(not(target_arch = "x86_64"))]
const RENAMES: &[i64] = &[libc::SYS_renameat, libc::SYS_renameat2];

/// Longest path that the kernel takes, with its NUL.
const PATH_OCTETS: usize = 4096;

/// Largest configuration file that is worth replacing.
const MOST_OCTETS: u64 = 16 * 1024 * 1024;
