//! The network of a sandbox: a loopback device on which every address is local (AnyIP), and an
//! nftables ruleset that turns all TCP to the gateway's listener and UDP 53 to its DNS
//! responder and drops everything else. The listeners are made here, in the sandbox's own
//! network namespace, and handed out to the gateway before the agent starts.
//!
//! There is no interface but loopback, so even with the ruleset gone nothing could leave.

mod netlink;
mod nftables;
mod routes;

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};

use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};

use crate::weaken::Weakening;

/// The listeners of one sandbox, bound to its own loopback.
#[derive(Debug)]
pub(crate) struct Listeners {
    /// Captures TCP over IPv4.
    pub tcp_v4: TcpListener,
    /// Captures TCP over IPv6; absent where the host has no IPv6.
    pub tcp_v6: Option<TcpListener>,
    /// Answers DNS over IPv4.
    pub dns_v4: UdpSocket,
    /// Answers DNS over IPv6.
    pub dns_v6: Option<UdpSocket>,
}

/// Sets up the network of the namespace that the caller is in.
pub(crate) fn set_up(weakening: &Weakening) -> io::Result<Listeners> {
    if weakening.is_off("network-namespace") {
        // The network is the caller's, and not this process' to change.
        return listen();
    }
    routes::loopback_up()?;
    let listeners = listen()?;
    let has_v6 = listeners.tcp_v6.is_some();
    routes::add_gateway_addresses(has_v6)?;
    if !weakening.is_off("any-ip") {
        routes::make_every_address_local(has_v6)?;
    }
    let ports = nftables::Ports {
        tcp_v4: listeners.tcp_v4.local_addr()?.port(),
        tcp_v6: port_of(listeners.tcp_v6.as_ref().map(TcpListener::local_addr))?,
        dns_v4: listeners.dns_v4.local_addr()?.port(),
        dns_v6: port_of(listeners.dns_v6.as_ref().map(UdpSocket::local_addr))?,
    };
    nftables::install(&ports, weakening)?;
    Ok(listeners)
}

/// Asks the kernel to bring loopback up: allowed to the owner of the namespace only.
pub(crate) fn loopback_up() -> io::Result<()> {
    routes::loopback_up()
}

/// Whether an ordinary process of this host could have this ruleset: tries it in the
/// namespace that the caller is in.
pub(crate) fn probe_nftables() -> io::Result<()> {
    let ports = nftables::Ports {
        tcp_v4: 1,
        tcp_v6: 1,
        dns_v4: 1,
        dns_v6: 1,
    };
    nftables::install(&ports, &Weakening::none())
}

fn listen() -> io::Result<Listeners> {
    let v4 = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, 0));
    Ok(Listeners {
        tcp_v4: tcp(v4)?,
        tcp_v6: optional(tcp(v6))?,
        dns_v4: UdpSocket::bind(v4)?,
        dns_v6: optional(UdpSocket::bind(v6))?,
    })
}

/// std's listener has a backlog of 128, too short for a burst of connections.
fn tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let family = if address.is_ipv4() {
        AddressFamily::INET
    } else {
        AddressFamily::INET6
    };
    let socket = rustix::net::socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    rustix::net::bind(&socket, &address)?;
    rustix::net::listen(&socket, LISTEN_BACKLOG)?;
    Ok(TcpListener::from(socket))
}

/// A host that was booted without IPv6 has no such sockets, and then neither has the agent.
fn optional<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error)
            if matches!(
                error.raw_os_error(),
                Some(libc::EAFNOSUPPORT | libc::EADDRNOTAVAIL)
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn port_of(address: Option<io::Result<SocketAddr>>) -> io::Result<u16> {
    address.map_or(Ok(0), |address| address.map(|address| address.port()))
}

/// Connections that may wait to be accepted.
const LISTEN_BACKLOG: i32 = 1024;
