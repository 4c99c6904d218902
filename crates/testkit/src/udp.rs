//! A UDP socket that records every datagram that arrives.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use crate::poll;

const DATAGRAM: usize = 64 * 1024;

/// Receives on a thread of its own, which ends when this is dropped.
pub struct UdpRecorder {
    address: SocketAddr,
    datagrams: Arc<Mutex<Vec<Vec<u8>>>>,
    stopping: Arc<AtomicBool>,
    receiver: Option<JoinHandle<()>>,
}

impl UdpRecorder {
    /// Receives on a free port of 127.0.0.1.
    pub fn start() -> io::Result<Self> {
        Self::start_on((Ipv4Addr::LOCALHOST, 0).into())
    }

    /// Receives at an address of the caller's.
    pub fn start_on(address: SocketAddr) -> io::Result<Self> {
        let socket = UdpSocket::bind(address)?;
        let address = socket.local_addr()?;
        let datagrams = Arc::new(Mutex::new(Vec::new()));
        let stopping = Arc::new(AtomicBool::new(false));
        let (record, stop) = (Arc::clone(&datagrams), Arc::clone(&stopping));
        Ok(Self {
            address,
            datagrams,
            stopping,
            receiver: Some(thread::spawn(move || receive(&socket, &record, &stop))),
        })
    }

    /// Where datagrams are received.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Every datagram so far.
    pub fn datagrams(&self) -> Vec<Vec<u8>> {
        self.datagrams
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Waits until that many datagrams have arrived.
    pub fn wait_for(&self, count: usize) -> io::Result<Vec<Vec<u8>>> {
        poll::until("datagrams", || {
            let datagrams = self.datagrams();
            Ok((datagrams.len() >= count).then_some(datagrams))
        })
    }
}

impl Drop for UdpRecorder {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // The receiver waits in recv(2); an empty datagram wakes it.
        let woken = UdpSocket::bind((self.address.ip(), 0))
            .and_then(|socket| socket.send_to(&[], self.address));
        if let (Ok(_), Some(receiver)) = (woken, self.receiver.take()) {
            let _ = receiver.join();
        }
    }
}

fn receive(socket: &UdpSocket, record: &Mutex<Vec<Vec<u8>>>, stopping: &AtomicBool) {
    let mut buffer = vec![0; DATAGRAM];
    while let Ok(length) = socket.recv(&mut buffer) {
        if stopping.load(Ordering::SeqCst) {
            return;
        }
        let datagram = buffer.iter().take(length).copied().collect();
        record
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(datagram);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_each_datagram() {
        let recorder = UdpRecorder::start().unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.send_to(b"one", recorder.address()).unwrap();
        socket.send_to(b"two", recorder.address()).unwrap();
        assert_eq!(recorder.wait_for(2).unwrap(), [b"one", b"two"]);
    }
}
