//! Where an accepted connection was going: the original destination, and what stands there.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ringfence_model::{Destination, Host};
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};

use super::Capture;
use crate::wire::dns;

/// Where a connection was going.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival {
    /// To the explicit proxy.
    Proxy,
    /// To an address that it was captured on the way to; the address may be synthetic.
    Captured(Destination),
    /// To the gateway itself, on a port where nothing is offered, or to the listener.
    Gateway(Destination),
}

/// What the gateway answers by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    Handler(Arrival),
    Dns,
    SelfTest,
}

/// The port of DNS on the gateway's address.
const DNS_PORT: u16 = 53;
/// The port of the explicit proxy on the gateway's address.
const PROXY_PORT: u16 = 3128;
/// The discard port of documentation addresses (RFC 5737, RFC 3849): the sandbox's self-test
/// connects there to see that it is captured.
const SELF_TEST: [SocketAddr; 2] = [
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 9),
    SocketAddr::new(
        IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
        9,
    ),
];

/// The address of the listener that a connection arrived on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Own(SocketAddr);

impl Own {
    pub(super) fn of(listener: &TcpListener) -> io::Result<Self> {
        listener
            .local_addr()
            .map(|address| Self(canonical(address)))
    }
}

/// What stands where `socket` was going.
pub(super) fn target(socket: &TcpStream, capture: Capture, own: Own) -> io::Result<Target> {
    let original = match capture {
        Capture::ProxyOnly => return Ok(Target::Handler(Arrival::Proxy)),
        Capture::AnyIp => socket.local_addr()?,
        Capture::Redirected => original_destination(socket)?,
    };
    classify(canonical(original), own)
        .ok_or_else(|| io::Error::other("a captured connection has no port"))
}

fn classify(original: SocketAddr, own: Own) -> Option<Target> {
    if SELF_TEST.contains(&original) {
        return Some(Target::SelfTest);
    }
    let host = Host::address(original.ip());
    let destination = Destination::new(host, original.port()).ok()?;
    // Loopback is the sandbox's own and is not captured, so this came straight to the listener.
    if original == own.0 || original.ip().is_loopback() {
        return Some(Target::Handler(Arrival::Gateway(destination)));
    }
    if !dns::is_gateway(original.ip()) {
        return Some(Target::Handler(Arrival::Captured(destination)));
    }
    Some(match original.port() {
        DNS_PORT => Target::Dns,
        PROXY_PORT => Target::Handler(Arrival::Proxy),
        _ => Target::Handler(Arrival::Gateway(destination)),
    })
}

/// Connection tracking's memory; a connection that was not redirected was going where it went.
fn original_destination(socket: &TcpStream) -> io::Result<SocketAddr> {
    let local = socket.local_addr()?;
    let reference = SockRef::from(socket);
    let original = if canonical(local).is_ipv4() {
        reference.original_dst_v4()
    } else {
        reference.original_dst_v6()
    };
    match original {
        Ok(address) => address
            .as_socket()
            .ok_or_else(|| io::Error::other("the original destination is no IP address")),
        Err(error) if is_untracked(&error) => Ok(local),
        Err(error) => Err(error),
    }
}

fn is_untracked(error: &io::Error) -> bool {
    let none = [rustix::io::Errno::NOENT, rustix::io::Errno::NOPROTOOPT];
    rustix::io::Errno::from_io_error(error).is_some_and(|errno| none.contains(&errno))
}

fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(original: &str) -> Target {
        let own = Own("127.0.0.1:4000".parse().unwrap());
        classify(original.parse().unwrap(), own).unwrap()
    }

    fn destination(text: &str) -> Destination {
        text.parse().unwrap()
    }

    #[test]
    fn well_known_places_are_told_from_destinations() {
        for place in ["192.0.2.1:9", "[2001:db8::1]:9"] {
            assert_eq!(at(place), Target::SelfTest);
        }
        for place in ["198.18.0.1:53", "[fd00:5afe::1]:53"] {
            assert_eq!(at(place), Target::Dns);
        }
        for place in ["198.18.0.1:3128", "[fd00:5afe::1]:3128"] {
            assert_eq!(at(place), Target::Handler(Arrival::Proxy));
        }
        for place in [
            "198.18.0.1:22",
            "127.0.0.1:4000",
            "127.9.9.9:4000",
            "[::1]:80",
        ] {
            let arrival = Arrival::Gateway(destination(place));
            assert_eq!(at(place), Target::Handler(arrival));
        }
        for place in ["192.0.2.1:80", "192.0.2.2:9", "203.0.113.5:443"] {
            let arrival = Arrival::Captured(destination(place));
            assert_eq!(at(place), Target::Handler(arrival));
        }
    }
}
