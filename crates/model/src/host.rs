//! Host names, host patterns and destinations: parsed once, strictly, at the edge.
//!
//! Two spellings of the same name must never reach the decision and the dialler as two
//! values, so [`HostName`] holds the one canonical form: A-labels (IDNA, UTS 46), lower
//! case, no trailing dot, letters, digits and hyphens only. What could be read as an
//! address by some parser (`1.2`, `0x7f.1`, `127.1`) is not a name.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::limits::{HOST_LABEL_OCTETS, HOST_NAME_OCTETS};

/// Why a host name, pattern or destination was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// Nothing was given.
    #[error("a host name is missing")]
    Empty,
    /// Longer than RFC 1035 allows.
    #[error("a host name has at most 253 characters, a label at most 63")]
    TooLong,
    /// An empty label, as in `a..b` or `.a`.
    #[error("a host name has no empty labels")]
    EmptyLabel,
    /// NUL, space, underscore, slash or any other character that no host name has.
    #[error("a host name holds letters, digits and hyphens only")]
    Character,
    /// A label starts or ends with a hyphen.
    #[error("a label of a host name does not start or end with a hyphen")]
    Hyphen,
    /// Not valid under IDNA.
    #[error("not a valid internationalised host name")]
    Idna,
    /// The last label is a number, so some parsers would read an address.
    #[error("looks like an address but is not one in its usual spelling")]
    Numeric,
    /// An address where a name is wanted.
    #[error("an address is not a host name")]
    Address,
    /// `*` anywhere but as the whole first label.
    #[error("`*` stands alone as the first label, as in `*.example.com`")]
    Wildcard,
    /// `*.com`, `*.co.uk`, `*.github.io`: everybody's names.
    #[error("`*` below a public suffix would match names of other owners")]
    PublicSuffix,
    /// The port is missing, zero or not a number.
    #[error("a port is a number from 1 to 65535")]
    Port,
}

/// A canonical host name, never an address.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostName(String);

impl HostName {
    /// The canonical text: lower-case A-labels without a trailing dot.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The labels from the left, as in `www`, `example`, `com`.
    pub fn labels(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('.')
    }

    /// Whether this is `zone` itself or a name below it.
    #[must_use]
    pub fn is_within(&self, zone: &str) -> bool {
        self.0
            .strip_suffix(zone)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }
}

impl FromStr for HostName {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() {
            return Err(HostError::Empty);
        }
        if text.parse::<IpAddr>().is_ok() || text.starts_with('[') {
            return Err(HostError::Address);
        }
        let ascii = if text.is_ascii() {
            text.to_ascii_lowercase()
        } else {
            idna::domain_to_ascii_strict(text).map_err(|_| HostError::Idna)?
        };
        check_ldh(&ascii)?;
        if ascii.contains("xn--") && !is_canonical_idna(&ascii) {
            return Err(HostError::Idna);
        }
        Ok(Self(ascii))
    }
}

impl TryFrom<String> for HostName {
    type Error = HostError;

    fn try_from(text: String) -> Result<Self, HostError> {
        text.parse()
    }
}

impl From<HostName> for String {
    fn from(name: HostName) -> Self {
        name.0
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a rule matches a host name with.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum HostPattern {
    /// This name alone.
    Exact(HostName),
    /// `*.zone`: one or more labels below the zone, never the zone itself.
    Below(HostName),
}

impl HostPattern {
    /// Whether the pattern covers `name`.
    #[must_use]
    pub fn matches(&self, name: &HostName) -> bool {
        match self {
            Self::Exact(exact) => exact == name,
            Self::Below(zone) => zone != name && name.is_within(zone.as_str()),
        }
    }
}

impl FromStr for HostPattern {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        let Some(zone) = text.strip_prefix("*.") else {
            if text.contains('*') {
                return Err(HostError::Wildcard);
            }
            return text.parse().map(Self::Exact);
        };
        if zone.contains('*') {
            return Err(HostError::Wildcard);
        }
        let zone: HostName = zone.parse()?;
        if psl::suffix_str(zone.as_str()) == Some(zone.as_str()) {
            return Err(HostError::PublicSuffix);
        }
        Ok(Self::Below(zone))
    }
}

impl TryFrom<String> for HostPattern {
    type Error = HostError;

    fn try_from(text: String) -> Result<Self, HostError> {
        text.parse()
    }
}

impl From<HostPattern> for String {
    fn from(pattern: HostPattern) -> Self {
        pattern.to_string()
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => name.fmt(f),
            Self::Below(zone) => write!(f, "*.{zone}"),
        }
    }
}

impl fmt::Debug for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A name or an address, as the agent asked for it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Host {
    /// A name, not yet resolved.
    Name(HostName),
    /// An address. IPv4-mapped IPv6 addresses are held as IPv4.
    Address(IpAddr),
}

impl Host {
    /// The address in its canonical form: `::ffff:192.0.2.1` is `192.0.2.1`.
    #[must_use]
    pub fn address(address: IpAddr) -> Self {
        Self::Address(address.to_canonical())
    }

    /// The name, where it is one.
    #[must_use]
    pub fn name(&self) -> Option<&HostName> {
        match self {
            Self::Name(name) => Some(name),
            Self::Address(_) => None,
        }
    }
}

impl FromStr for Host {
    type Err = HostError;

    /// Reads a name, a dotted IPv4 address or an IPv6 address with or without brackets.
    fn from_str(text: &str) -> Result<Self, HostError> {
        if let Some(inner) = text.strip_prefix('[') {
            let inner = inner.strip_suffix(']').ok_or(HostError::Character)?;
            let address: Ipv6Addr = inner.parse().map_err(|_| HostError::Character)?;
            return Ok(Self::address(IpAddr::V6(address)));
        }
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            return Ok(Self::Address(IpAddr::V4(address)));
        }
        if let Ok(address) = text.parse::<Ipv6Addr>() {
            return Ok(Self::address(IpAddr::V6(address)));
        }
        text.parse().map(Self::Name)
    }
}

impl TryFrom<String> for Host {
    type Error = HostError;

    fn try_from(text: String) -> Result<Self, HostError> {
        text.parse()
    }
}

impl From<Host> for String {
    fn from(host: Host) -> Self {
        match host {
            Host::Name(name) => name.0,
            Host::Address(address) => address.to_string(),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::Address(address) => address.fmt(f),
        }
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A host and a TCP port: where an agent wants to go.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Destination {
    /// The name or address.
    pub host: Host,
    /// The TCP port, never 0.
    pub port: u16,
}

impl Destination {
    /// A destination; port 0 is refused, it names nothing.
    pub fn new(host: Host, port: u16) -> Result<Self, HostError> {
        if port == 0 {
            return Err(HostError::Port);
        }
        Ok(Self { host, port })
    }
}

impl FromStr for Destination {
    type Err = HostError;

    /// Reads the authority form `host:port` (RFC 9110, section 7.2); IPv6 needs brackets.
    fn from_str(text: &str) -> Result<Self, HostError> {
        let (host, port) = text.rsplit_once(':').ok_or(HostError::Port)?;
        if host.contains(':') && !host.starts_with('[') {
            return Err(HostError::Port);
        }
        Self::new(host.parse()?, parse_port(port)?)
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Address(IpAddr::V6(address)) => write!(f, "[{address}]:{}", self.port),
            host => write!(f, "{host}:{}", self.port),
        }
    }
}

/// Digits only: `u16::from_str` would take `+443`.
fn parse_port(text: &str) -> Result<u16, HostError> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(HostError::Port);
    }
    text.parse().map_err(|_| HostError::Port)
}

fn check_ldh(ascii: &str) -> Result<(), HostError> {
    if ascii.len() > HOST_NAME_OCTETS {
        return Err(HostError::TooLong);
    }
    for label in ascii.split('.') {
        check_label(label)?;
    }
    match ascii.rsplit('.').next() {
        Some(last) if ends_in_number(last) => Err(HostError::Numeric),
        _ => Ok(()),
    }
}

fn check_label(label: &str) -> Result<(), HostError> {
    if label.is_empty() {
        return Err(HostError::EmptyLabel);
    }
    if label.len() > HOST_LABEL_OCTETS {
        return Err(HostError::TooLong);
    }
    if !label
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    {
        return Err(HostError::Character);
    }
    if label.starts_with('-') || label.ends_with('-') {
        return Err(HostError::Hyphen);
    }
    Ok(())
}

/// The WHATWG URL standard's "ends in a number" rule: such hosts are addresses or nothing.
fn ends_in_number(label: &str) -> bool {
    let hexadecimal = label
        .strip_prefix("0x")
        .is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_hexdigit()));
    hexadecimal || label.bytes().all(|b| b.is_ascii_digit())
}

/// An A-label that does not come back from its U-label is a second spelling of some name.
fn is_canonical_idna(ascii: &str) -> bool {
    let (unicode, result) = idna::domain_to_unicode(ascii);
    result.is_ok() && idna::domain_to_ascii(&unicode).is_ok_and(|again| again == ascii)
}

#[cfg(test)]
mod tests;
