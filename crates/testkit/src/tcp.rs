//! TCP servers in this process that record every octet that arrives: an echo, a pure recorder, and one that speaks first.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::poll;

const BUFFER: usize = 64 * 1024;

/// A server on a thread of its own, with a thread for each connection. All end when this is dropped.
pub struct TcpServer {
    address: SocketAddr,
    record: Record,
    stopping: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<()>>,
}

impl TcpServer {
    /// Sends back what arrives.
    pub fn echo() -> io::Result<Self> {
        Self::start(loopback(), |connection| {
            while let Some(octets) = connection.read()? {
                connection.write(&octets)?;
            }
            Ok(())
        })
    }

    /// Accepts and reads, and never writes anything.
    pub fn recorder() -> io::Result<Self> {
        Self::recorder_on(loopback())
    }

    /// As [`TcpServer::recorder`], at an address of the caller's.
    pub fn recorder_on(address: SocketAddr) -> io::Result<Self> {
        Self::start(address, |connection| {
            while connection.read()?.is_some() {}
            Ok(())
        })
    }

    /// Writes the banner as soon as a client has connected, as SSH, SMTP and MySQL servers do; then sends back what arrives.
    pub fn banner(banner: &[u8]) -> io::Result<Self> {
        let banner = banner.to_vec();
        Self::start(loopback(), move |connection| {
            connection.write(&banner)?;
            while let Some(octets) = connection.read()? {
                connection.write(&octets)?;
            }
            Ok(())
        })
    }

    /// Runs `serve` for each connection.
    pub fn start<Serve>(address: SocketAddr, serve: Serve) -> io::Result<Self>
    where
        Serve: Fn(&mut Connection) -> io::Result<()> + Send + Sync + 'static,
    {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let record = Record::default();
        let stopping = Arc::new(AtomicBool::new(false));
        let accepting = Acceptor {
            listener,
            record: record.clone(),
            stopping: Arc::clone(&stopping),
            serve: Arc::new(serve),
        };
        Ok(Self {
            address,
            record,
            stopping,
            acceptor: Some(thread::spawn(move || accepting.run())),
        })
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The listening port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// What has arrived on each connection so far, in the order in which they were accepted.
    pub fn connections(&self) -> Vec<Vec<u8>> {
        self.record.lock().clone()
    }

    /// Waits until that many connections have been accepted, and returns what has arrived on each.
    pub fn wait_for_connections(&self, count: usize) -> io::Result<Vec<Vec<u8>>> {
        poll::until("connections", || {
            let connections = self.connections();
            Ok((connections.len() >= count).then_some(connections))
        })
    }

    /// Waits until these octets have arrived, on one connection and in a row.
    pub fn wait_for(&self, octets: &[u8]) -> io::Result<()> {
        poll::until_true("octets at the recorder", || self.has_received(octets))
    }

    /// Whether these octets have arrived, on one connection and in a row.
    pub fn has_received(&self, octets: &[u8]) -> bool {
        let contains = |all: &Vec<u8>| all.windows(octets.len()).any(|part| part == octets);
        octets.is_empty() || self.record.lock().iter().any(contains)
    }
}

impl Drop for TcpServer {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // The acceptor waits in accept(2); a connection wakes it. It shuts its connections down and joins their threads.
        let woken = poll::connect(self.address);
        if let (Ok(_), Some(acceptor)) = (woken, self.acceptor.take()) {
            let _ = acceptor.join();
        }
    }
}

/// One accepted connection. What is read through it is recorded.
pub struct Connection {
    stream: TcpStream,
    record: Record,
    index: usize,
}

impl Connection {
    /// The next octets, none at the end of the stream.
    pub fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut buffer = vec![0; BUFFER];
        let count = self.stream.read(&mut buffer)?;
        buffer.truncate(count);
        if let Some(all) = self.record.lock().get_mut(self.index) {
            all.extend_from_slice(&buffer);
        }
        Ok((count > 0).then_some(buffer))
    }

    /// Sends all of the octets.
    pub fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        self.stream.write_all(octets)
    }
}

#[derive(Clone, Default)]
struct Record(Arc<Mutex<Vec<Vec<u8>>>>);

impl Record {
    fn lock(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self) -> usize {
        let mut connections = self.lock();
        connections.push(Vec::new());
        connections.len() - 1
    }
}

struct Acceptor<Serve> {
    listener: TcpListener,
    record: Record,
    stopping: Arc<AtomicBool>,
    serve: Arc<Serve>,
}

impl<Serve> Acceptor<Serve>
where
    Serve: Fn(&mut Connection) -> io::Result<()> + Send + Sync + 'static,
{
    fn run(self) {
        let mut open: Vec<(TcpStream, JoinHandle<()>)> = Vec::new();
        while let Ok((stream, _)) = self.listener.accept() {
            if self.stopping.load(Ordering::SeqCst) {
                break;
            }
            if let Ok(handle) = stream.try_clone() {
                open.push((handle, self.serve(stream)));
            }
        }
        for (stream, thread) in open {
            let _ = stream.shutdown(Shutdown::Both);
            let _ = thread.join();
        }
    }

    fn serve(&self, stream: TcpStream) -> JoinHandle<()> {
        let serve = Arc::clone(&self.serve);
        let mut connection = Connection {
            stream,
            index: self.record.begin(),
            record: self.record.clone(),
        };
        thread::spawn(move || {
            // A client that goes away is no fault of this server.
            let _ = serve(&mut connection);
            let _ = connection.stream.shutdown(Shutdown::Both);
        })
    }
}

fn loopback() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

#[cfg(test)]
mod tests;
