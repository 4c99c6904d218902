//! `--publish`: ports of the sandbox on this machine's loopback. Pid 1 connects from inside and
//! hands the connection out; no route is added.

use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use ringfence_sandbox::linux::Control;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, oneshot};

use crate::failure::Failure;

/// A published port.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Published {
    host: u16,
    inside: u16,
}

impl FromStr for Published {
    type Err = String;

    /// Reads `PORT` or `HOSTPORT:PORT`.
    fn from_str(text: &str) -> Result<Self, String> {
        let port = |text: &str| {
            text.parse::<u16>()
                .ok()
                .filter(|port| *port != 0)
                .ok_or_else(|| format!("`{text}` is not a port"))
        };
        match text.split_once(':') {
            Some((host, inside)) => Ok(Self {
                host: port(host)?,
                inside: port(inside)?,
            }),
            None => Ok(Self {
                host: port(text)?,
                inside: port(text)?,
            }),
        }
    }
}

/// Listens outside and pairs each connection with one from inside.
pub(super) struct Publisher {
    waiting: Arc<Mutex<Option<oneshot::Sender<Option<OwnedFd>>>>>,
}

impl Publisher {
    /// Listens on every published port.
    pub(super) fn start(
        runtime: &Runtime,
        ports: &[Published],
        control: Control,
    ) -> Result<Self, Failure> {
        let publisher = Self {
            waiting: Arc::default(),
        };
        // One question to pid 1 at a time, so that answers need no numbers.
        let turn = Arc::new(Semaphore::new(1));
        for port in ports {
            let listener = runtime
                .block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, port.host)))
                .with_context(|| format!("--publish {}: cannot listen on it", port.host))
                .map_err(Failure::Unavailable)?;
            let asker = Asker {
                control: control.clone(),
                waiting: Arc::clone(&publisher.waiting),
                turn: Arc::clone(&turn),
                port: port.inside,
            };
            drop(super::links::spawn(runtime, accept(listener, asker)));
        }
        Ok(publisher)
    }

    /// Pid 1's answer.
    pub(super) fn connected(&self, connection: Option<OwnedFd>) {
        let waiting = self
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(waiting) = waiting {
            let _ = waiting.send(connection);
        }
    }
}

#[derive(Clone)]
struct Asker {
    control: Control,
    waiting: Arc<Mutex<Option<oneshot::Sender<Option<OwnedFd>>>>>,
    turn: Arc<Semaphore>,
    port: u16,
}

impl Asker {
    async fn connect(&self) -> Option<TcpStream> {
        let _turn = self.turn.acquire().await.ok()?;
        let (sender, receiver) = oneshot::channel();
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        self.control.connect(self.port).ok()?;
        let stream = std::net::TcpStream::from(receiver.await.ok()??);
        stream.set_nonblocking(true).ok()?;
        TcpStream::from_std(stream).ok()
    }
}

async fn accept(listener: TcpListener, asker: Asker) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((outside, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        if connections.len() < MOST_CONNECTIONS {
            connections.spawn(join(outside, asker.clone()));
        }
    }
}

async fn join(mut outside: TcpStream, asker: Asker) {
    if let Some(mut inside) = asker.connect().await {
        // Either side's end is the end; there is nobody to tell of an error.
        let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
    }
}

/// Connections to one published port at a time.
const MOST_CONNECTIONS: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read_as_one_or_a_pair() {
        let pair: Published = "8080:3000".parse().unwrap();
        assert_eq!((pair.host, pair.inside), (8080, 3000));
        let one: Published = "3000".parse().unwrap();
        assert_eq!((one.host, one.inside), (3000, 3000));
        for bad in ["", "0", "x", "1:", ":1", "1:2:3", "65536"] {
            assert!(bad.parse::<Published>().is_err(), "{bad}");
        }
    }
}
