//! The synthetic addresses of one sandbox: which name each stands for.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ringfence_model::HostName;

use crate::wire::limits::DNS_NAMES;

/// Names and their synthetic addresses, both ways. A name keeps its addresses for the life of
/// the map, so no client can be sent to another name by an address it has cached; when
/// [`DNS_NAMES`] are reached, further names get none.
#[derive(Debug, Default)]
pub struct NameMap {
    indices: HashMap<HostName, u32>,
    names: Vec<HostName>,
}

impl NameMap {
    /// The addresses of `name`, new ones at its first use; `None` when the map is full.
    pub fn assign(&mut self, name: &HostName) -> Option<(Ipv4Addr, Ipv6Addr)> {
        if let Some(index) = self.indices.get(name) {
            return Some(addresses(*index));
        }
        if self.names.len() >= DNS_NAMES {
            return None;
        }
        let index = u32::try_from(self.names.len()).ok()?;
        self.names.push(name.clone());
        self.indices.insert(name.clone(), index);
        Some(addresses(index))
    }

    /// The name that an address stands for.
    #[must_use]
    pub fn name_of(&self, address: IpAddr) -> Option<&HostName> {
        let index = match address.to_canonical() {
            IpAddr::V4(v4) => u32::from(v4).checked_sub(u32::from(FIRST_V4))?,
            IpAddr::V6(v6) => u32::try_from(u128::from(v6).checked_sub(FIRST_V6.into())?).ok()?,
        };
        self.names.get(usize::try_from(index).ok()?)
    }

    /// How many names have addresses.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether no name has an address yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

/// Whether an address lies in the ranges that synthetic addresses are taken from, assigned or
/// not: 198.18.0.0/15, which is for benchmarks (RFC 2544) and routed nowhere, and
/// fd00:5afe::/32. The gateway's own addresses lie there too.
#[must_use]
pub fn is_synthetic(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => matches!(v4.octets(), [198, 18 | 19, ..]),
        IpAddr::V6(v6) => matches!(v6.segments(), [0xfd00, 0x5afe, ..]),
    }
}

/// Neither sum overflows: the index is below [`DNS_NAMES`].
fn addresses(index: u32) -> (Ipv4Addr, Ipv6Addr) {
    (
        Ipv4Addr::from(u32::from(FIRST_V4) + index),
        Ipv6Addr::from(u128::from(FIRST_V6) + u128::from(index)),
    )
}

/// 198.18.0.0/24 is kept for the gateway.
const FIRST_V4: Ipv4Addr = Ipv4Addr::new(198, 18, 1, 0);
/// fd00:5afe::/64 is kept for the gateway.
const FIRST_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x5afe, 0, 1, 0, 0, 0, 0);

const _: () = assert!(DNS_NAMES <= (1 << 17) - 256, "198.18.0.0/15 has room");
