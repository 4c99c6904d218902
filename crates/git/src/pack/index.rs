//! The objects of a pack by name: about 64 octets of memory for each.

use ringfence_model::git::Oid;

use super::{Kind, PackError};

/// One object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    /// Where its content begins in the file that `place` says.
    pub(super) at: u64,
    /// Octets of the content.
    pub(super) size: u64,
    pub(super) oid: Oid,
    pub(super) kind: Kind,
    pub(super) place: Place,
    /// Deltas below it.
    pub(super) depth: u16,
}

/// Where a content is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// In the pack, deflated.
    Pack,
    /// In the scratch file, as it is.
    Scratch,
    /// Not known yet; in the scratch file is a delta that makes it.
    Delta,
}

/// All objects.
#[derive(Debug)]
pub(super) struct Index {
    /// By name.
    entries: Vec<Entry>,
    /// How many have a name that begins with two octets less than these.
    fan: Vec<u32>,
    /// Numbers of the entries by where their contents are.
    order: Vec<u32>,
}

/// What two octets can be.
const FAN: usize = 1 << 16;

impl Index {
    /// # Errors
    /// When an object is there twice.
    pub(super) fn new(mut entries: Vec<Entry>) -> Result<Self, PackError> {
        entries.sort_unstable_by_key(|entry| entry.oid);
        let twice = entries
            .array_windows()
            .find_map(|[one, next]| (one.oid == next.oid).then_some(one.oid));
        if let Some(oid) = twice {
            return Err(PackError::Duplicate(oid));
        }
        let fan = fan(&entries);
        let mut order: Vec<u32> = (0..).take(entries.len()).collect();
        order.sort_unstable_by_key(|number| {
            let entry = entries.get(*number as usize);
            entry.map(|entry| (entry.place, entry.at))
        });
        Ok(Self {
            entries,
            fan,
            order,
        })
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn get(&self, number: u32) -> Option<&Entry> {
        self.entries.get(number as usize)
    }

    /// All of them with their numbers, by name.
    pub(super) fn all(&self) -> impl Iterator<Item = (u32, &Entry)> {
        (0..).zip(&self.entries)
    }

    pub(super) fn in_file_order(&self) -> impl Iterator<Item = &Entry> {
        self.order.iter().filter_map(|number| self.get(*number))
    }

    pub(super) fn find(&self, oid: &Oid) -> Option<&Entry> {
        self.number_of(oid).and_then(|number| self.get(number))
    }

    pub(super) fn number_of(&self, oid: &Oid) -> Option<u32> {
        let slot = slot(oid);
        let from = self.fan.get(slot).copied()?;
        let to = self.fan.get(slot + 1).copied()?;
        let near = self.entries.get(from as usize..to as usize)?;
        let place = near.binary_search_by(|entry| entry.oid.cmp(oid)).ok()?;
        Some(from + u32::try_from(place).ok()?)
    }
}

fn fan(entries: &[Entry]) -> Vec<u32> {
    let mut fan = vec![0; FAN + 1];
    for entry in entries {
        if let Some(count) = fan.get_mut(slot(&entry.oid) + 1) {
            *count += 1;
        }
    }
    let mut sum = 0;
    for count in &mut fan {
        sum += *count;
        *count = sum;
    }
    fan
}

fn slot(oid: &Oid) -> usize {
    match oid.as_octets() {
        [high, low, ..] => usize::from(*high) << 8 | usize::from(*low),
        _ => 0,
    }
}
