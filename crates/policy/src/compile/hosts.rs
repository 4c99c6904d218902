//! Finds rules by host name: one look-up for the name, and one for each zone above it.

use std::collections::HashMap;

use ringfence_model::{HostName, HostPattern};

/// Rule positions by host pattern.
#[derive(Debug, Default)]
pub(super) struct HostIndex {
    exact: HashMap<HostName, Vec<usize>>,
    below: HashMap<Zone, Vec<usize>>,
    /// Labels of the longest zone: no longer one is looked up, however long the name is.
    deepest_zone: usize,
}

/// A zone as a map key that can be looked up by a part of a name.
type Zone = Box<str>;

impl HostIndex {
    pub(super) fn insert(&mut self, pattern: &HostPattern, position: usize) {
        match pattern {
            HostPattern::Exact(name) => {
                self.exact.entry(name.clone()).or_default().push(position);
            }
            HostPattern::Below(zone) => {
                self.deepest_zone = self.deepest_zone.max(zone.labels().count());
                let zone = Zone::from(zone.as_str());
                self.below.entry(zone).or_default().push(position);
            }
        }
    }

    pub(super) fn covering<'a>(&'a self, name: &'a HostName) -> impl Iterator<Item = usize> + 'a {
        let exact = self.exact.get(name).into_iter().flatten();
        let below = zones_above(name)
            .take(self.deepest_zone)
            .filter_map(|zone| self.below.get(zone))
            .flatten();
        exact.chain(below).copied()
    }
}

/// The zones that a name is below, from the shortest: `com`, `example.com` for
/// `www.example.com`, never the name itself.
fn zones_above(name: &HostName) -> impl Iterator<Item = &str> {
    let text = name.as_str();
    text.rmatch_indices('.')
        .filter_map(move |(dot, _)| text.get(dot + 1..))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_found_at_label_boundaries_only_and_never_covers_itself() {
        let mut index = HostIndex::default();
        for (position, pattern) in ["a.test", "*.a.test", "*.b.a.test"].iter().enumerate() {
            index.insert(&pattern.parse().unwrap(), position);
        }
        for (name, found) in [
            ("a.test", &[0][..]),
            ("b.a.test", &[1]),
            ("c.b.a.test", &[1, 2]),
            ("d.c.b.a.test", &[1, 2]),
            ("ba.test", &[]),
            ("xa.test", &[]),
            ("a.test.evil", &[]),
            ("test", &[]),
        ] {
            let name: HostName = name.parse().unwrap();
            assert_eq!(index.covering(&name).collect::<Vec<_>>(), found, "{name}");
        }
    }
}
