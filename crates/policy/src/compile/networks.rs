//! Finds rules by address: one look-up for each prefix length that any rule uses. IPv4 and
//! IPv6 networks are never compared with each other.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use ipnet::IpNet;

/// Rule positions by network.
#[derive(Debug, Default)]
pub(super) struct NetworkIndex {
    rules: HashMap<IpNet, Vec<usize>>,
    v4_lengths: BTreeSet<u8>,
    v6_lengths: BTreeSet<u8>,
}

impl NetworkIndex {
    pub(super) fn insert(&mut self, net: IpNet, position: usize) {
        let lengths = match net {
            IpNet::V4(_) => &mut self.v4_lengths,
            IpNet::V6(_) => &mut self.v6_lengths,
        };
        lengths.insert(net.prefix_len());
        self.rules.entry(net.trunc()).or_default().push(position);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// `address` is compared in its canonical form: `::ffff:192.0.2.1` is `192.0.2.1`.
    pub(super) fn covering(&self, address: IpAddr) -> impl Iterator<Item = usize> + '_ {
        let address = address.to_canonical();
        let lengths = match address {
            IpAddr::V4(_) => &self.v4_lengths,
            IpAddr::V6(_) => &self.v6_lengths,
        };
        lengths
            .iter()
            .filter_map(move |length| IpNet::new(address, *length).ok())
            .filter_map(|net| self.rules.get(&net.trunc()))
            .flatten()
            .copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_kept_apart_and_mapped_addresses_are_ipv4() {
        let mut index = NetworkIndex::default();
        let nets = [
            "10.0.0.0/8",
            "10.1.0.0/16",
            "::/1",
            "2001:db8::/32",
            "0.0.0.0/0",
        ];
        for (position, net) in nets.iter().enumerate() {
            index.insert(net.parse().unwrap(), position);
        }
        for (address, found) in [
            ("10.1.2.3", &[4, 0, 1][..]),
            ("10.2.2.3", &[4, 0]),
            ("::ffff:10.2.2.3", &[4, 0]),
            ("192.0.2.1", &[4]),
            ("2001:db8::1", &[2, 3]),
            ("::1", &[2]),
            ("8000::1", &[]),
        ] {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(
                index.covering(address).collect::<Vec<_>>(),
                found,
                "{address}"
            );
        }
    }
}
