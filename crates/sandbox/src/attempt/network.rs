//! Ways to another system. Every destination is an address that is reserved for documentation
//! (RFC 5737, RFC 3849); what leaves the sandbox would still arrive nowhere.

use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::net::{AddressFamily, Protocol, SocketFlags, SocketType, ipproto};

use super::Category::Network;
use super::{Attempt, Outcome, escaped_if_ok};

pub(super) const ATTEMPTS: &[Attempt] = &[
    Network
        .attempt(
            "tcp-v4",
            "connect by TCP to an IPv4 address",
            &["capture", "filter"],
            |_| tcp(V4, 9),
        )
        .at_startup(),
    Network
        .attempt(
            "tcp-v6",
            "connect by TCP to an IPv6 address",
            &["capture", "filter"],
            |_| tcp(V6, 9),
        )
        .at_startup(),
    Network
        .attempt(
            "udp-v4",
            "send a UDP datagram to an IPv4 address",
            &["filter"],
            |_| udp(V4, 9),
        )
        .at_startup(),
    Network
        .attempt(
            "udp-v6",
            "send a UDP datagram to an IPv6 address",
            &["filter"],
            |_| udp(V6, 9),
        )
        .at_startup(),
    Network.attempt(
        "quic",
        "send a UDP datagram to port 443",
        &["filter"],
        |_| udp(V4, 443),
    ),
    Network.attempt(
        "ntp",
        "send a UDP datagram to port 123",
        &["filter"],
        |_| udp(V4, 123),
    ),
    Network.attempt("udp-broadcast", "send a UDP broadcast", &["filter"], |_| {
        broadcast()
    }),
    Network.attempt(
        "udp-multicast",
        "send a UDP datagram to a multicast group",
        &["filter"],
        |_| udp(IpAddr::V4(Ipv4Addr::new(239, 192, 0, 1)), 9),
    ),
    Network
        .attempt(
            "dns-elsewhere",
            "have a DNS question reach a server of choice",
            &["capture", "filter"],
            |_| dns(),
        )
        .at_startup(),
    Network
        .attempt(
            "icmp",
            "send an ICMP echo request",
            &["seccomp", "socket-families", "capabilities", "filter"],
            |_| {
                send_by(
                    AddressFamily::INET,
                    SocketType::RAW,
                    Some(ipproto::ICMP),
                    V4,
                )
            },
        )
        .at_startup(),
    Network.attempt(
        "icmp-v6",
        "send an ICMPv6 echo request",
        &["seccomp", "socket-families", "capabilities", "filter"],
        |_| {
            send_by(
                AddressFamily::INET6,
                SocketType::RAW,
                Some(ipproto::ICMPV6),
                V6,
            )
        },
    ),
    Network
        .attempt(
            "raw-ip",
            "send an IP packet of another protocol",
            &["seccomp", "socket-families", "capabilities", "filter"],
            |_| {
                send_by(
                    AddressFamily::INET,
                    SocketType::RAW,
                    std::num::NonZeroU32::new(EXPERIMENTAL_PROTOCOL).map(Protocol::from_raw),
                    V4,
                )
            },
        )
        .at_startup(),
    Network
        .attempt(
            "packet-socket",
            "open a packet socket",
            &["seccomp", "socket-families", "capabilities"],
            |_| open_only(AddressFamily::PACKET, SocketType::RAW, None),
        )
        .at_startup(),
    Network.attempt(
        "mptcp",
        "open a multipath TCP socket",
        &["seccomp", "socket-families"],
        |_| {
            open_only(
                AddressFamily::INET,
                SocketType::STREAM,
                Some(ipproto::MPTCP),
            )
        },
    ),
    Network
        .attempt(
            "vsock",
            "open a socket to the hypervisor",
            &["seccomp", "socket-families"],
            |_| open_only(AddressFamily::VSOCK, SocketType::STREAM, None),
        )
        .at_startup(),
    Network.attempt(
        "netfilter-socket",
        "open a socket to the packet filter",
        &["seccomp", "socket-families"],
        |_| {
            open_only(
                AddressFamily::NETLINK,
                SocketType::RAW,
                Some(rustix::net::netlink::NETFILTER),
            )
        },
    ),
    Network.attempt(
        "audit-socket",
        "open a socket to the kernel's audit system",
        &["seccomp", "socket-families"],
        |_| {
            open_only(
                AddressFamily::NETLINK,
                SocketType::RAW,
                Some(rustix::net::netlink::AUDIT),
            )
        },
    ),
    Network
        .attempt(
            "change-link",
            "switch the loopback device off and on",
            &["capabilities"],
            |_| change_link(),
        )
        .at_startup(),
    Network
        .attempt(
            "other-interface",
            "find a network interface besides loopback",
            &["network-namespace"],
            |_| interfaces(),
        )
        .at_startup(),
];

/// The gateway answers a captured connection to this address with a fixed line, so a
/// connection that is not captured is told from one that is.
fn tcp(address: IpAddr, port: u16) -> Outcome {
    match converse(SocketAddr::new(address, port)) {
        Ok(answer) if answer == CAPTURED => Outcome::Stopped("captured by the gateway".to_owned()),
        Ok(_) => Outcome::Escaped("connected to something that is not the gateway".to_owned()),
        Err(error) if error.raw_os_error() == Some(libc::ECONNREFUSED) => {
            Outcome::Escaped("the connection was not captured".to_owned())
        }
        Err(error) => Outcome::Stopped(error.to_string()),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this dials to see that it does not get out"
)]
fn converse(address: SocketAddr) -> io::Result<Vec<u8>> {
    let connection = std::net::TcpStream::connect_timeout(&address, PATIENCE)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    let mut answer = Vec::new();
    connection.take(64).read_to_end(&mut answer)?;
    Ok(answer)
}

fn udp(address: IpAddr, port: u16) -> Outcome {
    let sent = bound(address).and_then(|socket| socket.send_to(b"ringfence", (address, port)));
    escaped_if_ok(sent, "the datagram was sent")
}

fn broadcast() -> Outcome {
    let sent = bound(V4).and_then(|socket| {
        socket.set_broadcast(true)?;
        socket.send_to(b"ringfence", (Ipv4Addr::BROADCAST, 9))
    });
    escaped_if_ok(sent, "the datagram was sent")
}

fn bound(address: IpAddr) -> io::Result<UdpSocket> {
    match address {
        IpAddr::V4(_) => UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)),
        IpAddr::V6(_) => UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0)),
    }
}

/// Asks a server of choice. Only the gateway's responder may answer, and it answers with an
/// address of its own making.
fn dns() -> Outcome {
    match ask() {
        Ok(answer) if answer.windows(2).any(|pair| pair == SYNTHETIC) => {
            Outcome::Stopped("answered by the gateway".to_owned())
        }
        Ok(_) => Outcome::Escaped("something else than the gateway answered".to_owned()),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            Outcome::Escaped("the question went somewhere else".to_owned())
        }
        Err(error) => Outcome::Stopped(error.to_string()),
    }
}

fn ask() -> io::Result<Vec<u8>> {
    let socket = bound(V4)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    // One question for the A record of "escape.test".
    let question =
        b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x06escape\x04test\x00\x00\x01\x00\x01";
    socket.send_to(question, (V4, 53))?;
    let mut buffer = [0u8; 512];
    let (length, _) = socket.recv_from(&mut buffer)?;
    Ok(buffer.get(..length).unwrap_or_default().to_vec())
}

fn send_by(
    family: AddressFamily,
    kind: SocketType,
    protocol: Option<Protocol>,
    to: IpAddr,
) -> Outcome {
    let sent = open(family, kind, protocol).and_then(|socket| {
        // An echo request without a payload; as another protocol it is eight octets of noise.
        let packet = [
            if to.is_ipv4() { 8 } else { 128 },
            0,
            0xf7,
            0xff,
            0,
            0,
            0,
            0,
        ];
        let flags = rustix::net::SendFlags::empty();
        Ok(rustix::net::sendto(
            socket.as_fd(),
            &packet,
            flags,
            &SocketAddr::new(to, 0),
        )?)
    });
    escaped_if_ok(sent, "the packet was sent")
}

fn open_only(family: AddressFamily, kind: SocketType, protocol: Option<Protocol>) -> Outcome {
    escaped_if_ok(open(family, kind, protocol), "the socket was opened")
}

fn open(
    family: AddressFamily,
    kind: SocketType,
    protocol: Option<Protocol>,
) -> io::Result<OwnedFd> {
    Ok(rustix::net::socket_with(
        family,
        kind,
        SocketFlags::CLOEXEC,
        protocol,
    )?)
}

fn change_link() -> Outcome {
    escaped_if_ok(
        crate::init::network::loopback_up(),
        "the kernel took the change",
    )
}

fn interfaces() -> Outcome {
    let listed = match std::fs::read_to_string("/proc/self/net/dev") {
        Ok(listed) => listed,
        Err(error) => return Outcome::Stopped(error.to_string()),
    };
    let others: Vec<&str> = listed
        .lines()
        .skip(2)
        .filter_map(|line| line.split(':').next().map(str::trim))
        .filter(|name| *name != "lo")
        .collect();
    if others.is_empty() {
        return Outcome::Stopped("only loopback".to_owned());
    }
    Outcome::Escaped(format!("found {}", others.join(", ")))
}

const V4: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));
const CAPTURED: &[u8] = b"ringfence-captured\n";
/// The first octets of every synthetic address, `198.18.0.0/15`.
const SYNTHETIC: [u8; 2] = [198, 18];
/// RFC 3692's protocol number for experiments.
const EXPERIMENTAL_PROTOCOL: u32 = 253;
const PATIENCE: Duration = Duration::from_secs(2);
