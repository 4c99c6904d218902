//! The sandbox's own pseudo-terminal: the agent gets its slave side, the launcher its master
//! side. The person's real terminal never enters the sandbox, so nothing in there can type
//! into it or read from it.

use std::ffi::CStr;
use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{CWD, Mode, OFlags};
use rustix::pty::{OpenptFlags, openpt, ptsname, unlockpt};

/// Both sides of a new pseudo-terminal.
pub(crate) struct Terminal {
    pub(crate) master: OwnedFd,
    pub(crate) slave: Slave,
}

/// The side that programs use.
pub(crate) struct Slave(OwnedFd);

/// Opens a pseudo-terminal of the sandbox's own set.
pub(crate) fn open() -> io::Result<Terminal> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    unlockpt(&master)?;
    let name = ptsname(&master, Vec::new())?;
    let slave = open_slave(&name)?;
    Ok(Terminal {
        master,
        slave: Slave(slave),
    })
}

impl Slave {
    /// Makes it the controlling terminal of a new session that this process leads.
    pub(crate) fn control(&self) -> io::Result<()> {
        rustix::process::setsid()?;
        Ok(rustix::process::ioctl_tiocsctty(&self.0)?)
    }

    /// Puts the caller's process group into the foreground.
    pub(crate) fn foreground(&self) -> io::Result<()> {
        Ok(rustix::termios::tcsetpgrp(
            &self.0,
            rustix::process::getpid(),
        )?)
    }

    /// Another descriptor for it.
    pub(crate) fn duplicate(&self) -> io::Result<OwnedFd> {
        self.0.try_clone()
    }
}

fn open_slave(name: &CStr) -> io::Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(CWD, name, flags, Mode::empty())?)
}
