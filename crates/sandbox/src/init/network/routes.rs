//! Loopback up, and every address local to it.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::netlink::{CREATE, Message, REQUEST_ACK, Socket};

/// Brings `lo` up; the kernel then gives it `127.0.0.1/8` and `::1`.
pub(super) fn loopback_up() -> io::Result<()> {
    let mut header = vec![0u8; 4];
    header.extend_from_slice(&LOOPBACK_INDEX.to_ne_bytes());
    header.extend_from_slice(&INTERFACE_UP.to_ne_bytes());
    header.extend_from_slice(&INTERFACE_UP.to_ne_bytes());
    let message = Message::new(NEW_LINK, REQUEST_ACK, 1, &header).finish();
    Socket::open(None)?.request(&message, 1)
}

/// AnyIP: `local 0.0.0.0/0 dev lo` and `local ::/0 dev lo` in the local table, so that a
/// connection to any address stays in this namespace.
pub(super) fn make_every_address_local(has_v6: bool) -> io::Result<()> {
    let socket = Socket::open(None)?;
    socket.request(&local_route(libc::AF_INET, SCOPE_HOST), 1)?;
    if has_v6 {
        socket.request(&local_route(libc::AF_INET6, SCOPE_UNIVERSE), 1)?;
    }
    Ok(())
}

/// Gives loopback the gateway's addresses as its own. Resolvers that ask only for the kinds of
/// address that the machine has (`AI_ADDRCONFIG`) would find none besides loopback otherwise.
pub(super) fn add_gateway_addresses(has_v6: bool) -> io::Result<()> {
    let socket = Socket::open(None)?;
    socket.request(&address(libc::AF_INET, 32, &GATEWAY_V4.octets()), 1)?;
    if has_v6 {
        socket.request(&address(libc::AF_INET6, 128, &GATEWAY_V6.octets()), 1)?;
    }
    Ok(())
}

fn address(family: i32, prefix: u8, octets: &[u8]) -> Vec<u8> {
    let family = u8::try_from(family).unwrap_or_default();
    // struct ifaddrmsg: family, prefix length, flags (no duplicate detection), scope, index.
    let mut header = vec![family, prefix, NO_DETECTION, SCOPE_UNIVERSE];
    header.extend_from_slice(&LOOPBACK_INDEX.to_ne_bytes());
    let mut message = Message::new(NEW_ADDRESS, REQUEST_ACK | CREATE, 1, &header);
    message.attribute(ADDRESS_LOCAL, octets);
    message.attribute(ADDRESS, octets);
    message.finish()
}

fn local_route(family: i32, scope: u8) -> Vec<u8> {
    let family = u8::try_from(family).unwrap_or_default();
    // struct rtmsg: family, dst_len, src_len, tos, table, protocol, scope, type, flags.
    let header = [
        family,
        0,
        0,
        0,
        TABLE_LOCAL,
        PROTOCOL_BOOT,
        scope,
        TYPE_LOCAL,
        0,
        0,
        0,
        0,
    ];
    let mut message = Message::new(NEW_ROUTE, REQUEST_ACK | CREATE, 1, &header);
    message.attribute(OUTPUT_INTERFACE, &LOOPBACK_INDEX.to_ne_bytes());
    message.finish()
}

/// `lo` is the first interface of a new network namespace.
const LOOPBACK_INDEX: u32 = 1;
const INTERFACE_UP: u32 = 1;
/// The gateway as sandboxes see it; the gateway's own code has the same addresses.
const GATEWAY_V4: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);
const GATEWAY_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x5afe, 0, 0, 0, 0, 0, 1);
const NEW_ADDRESS: u16 = 20;
const ADDRESS: u16 = 1;
const ADDRESS_LOCAL: u16 = 2;
const NO_DETECTION: u8 = 2;
const NEW_LINK: u16 = 16;
const NEW_ROUTE: u16 = 24;
const TABLE_LOCAL: u8 = 255;
const PROTOCOL_BOOT: u8 = 3;
const SCOPE_HOST: u8 = 254;
const SCOPE_UNIVERSE: u8 = 0;
const TYPE_LOCAL: u8 = 2;
const OUTPUT_INTERFACE: u16 = 4;
