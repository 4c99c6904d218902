//! Connecting to a port of the sandbox's own loopback, for `--publish`. The agent decides
//! whether its listener answers, so pid 1 never waits for it: it polls, for a bounded time.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};
use rustix::time::Timespec;

/// How far a connection has come.
#[derive(Debug)]
pub(super) enum Progress {
    /// It is there.
    Connected(OwnedFd),
    /// It is ready to be looked at again when its socket is writable.
    Pending(Connecting),
    /// Nobody listens, or nobody answers.
    Failed,
}

/// A connection that is being made.
#[derive(Debug)]
pub(super) struct Connecting {
    socket: OwnedFd,
    /// What is tried if this address fails.
    next: Option<SocketAddr>,
    deadline: Instant,
}

/// Begins to connect, over IPv4 and then over IPv6.
pub(super) fn begin(port: u16) -> Progress {
    let v4 = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, port));
    attempt(v4, Some(v6), Instant::now() + PATIENCE)
}

impl Connecting {
    /// The socket to poll for writing.
    pub(super) const fn socket(&self) -> &OwnedFd {
        &self.socket
    }

    /// How long to poll at most.
    pub(super) fn remaining(&self) -> Timespec {
        let left = self.deadline.saturating_duration_since(Instant::now());
        // A second at most, so neither part can be too large.
        Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(1),
            tv_nsec: i64::from(left.subsec_nanos()),
        }
    }

    /// Goes on, once the socket is writable (`is_ready`) or the time is over.
    pub(super) fn advance(self, is_ready: bool) -> Progress {
        if is_ready {
            return match sockopt::socket_error(&self.socket) {
                Ok(Ok(())) => Progress::Connected(self.socket),
                _ => self.fall_back(),
            };
        }
        if Instant::now() < self.deadline {
            return Progress::Pending(self);
        }
        Progress::Failed
    }

    fn fall_back(self) -> Progress {
        match self.next {
            Some(address) => attempt(address, None, self.deadline),
            None => Progress::Failed,
        }
    }
}

fn attempt(address: SocketAddr, next: Option<SocketAddr>, deadline: Instant) -> Progress {
    let Ok(socket) = socket(address) else {
        return Progress::Failed;
    };
    let result = rustix::net::connect(&socket, &address);
    let connecting = Connecting {
        socket,
        next,
        deadline,
    };
    match result {
        Ok(()) => Progress::Connected(connecting.socket),
        Err(Errno::INPROGRESS) => Progress::Pending(connecting),
        Err(_) => connecting.fall_back(),
    }
}

fn socket(address: SocketAddr) -> io::Result<OwnedFd> {
    let family = if address.is_ipv4() {
        AddressFamily::INET
    } else {
        AddressFamily::INET6
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(rustix::net::socket_with(
        family,
        SocketType::STREAM,
        flags,
        None,
    )?)
}

/// A listener on the own loopback answers at once, if it answers.
const PATIENCE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use rustix::event::{PollFd, PollFlags, poll};

    use super::*;

    /// Polls as pid 1 does.
    fn finish(mut progress: Progress) -> Option<TcpStream> {
        loop {
            match progress {
                Progress::Connected(socket) => return Some(TcpStream::from(socket)),
                Progress::Failed => return None,
                Progress::Pending(connecting) => {
                    let mut ready = [PollFd::new(connecting.socket(), PollFlags::OUT)];
                    poll(&mut ready, Some(&connecting.remaining())).unwrap();
                    let is_ready = !ready[0].revents().is_empty();
                    progress = connecting.advance(is_ready);
                }
            }
        }
    }

    #[test]
    fn a_listener_is_found_on_either_family() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address) else {
                continue;
            };
            let address = listener.local_addr().unwrap();
            let connection = finish(begin(address.port())).unwrap();
            assert_eq!(connection.peer_addr().unwrap(), address);
        }
    }

    #[test]
    fn a_listener_that_does_not_answer_costs_no_more_than_a_moment() {
        let family = AddressFamily::INET;
        let full = rustix::net::socket(family, SocketType::STREAM, None).unwrap();
        rustix::net::bind(&full, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
        rustix::net::listen(&full, 0).unwrap();
        let listener = TcpListener::from(full);
        let port = listener.local_addr().unwrap().port();
        let started = Instant::now();
        // Whoever comes first takes the only place in the queue.
        let answers: Vec<bool> = (0..3)
            .map(|_| begin(port))
            .map(finish)
            .map(|c| c.is_some())
            .collect();
        assert!(
            answers.contains(&false),
            "the queue never filled: {answers:?}"
        );
        assert!(started.elapsed() < 10 * PATIENCE);
    }
}
