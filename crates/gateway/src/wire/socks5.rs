//! SOCKS5 (RFC 1928), server side: `CONNECT` without authentication. The client's identity
//! is the listener that it reached, so there is nothing to log in with.

use std::net::IpAddr;

use ringfence_model::{Destination, Host};

use super::cursor::Cursor;

/// The first octet of every SOCKS5 message.
pub const VERSION: u8 = 5;
/// The answer to a greeting: no authentication is needed.
pub const METHOD_NONE: [u8; 2] = [VERSION, 0];
/// The answer to a greeting that offers no method that we have.
pub const METHOD_REFUSED: [u8; 2] = [VERSION, 0xff];

/// Why a message is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SocksError {
    /// Not version 5.
    #[error("this is not SOCKS version 5")]
    Version,
    /// The client offers no connection without authentication.
    #[error("the client offers no connection without authentication")]
    NoMethod,
    /// `BIND` or `UDP ASSOCIATE`.
    #[error("only the command CONNECT is supported")]
    Command,
    /// The reserved octet is not 0.
    #[error("the reserved octet of the request is not 0")]
    Reserved,
    /// An address type that is none of IPv4, IPv6 and name.
    #[error("the address type is not known")]
    AddressType,
    /// The name is not a valid host name.
    #[error("the name is not a valid host name")]
    Name,
    /// Port 0.
    #[error("port 0 is no destination")]
    Port,
}

impl SocksError {
    /// What to send before the connection is closed; nothing to what is not SOCKS5.
    #[must_use]
    pub fn answer(self) -> Vec<u8> {
        match self {
            Self::Version => Vec::new(),
            Self::NoMethod => METHOD_REFUSED.to_vec(),
            Self::Command => reply(Reply::CommandNotSupported).to_vec(),
            Self::AddressType => reply(Reply::AddressTypeNotSupported).to_vec(),
            Self::Reserved | Self::Name | Self::Port => reply(Reply::GeneralFailure).to_vec(),
        }
    }
}

/// The outcome of a request (RFC 1928, section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Reply {
    /// The upstream is connected.
    Succeeded = 0,
    /// Something else went wrong.
    GeneralFailure = 1,
    /// No rule allows it.
    NotAllowed = 2,
    /// There is no route.
    NetworkUnreachable = 3,
    /// The name has no address, or the host does not answer.
    HostUnreachable = 4,
    /// The host refused the connection.
    ConnectionRefused = 5,
    /// It took too long.
    TimedOut = 6,
    /// Not `CONNECT`.
    CommandNotSupported = 7,
    /// Not a known type of address.
    AddressTypeNotSupported = 8,
}

/// A reply. The bound address is all zeros: it would tell the client nothing that it may know.
#[must_use]
pub const fn reply(outcome: Reply) -> [u8; 10] {
    [VERSION, outcome as u8, 0, TYPE_IPV4, 0, 0, 0, 0, 0, 0]
}

/// Reads a greeting that offers no authentication, and gives the octets that it took; `None`
/// when more are needed.
pub fn read_greeting(prefix: &[u8]) -> Result<Option<usize>, SocksError> {
    let mut cursor = Cursor::new(prefix);
    if !check_version(&mut cursor)? {
        return Ok(None);
    }
    let Some(methods) = cursor.vector8() else {
        return Ok(None);
    };
    if !methods.rest().contains(&0) {
        return Err(SocksError::NoMethod);
    }
    Ok(Some(prefix.len() - cursor.len()))
}

/// Reads a request, and gives where it leads and the octets that it took; `None` when more are
/// needed. A name that is an address in its usual spelling is that address.
pub fn read_request(prefix: &[u8]) -> Result<Option<(Destination, usize)>, SocksError> {
    let mut cursor = Cursor::new(prefix);
    if !check_version(&mut cursor)? {
        return Ok(None);
    }
    match cursor.u8() {
        Some(COMMAND_CONNECT) => {}
        Some(_) => return Err(SocksError::Command),
        None => return Ok(None),
    }
    match cursor.u8() {
        Some(0) => {}
        Some(_) => return Err(SocksError::Reserved),
        None => return Ok(None),
    }
    let Some(host) = read_host(&mut cursor)? else {
        return Ok(None);
    };
    let Some(port) = cursor.u16() else {
        return Ok(None);
    };
    let destination = Destination::new(host, port).map_err(|_| SocksError::Port)?;
    Ok(Some((destination, prefix.len() - cursor.len())))
}

fn check_version(cursor: &mut Cursor<'_>) -> Result<bool, SocksError> {
    match cursor.u8() {
        Some(VERSION) => Ok(true),
        Some(_) => Err(SocksError::Version),
        None => Ok(false),
    }
}

fn read_host(cursor: &mut Cursor<'_>) -> Result<Option<Host>, SocksError> {
    let address = match cursor.u8() {
        Some(TYPE_IPV4) => cursor.array::<4>().map(IpAddr::from),
        Some(TYPE_IPV6) => cursor.array::<16>().map(IpAddr::from),
        Some(TYPE_NAME) => return cursor.vector8().map(read_name).transpose(),
        Some(_) => return Err(SocksError::AddressType),
        None => None,
    };
    Ok(address.map(Host::address))
}

fn read_name(octets: Cursor<'_>) -> Result<Host, SocksError> {
    let text = std::str::from_utf8(octets.rest()).map_err(|_| SocksError::Name)?;
    if !text.is_ascii() {
        return Err(SocksError::Name);
    }
    text.parse().map_err(|_| SocksError::Name)
}

const COMMAND_CONNECT: u8 = 1;
const TYPE_IPV4: u8 = 1;
const TYPE_NAME: u8 = 3;
const TYPE_IPV6: u8 = 4;

#[cfg(test)]
mod tests;
