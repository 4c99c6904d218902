//! What kind of place an IP address is: the gateway dials public addresses freely once a
//! name is allowed, and every other kind only when a rule or the host map names it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// The kind of an address, from the IANA special-purpose registries (RFC 6890 and updates).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AddressClass {
    /// Globally reachable unicast.
    Public,
    /// `127.0.0.0/8`, `::1`.
    Loopback,
    /// RFC 1918, unique local (`fc00::/7`) and deprecated site-local addresses.
    Private,
    /// `169.254.0.0/16`, `fe80::/10`; cloud metadata services live here.
    LinkLocal,
    /// Cloud metadata addresses outside the link-local range (`fd00:ec2::254`, `100.100.100.200`).
    Metadata,
    /// `100.64.0.0/10`, carrier-grade NAT (RFC 6598).
    SharedNat,
    /// Unspecified, documentation, benchmarking, protocol assignments, `240.0.0.0/4`.
    Reserved,
    /// Multicast and broadcast.
    Multicast,
}

impl AddressClass {
    /// Whether an allowed name may resolve to it without a rule that names the address.
    #[must_use]
    pub const fn is_public(self) -> bool {
        matches!(self, Self::Public)
    }
}

/// The class of `address`. An IPv6 address that carries an IPv4 address (mapped, compatible,
/// NAT64, 6to4, Teredo) is judged by the IPv4 address inside it, and is never public.
#[must_use]
pub fn classify(address: IpAddr) -> AddressClass {
    match address {
        IpAddr::V4(v4) => classify_v4(v4),
        IpAddr::V6(v6) => classify_v6(v6),
    }
}

fn classify_v4(address: Ipv4Addr) -> AddressClass {
    let octets = address.octets();
    match octets {
        [127, ..] => AddressClass::Loopback,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => AddressClass::Private,
        [169, 254, ..] => AddressClass::LinkLocal,
        [100, 100, 100, 200] => AddressClass::Metadata,
        [100, 64..=127, ..] => AddressClass::SharedNat,
        [224..=239, ..] | [255, 255, 255, 255] => AddressClass::Multicast,
        [0, ..]
        | [192, 0, 0, _]
        | [192, 0, 2, _]
        | [192, 31, 196, _]
        | [192, 52, 193, _]
        | [192, 88, 99, _]
        | [192, 175, 48, _]
        | [198, 18..=19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _]
        | [240..=255, ..] => AddressClass::Reserved,
        _ => AddressClass::Public,
    }
}

fn classify_v6(address: Ipv6Addr) -> AddressClass {
    if let Some(v4) = embedded_v4(address) {
        return match classify_v4(v4) {
            AddressClass::Public => AddressClass::Reserved,
            inner => inner,
        };
    }
    let segments = address.segments();
    match segments {
        [0, 0, 0, 0, 0, 0, 0, 1] => AddressClass::Loopback,
        [0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x254] | [0xfd20, 0x0ce, 0, 0, 0, 0, 0, 0x254] => {
            AddressClass::Metadata
        }
        [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => AddressClass::Private,
        [0xfe80..=0xfebf, ..] => AddressClass::LinkLocal,
        [0xff00..=0xffff, ..] => AddressClass::Multicast,
        // 2001::/23 protocol assignments, 2001:db8::/32 and 3fff::/20 documentation.
        [0x2001, 0..=0x01ff, ..] | [0x2001, 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => {
            AddressClass::Reserved
        }
        [0x2000..=0x3fff, ..] => AddressClass::Public,
        _ => AddressClass::Reserved,
    }
}

/// The IPv4 address that a translation or tunnel prefix carries.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let from_words = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0, 0, 0, 0, 0, 0, high, low]
        // NAT64 (RFC 6052) and its local-use prefix (RFC 8215).
        | [0x0064, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x0064, 0xff9b, 1, _, _, _, high, low]
        // 6to4 (RFC 3056).
        | [0x2002, high, low, ..] => Some(from_words(high, low)),
        // Teredo (RFC 4380) holds the client address inverted.
        [0x2001, 0, _, _, _, _, high, low] => Some(from_words(!high, !low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_special_range_is_told_from_public() {
        use AddressClass::{
            LinkLocal, Loopback, Metadata, Multicast, Private, Public, Reserved, SharedNat,
        };
        for (text, class) in [
            ("8.8.8.8", Public),
            ("2606:4700::1111", Public),
            ("127.0.0.1", Loopback),
            ("127.255.255.254", Loopback),
            ("::1", Loopback),
            ("0.0.0.0", Reserved),
            ("::", Reserved),
            ("10.1.2.3", Private),
            ("172.31.255.255", Private),
            ("172.32.0.0", Public),
            ("192.168.0.1", Private),
            ("169.254.169.254", LinkLocal),
            ("fe80::1", LinkLocal),
            ("fd00:ec2::254", Metadata),
            ("100.100.100.200", Metadata),
            ("100.64.0.1", SharedNat),
            ("100.128.0.1", Public),
            ("198.18.0.1", Reserved),
            ("192.0.2.1", Reserved),
            ("224.0.0.1", Multicast),
            ("255.255.255.255", Multicast),
            ("ff02::1", Multicast),
            ("::ffff:127.0.0.1", Loopback),
            ("::ffff:8.8.8.8", Reserved),
            ("::127.0.0.1", Loopback),
            ("64:ff9b::10.0.0.1", Private),
            ("64:ff9b:1::a00:1", Private),
            ("2002:7f00:1::", Loopback),
            ("2002:a9fe:a9fe::", LinkLocal),
            ("2001:0:1:2:3:4:80ff:fffe", Loopback),
            ("2001:db8::1", Reserved),
            ("fec0::1", Private),
            ("4000::1", Reserved),
        ] {
            assert_eq!(classify(text.parse().unwrap()), class, "{text}");
        }
    }
}
