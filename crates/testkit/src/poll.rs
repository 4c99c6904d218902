//! Waiting for something that another process does: bounded polls, the only place that sleeps.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// How long a server or an event may take on a slow, busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

const PAUSE: Duration = Duration::from_millis(5);
const CONNECT_LIMIT: Duration = Duration::from_millis(500);

/// Calls `attempt` until it returns something, for at most [`PATIENCE`]. An error ends the wait at once.
pub fn until<T>(what: &str, attempt: impl FnMut() -> io::Result<Option<T>>) -> io::Result<T> {
    until_within(PATIENCE, what, attempt)
}

/// As [`until`], with a limit of the caller's.
pub fn until_within<T>(
    limit: Duration,
    what: &str,
    mut attempt: impl FnMut() -> io::Result<Option<T>>,
) -> io::Result<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(value) = attempt()? {
            return Ok(value);
        }
        if Instant::now() >= deadline {
            let message = format!("{what}: not within {} ms", limit.as_millis());
            return Err(io::Error::new(io::ErrorKind::TimedOut, message));
        }
        thread::sleep(PAUSE);
    }
}

/// Waits until a condition holds.
pub fn until_true(what: &str, mut condition: impl FnMut() -> bool) -> io::Result<()> {
    until(what, || Ok(condition().then_some(())))
}

/// Connects to a server of this test.
#[expect(
    clippy::disallowed_methods,
    reason = "tests connect to their own servers on loopback"
)]
pub fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    TcpStream::connect_timeout(&address, CONNECT_LIMIT)
}
