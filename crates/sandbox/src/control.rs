//! The conversation between the launcher outside and the init process inside: one message per
//! packet of a unix socket, with descriptors beside it. Only these two ever hold its ends; the
//! agent never does.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use serde::{Deserialize, Serialize};

/// What the launcher says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Order {
    /// The plan and the contents of given files, in memory files, and the command's standard
    /// streams.
    Build,
    /// The gateway listens: test the sandbox, then start the command.
    Start,
    /// Send this signal to the command, or to its whole foreground group.
    Signal {
        /// The signal's number.
        number: i32,
        /// Whether a terminal would have sent it: then it goes to the group.
        group: bool,
    },
    /// Connect to this port of the sandbox's loopback and hand out the connection.
    Connect {
        /// The port.
        port: u16,
    },
}

/// What the init process says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Report {
    /// Everything is built; the listeners and, where asked for, the terminal come along.
    Built {
        /// Whether there are listeners for IPv6.
        v6: bool,
        /// Whether the terminal's master side comes last.
        terminal: bool,
    },
    /// It could not be built, or the command could not be started.
    Failed {
        /// What was being done.
        step: String,
        /// What the kernel said.
        error: String,
    },
    /// The self-test got out; the command was not started.
    Escaped {
        /// What got out, and how it is known.
        attempts: Vec<String>,
    },
    /// The command runs.
    Started,
    /// The command could not be executed: the code that a shell would use, 126 or 127.
    NotExecuted {
        /// 126 or 127.
        code: i32,
        /// Why.
        error: String,
    },
    /// The answer to [`Order::Connect`], with the connection if there is one.
    Connected {
        /// Whether a descriptor comes along.
        ok: bool,
    },
    /// The command was stopped by this signal, as by Ctrl-Z.
    Stopped {
        /// The signal's number.
        signal: i32,
    },
    /// The command ended.
    Exited {
        /// Its exit code, or 128 and the signal's number.
        code: i32,
    },
}

/// One end of the conversation.
#[derive(Debug)]
pub(crate) struct Channel(OwnedFd);

impl Channel {
    /// Two connected ends, closed on exec.
    pub(crate) fn pair() -> io::Result<(Self, OwnedFd)> {
        let (ours, theirs) = socketpair(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::CLOEXEC,
            None,
        )?;
        Ok((Self(ours), theirs))
    }

    pub(crate) const fn from_fd(fd: OwnedFd) -> Self {
        Self(fd)
    }

    pub(crate) fn send<T: Serialize>(&self, message: &T, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
        let bytes = serde_json::to_vec(message)?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_FDS))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !fds.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(fds)) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        sendmsg(
            &self.0,
            &[IoSlice::new(&bytes)],
            &mut ancillary,
            SendFlags::NOSIGNAL,
        )?;
        Ok(())
    }

    /// Waits for the next message. `None` says that the other side is gone.
    pub(crate) fn receive<T: for<'a> Deserialize<'a>>(
        &self,
    ) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
        let mut bytes = vec![0u8; MESSAGE_OCTETS];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_FDS))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut take = || {
            rustix::io::retry_on_intr(|| {
                recvmsg(
                    &self.0,
                    &mut [IoSliceMut::new(&mut bytes)],
                    &mut ancillary,
                    RecvFlags::CMSG_CLOEXEC,
                )
            })
        };
        let received = match take() {
            // The other side ended without reading all. The kernel says that once, before what
            // the other side said itself.
            Err(rustix::io::Errno::CONNRESET) => take(),
            received => received,
        };
        let received = match received {
            Ok(received) => received,
            Err(rustix::io::Errno::CONNRESET) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if received.bytes == 0 {
            return Ok(None);
        }
        let fds = ancillary
            .drain()
            .filter_map(|message| match message {
                RecvAncillaryMessage::ScmRights(fds) => Some(fds),
                _ => None,
            })
            .flatten()
            .collect();
        let content = bytes.get(..received.bytes).unwrap_or_default();
        Ok(Some((serde_json::from_slice(content)?, fds)))
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Longest message; the plan itself travels in a memory file.
const MESSAGE_OCTETS: usize = 16 * 1024;

/// Most descriptors beside one message.
const MOST_FDS: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_of_a_side_that_read_nothing_is_heard() {
        let (ours, theirs) = Channel::pair().unwrap();
        let theirs = Channel::from_fd(theirs);
        ours.send(&Order::Build, &[]).unwrap();
        theirs.send(&Report::Started, &[]).unwrap();
        drop(theirs);
        let heard = ours.receive::<Report>().unwrap();
        assert!(matches!(heard, Some((Report::Started, _))));
        assert!(ours.receive::<Report>().unwrap().is_none());
    }
}
