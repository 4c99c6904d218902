//! Netlink messages (RFC 3549): a builder for nested attributes and one round trip that waits
//! for the kernel's acknowledgement. Only what the sandbox's set-up sends is here.

use std::io;
use std::os::fd::OwnedFd;

use rustix::net::{AddressFamily, Protocol, SocketFlags, SocketType};

/// A netlink message under construction.
pub(super) struct Message {
    bytes: Vec<u8>,
}

/// Where a nested attribute begins, until it is closed.
#[must_use = "an attribute that is not closed has no length"]
pub(super) struct Nest(usize);

impl Message {
    /// A message of `kind` with `flags`, sequence number `sequence` and `header` as its fixed part.
    pub(super) fn new(kind: u16, flags: u16, sequence: u32, header: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(256);
        bytes.extend_from_slice(&0u32.to_ne_bytes());
        bytes.extend_from_slice(&kind.to_ne_bytes());
        bytes.extend_from_slice(&flags.to_ne_bytes());
        bytes.extend_from_slice(&sequence.to_ne_bytes());
        bytes.extend_from_slice(&0u32.to_ne_bytes());
        bytes.extend_from_slice(header);
        let mut message = Self { bytes };
        message.align();
        message
    }

    /// Appends an attribute with a plain value.
    pub(super) fn attribute(&mut self, kind: u16, value: &[u8]) -> &mut Self {
        let nest = self.open(kind);
        self.bytes.extend_from_slice(value);
        self.close(nest);
        self
    }

    /// Appends a NUL-terminated string attribute.
    pub(super) fn text(&mut self, kind: u16, value: &str) -> &mut Self {
        let nest = self.open(kind);
        self.bytes.extend_from_slice(value.as_bytes());
        self.bytes.push(0);
        self.close(nest);
        self
    }

    /// Appends a 32-bit number in network order, as nf_tables wants it.
    pub(super) fn be32(&mut self, kind: u16, value: u32) -> &mut Self {
        self.attribute(kind, &value.to_be_bytes())
    }

    /// Begins an attribute whose content is appended next.
    pub(super) fn open(&mut self, kind: u16) -> Nest {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&0u16.to_ne_bytes());
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        Nest(start)
    }

    /// Begins an attribute that holds attributes.
    pub(super) fn open_nested(&mut self, kind: u16) -> Nest {
        self.open(kind | NESTED)
    }

    /// Ends the attribute: writes its length and pads it.
    pub(super) fn close(&mut self, nest: Nest) {
        let length = self.bytes.len() - nest.0;
        let length = u16::try_from(length).unwrap_or(u16::MAX);
        if let Some(slot) = self.bytes.get_mut(nest.0..nest.0 + 2) {
            slot.copy_from_slice(&length.to_ne_bytes());
        }
        self.align();
    }

    /// The finished message.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let length = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        if let Some(slot) = self.bytes.get_mut(..4) {
            slot.copy_from_slice(&length.to_ne_bytes());
        }
        self.bytes
    }

    fn align(&mut self) {
        while !self.bytes.len().is_multiple_of(4) {
            self.bytes.push(0);
        }
    }
}

/// A socket for one netlink family.
pub(super) struct Socket(OwnedFd);

impl Socket {
    /// Opens one; no protocol means routing, whose number is 0.
    pub(super) fn open(protocol: Option<Protocol>) -> io::Result<Self> {
        let socket = rustix::net::socket_with(
            AddressFamily::NETLINK,
            SocketType::RAW,
            SocketFlags::CLOEXEC,
            protocol,
        )?;
        Ok(Self(socket))
    }

    /// Sends messages in one datagram and reads until `acknowledgements` have come.
    pub(super) fn request(&self, messages: &[u8], acknowledgements: usize) -> io::Result<()> {
        rustix::io::write(&self.0, messages)?;
        let mut missing = acknowledgements;
        let mut buffer = vec![0u8; RECEIVE_OCTETS];
        while missing > 0 {
            let length = rustix::io::read(&self.0, &mut *buffer)?;
            let received = buffer.get(..length).unwrap_or_default();
            missing = missing.saturating_sub(acknowledged(received)?);
        }
        Ok(())
    }
}

/// Counts the acknowledgements in a datagram; the first error in it becomes ours.
fn acknowledged(mut datagram: &[u8]) -> io::Result<usize> {
    let mut count = 0;
    while let Some((length, kind)) = header(datagram) {
        if kind == ERROR {
            match datagram.get(HEADER..HEADER + 4).map(number) {
                Some(0) => count += 1,
                Some(code) => return Err(io::Error::from_raw_os_error(code.wrapping_neg())),
                None => return Err(io::ErrorKind::InvalidData.into()),
            }
        }
        let next = length.next_multiple_of(4).max(HEADER);
        datagram = datagram.get(next..).unwrap_or_default();
    }
    Ok(count)
}

fn header(datagram: &[u8]) -> Option<(usize, u16)> {
    let length = number(datagram.get(..4)?);
    let kind = datagram.get(4..6)?;
    let kind = u16::from_ne_bytes(kind.try_into().ok()?);
    Some((usize::try_from(length).ok()?, kind))
}

fn number(bytes: &[u8]) -> i32 {
    bytes.try_into().map_or(0, i32::from_ne_bytes)
}

/// Ask for an acknowledgement of a request.
pub(super) const REQUEST_ACK: u16 = 0x0001 | 0x0004;
/// Create the object; it is an error if it exists.
pub(super) const CREATE: u16 = 0x0400;
/// Append to the list of objects.
pub(super) const APPEND: u16 = 0x0800;

const NESTED: u16 = 0x8000;
const ERROR: u16 = 2;
const HEADER: usize = 16;
const RECEIVE_OCTETS: usize = 16 * 1024;
