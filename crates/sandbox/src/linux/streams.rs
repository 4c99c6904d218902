//! The command's standard streams. A terminal is replaced by the sandbox's own, and the null
//! device is harmless. Output is copied through a pipe: an open file or a shared pipe would give
//! more than a stream (its mode, what others wrote into it, its reading end). Input that is a
//! pipe or a file open for reading is handed in as it is, because what a copy had read ahead
//! would be lost for the next command that reads there. All other input (a socket, a directory,
//! another device) would be a way out, so it stays outside and is copied as well.

mod copy;

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, OFlags, Stat};
use rustix::pipe::{PipeFlags, pipe_with};

pub use self::copy::Copies;
use crate::spec::Terminal;

/// What the command gets as its standard streams.
#[derive(Debug)]
pub struct Streams {
    pub(crate) stdin: OwnedFd,
    pub(crate) stdout: OwnedFd,
    pub(crate) stderr: OwnedFd,
    /// Which of them are a terminal here, to be replaced inside.
    pub terminal: Terminal,
    copies: Copies,
}

/// Makes the streams of a command out of this process' own.
pub fn prepare() -> io::Result<Streams> {
    let (stdin, stdout, stderr) = (io::stdin(), io::stdout(), io::stderr());
    let terminal = Terminal {
        stdin: rustix::termios::isatty(&stdin),
        stdout: rustix::termios::isatty(&stdout),
        stderr: rustix::termios::isatty(&stderr),
    };
    let (stdin, outputs) = (stdin.as_fd(), [stdout.as_fd(), stderr.as_fd()]);
    connect(stdin, outputs, terminal)
}

fn connect(
    stdin: BorrowedFd<'_>,
    [stdout, stderr]: [BorrowedFd<'_>; 2],
    terminal: Terminal,
) -> io::Result<Streams> {
    let mut copies = Copies::default();
    let first = output(stdout, terminal.stdout, &mut copies)?;
    // Through one pipe, what was written to both stays in its order.
    let second = if !terminal.stdout && is_same(stdout, stderr)? {
        first.try_clone()?
    } else {
        output(stderr, terminal.stderr, &mut copies)?
    };
    Ok(Streams {
        stdin: input(stdin, terminal.stdin)?,
        stdout: first,
        stderr: second,
        terminal,
        copies,
    })
}

impl Streams {
    /// Streams that are the null device: for commands that nobody watches.
    pub fn null() -> io::Result<Self> {
        Self::to(null()?)
    }

    /// Reads from nothing, and writes both outputs to `output`, which is handed in as it is.
    pub fn to(output: OwnedFd) -> io::Result<Self> {
        Ok(Self {
            stdin: null()?,
            stderr: output.try_clone()?,
            stdout: output,
            terminal: Terminal::default(),
            copies: Copies::default(),
        })
    }

    /// Closes this process' own ends, once the sandbox has its own. What remains is the copying.
    #[must_use]
    pub fn into_copies(self) -> Copies {
        self.copies
    }
}

fn input(fd: BorrowedFd<'_>, is_terminal: bool) -> io::Result<OwnedFd> {
    if is_terminal {
        return null();
    }
    if is_plain_input(fd)? {
        return fd.try_clone_to_owned();
    }
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
    copy::input(fd.try_clone_to_owned()?, writer)?;
    Ok(reader)
}

fn output(fd: BorrowedFd<'_>, is_terminal: bool, copies: &mut Copies) -> io::Result<OwnedFd> {
    if is_terminal {
        return null();
    }
    if is_null(&rustix::fs::fstat(fd)?) {
        return fd.try_clone_to_owned();
    }
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
    copies.add(reader, fd.try_clone_to_owned()?)?;
    Ok(writer)
}

fn null() -> io::Result<OwnedFd> {
    Ok(File::options()
        .read(true)
        .write(true)
        .open("/dev/null")?
        .into())
}

/// Whether it gives nothing but the input.
fn is_plain_input(fd: BorrowedFd<'_>) -> io::Result<bool> {
    let stat = rustix::fs::fstat(fd)?;
    let flags = rustix::fs::fcntl_getfl(fd)?;
    // A descriptor without the right to read is a handle for looking around.
    let is_read_only = flags & OFlags::RWMODE == OFlags::RDONLY && !flags.contains(OFlags::PATH);
    Ok(match FileType::from_raw_mode(stat.st_mode) {
        FileType::Fifo | FileType::RegularFile => is_read_only,
        _ => is_null(&stat),
    })
}

/// Whether both are one open file, as after `2>&1`.
fn is_same(one: BorrowedFd<'_>, other: BorrowedFd<'_>) -> io::Result<bool> {
    let (a, b) = (rustix::fs::fstat(one)?, rustix::fs::fstat(other)?);
    let flags = (
        rustix::fs::fcntl_getfl(one)?,
        rustix::fs::fcntl_getfl(other)?,
    );
    Ok((a.st_dev, a.st_ino) == (b.st_dev, b.st_ino) && flags.0 == flags.1)
}

/// The null device is number 1:3 on every Linux.
pub(crate) fn is_null(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode).is_char_device()
        && rustix::fs::major(stat.st_rdev) == 1
        && rustix::fs::minor(stat.st_rdev) == 3
}

#[cfg(test)]
mod tests;
