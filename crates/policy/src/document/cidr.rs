//! Networks in rules: one spelling each. A network that is written so that it could never
//! match, or would match more than it shows, is refused.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::{IpNet, Ipv6Net};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::quoted;

/// A network in CIDR notation without host bits, as in `10.0.0.0/8`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Cidr(IpNet);

/// Why a network was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CidrError {
    /// An address without a prefix length.
    #[error("`{0}` is an address: write `{1}` for this address alone")]
    Address(IpAddr, IpNet),
    /// Bits set below the prefix.
    #[error("`{0}` has bits set below its prefix: write `{1}`")]
    HostBits(IpNet, IpNet),
    /// IPv4 in IPv6 clothes; such addresses are decided on as IPv4.
    #[error("`{0}` holds IPv4 addresses: write the network as IPv4")]
    Mapped(IpNet),
    /// Not a network.
    #[error("`{0}` is not a network as in `192.0.2.0/24` or `2001:db8::/32`")]
    Invalid(String),
}

impl Cidr {
    /// The network of one address. IPv4-mapped IPv6 addresses become IPv4.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        Self(IpNet::from(address.to_canonical()))
    }

    /// The network.
    #[must_use]
    pub const fn net(&self) -> IpNet {
        self.0
    }

    /// Whether it holds every address of its family.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.0.prefix_len() == 0
    }
}

impl TryFrom<IpNet> for Cidr {
    type Error = CidrError;

    fn try_from(net: IpNet) -> Result<Self, CidrError> {
        if net.trunc() != net {
            return Err(CidrError::HostBits(net, net.trunc()));
        }
        match net {
            IpNet::V6(v6) if is_mapped(v6) => Err(CidrError::Mapped(net)),
            _ => Ok(Self(net)),
        }
    }
}

impl FromStr for Cidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Self, CidrError> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Err(CidrError::Address(address, Self::of(address).0));
        }
        text.parse::<IpNet>()
            .map_err(|_| CidrError::Invalid(quoted(text)))
            .and_then(Self::try_from)
    }
}

impl TryFrom<String> for Cidr {
    type Error = CidrError;

    fn try_from(text: String) -> Result<Self, CidrError> {
        text.parse()
    }
}

impl From<Cidr> for String {
    fn from(cidr: Cidr) -> Self {
        cidr.to_string()
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn is_mapped(net: Ipv6Net) -> bool {
    net.prefix_len() >= 96 && net.network().to_ipv4_mapped().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_one_spelling() {
        for good in ["10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32", "::/0"] {
            assert_eq!(good.parse::<Cidr>().unwrap().to_string(), good);
        }
        for (bad, message) in [
            (
                "10.0.0.5/8",
                "`10.0.0.5/8` has bits set below its prefix: write `10.0.0.0/8`",
            ),
            (
                "10.0.0.5",
                "`10.0.0.5` is an address: write `10.0.0.5/32` for this address alone",
            ),
            (
                "::ffff:10.0.0.0/104",
                "`::ffff:10.0.0.0/104` holds IPv4 addresses: write the network as IPv4",
            ),
            (
                "10.0.0.0/33",
                "`10.0.0.0/33` is not a network as in `192.0.2.0/24` or `2001:db8::/32`",
            ),
            (
                "example.com",
                "`example.com` is not a network as in `192.0.2.0/24` or `2001:db8::/32`",
            ),
        ] {
            assert_eq!(bad.parse::<Cidr>().unwrap_err().to_string(), message);
        }
    }
}
