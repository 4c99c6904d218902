//! Ports for servers that cannot be asked for "any free port", reserved so that no other test can get them in between.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::fd::OwnedFd;

use rustix::net::{
    AddressFamily, SocketFlags, SocketType, bind, getsockname, socket_with, sockopt,
};

/// A port of 127.0.0.1 that belongs to the holder.
///
/// The port is held by a socket that is bound and does not listen. The kernel then gives the port to nobody else by itself, while a
/// server that sets `SO_REUSEADDR` (as servers do) can bind it by number and listen.
pub struct ReservedPort {
    address: SocketAddr,
    _holder: OwnedFd,
}

impl ReservedPort {
    /// Reserves a free TCP port.
    pub fn new() -> io::Result<Self> {
        let holder = socket_with(
            AddressFamily::INET,
            SocketType::STREAM,
            SocketFlags::CLOEXEC,
            None,
        )?;
        sockopt::set_socket_reuseaddr(&holder, true)?;
        bind(&holder, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0))?;
        let bound = getsockname(&holder)?;
        let address = SocketAddrV4::try_from(bound)?.into();
        Ok(Self {
            address,
            _holder: holder,
        })
    }

    /// The reserved address, on 127.0.0.1.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The reserved port.
    pub fn number(&self) -> u16 {
        self.address.port()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn a_server_can_listen_on_the_reserved_port() {
        let port = ReservedPort::new().unwrap();
        assert!(crate::poll::connect(port.address()).is_err());
        let listener = TcpListener::bind(port.address()).unwrap();
        crate::poll::connect(port.address()).unwrap();
        listener.accept().unwrap();
    }

    #[test]
    fn reserved_ports_differ() {
        let ports: Vec<_> = (0..200).map(|_| ReservedPort::new().unwrap()).collect();
        let mut numbers: Vec<_> = ports.iter().map(ReservedPort::number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), ports.len());
    }
}
