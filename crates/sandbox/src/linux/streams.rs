//! The command's standard streams. A pipe, a regular file and the null device are handed in as
//! they are. A terminal is replaced by the sandbox's own. Everything else (a socket, a
//! directory, another device) would be a way out, so it stays outside and is copied through a
//! pipe.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::thread;

use rustix::fs::{FileType, OFlags, Stat};
use rustix::pipe::{PipeFlags, pipe_with};

use crate::spec::Terminal;

/// What the command gets as its standard streams.
#[derive(Debug)]
pub struct Streams {
    pub(crate) stdin: OwnedFd,
    pub(crate) stdout: OwnedFd,
    pub(crate) stderr: OwnedFd,
    /// Which of them are a terminal here, to be replaced inside.
    pub terminal: Terminal,
}

/// Makes the streams of a command out of this process' own.
pub fn prepare() -> io::Result<Streams> {
    let (stdin, stdout, stderr) = (io::stdin(), io::stdout(), io::stderr());
    Ok(Streams {
        terminal: Terminal {
            stdin: rustix::termios::isatty(&stdin),
            stdout: rustix::termios::isatty(&stdout),
            stderr: rustix::termios::isatty(&stderr),
        },
        stdin: input(stdin.as_fd())?,
        stdout: output(stdout.as_fd())?,
        stderr: output(stderr.as_fd())?,
    })
}

impl Streams {
    /// Streams that are the null device: for commands that nobody watches.
    pub fn null() -> io::Result<Self> {
        Ok(Self {
            stdin: null()?,
            stdout: null()?,
            stderr: null()?,
            terminal: Terminal::default(),
        })
    }

    /// Reads from nothing, and writes both outputs to `output`.
    pub fn to(output: OwnedFd) -> io::Result<Self> {
        Ok(Self {
            stdin: null()?,
            stderr: output.try_clone()?,
            stdout: output,
            terminal: Terminal::default(),
        })
    }
}

fn input(fd: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    match kind(fd)? {
        Kind::Harmless => fd.try_clone_to_owned(),
        Kind::Terminal => null(),
        Kind::Foreign => {
            let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
            copy(fd.try_clone_to_owned()?, writer)?;
            Ok(reader)
        }
    }
}

fn output(fd: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    match kind(fd)? {
        Kind::Harmless => fd.try_clone_to_owned(),
        Kind::Terminal => null(),
        Kind::Foreign => {
            let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
            copy(reader, fd.try_clone_to_owned()?)?;
            Ok(writer)
        }
    }
}

/// Copies in a thread of its own until either side ends; the process does not wait for it.
fn copy(from: OwnedFd, to: OwnedFd) -> io::Result<()> {
    thread::Builder::new()
        .name("stream".to_owned())
        .spawn(move || io::copy(&mut File::from(from), &mut File::from(to)))?;
    Ok(())
}

fn null() -> io::Result<OwnedFd> {
    Ok(File::options()
        .read(true)
        .write(true)
        .open("/dev/null")?
        .into())
}

enum Kind {
    Harmless,
    Terminal,
    Foreign,
}

fn kind(fd: BorrowedFd<'_>) -> io::Result<Kind> {
    if rustix::termios::isatty(fd) {
        return Ok(Kind::Terminal);
    }
    let stat = rustix::fs::fstat(fd)?;
    Ok(match FileType::from_raw_mode(stat.st_mode) {
        FileType::Fifo => Kind::Harmless,
        // A descriptor without read or write rights is a handle for looking around.
        FileType::RegularFile if !rustix::fs::fcntl_getfl(fd)?.contains(OFlags::PATH) => {
            Kind::Harmless
        }
        FileType::CharacterDevice if is_null(&stat) => Kind::Harmless,
        _ => Kind::Foreign,
    })
}

/// The null device is number 1:3 on every Linux.
fn is_null(stat: &Stat) -> bool {
    rustix::fs::major(stat.st_rdev) == 1 && rustix::fs::minor(stat.st_rdev) == 3
}
