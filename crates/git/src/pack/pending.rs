//! Deltas that had to wait: against objects that came later, or that had to wait themselves.

use ringfence_model::git::Oid;

use super::PackError;
use super::build::Objects;
use super::delta::Delta;
use super::index::Place;
use crate::limits::PACK_STEP_OCTETS;

/// A delta that waits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pending {
    /// The number of its object.
    pub(super) number: u32,
    pub(super) against: Against,
}

/// What it is against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Against {
    Number(u32),
    Name(Oid),
}

/// Applies all of them, each as soon as what it is against is known; whatever then still waits is
/// against something that is not in the pack, or against itself.
pub(super) fn resolve(
    objects: &mut Objects<'_>,
    mut pending: Vec<Pending>,
) -> Result<(), PackError> {
    if pending.is_empty() {
        return Ok(());
    }
    pending.sort_unstable_by_key(|pending| pending.against);
    let mut left = pending.len();
    let mut known: Vec<u32> = (0..).take(objects.entries.len()).collect();
    known.retain(|number| objects.resolved(*number).is_some());
    while let Some(base) = known.pop() {
        let Some(entry) = objects.resolved(base) else {
            continue;
        };
        for against in [Against::Number(base), Against::Name(entry.oid)] {
            for waiting in waiting(&pending, against) {
                if objects.resolved(waiting.number).is_some() {
                    return Err(PackError::Duplicate(entry.oid));
                }
                apply(objects, waiting.number, base)?;
                known.push(waiting.number);
                left -= 1;
            }
        }
    }
    match left {
        0 => Ok(()),
        _ => Err(PackError::MissingBase),
    }
}

fn waiting(pending: &[Pending], against: Against) -> &[Pending] {
    let from = pending.partition_point(|pending| pending.against < against);
    let to = pending.partition_point(|pending| pending.against <= against);
    pending.get(from..to).unwrap_or_default()
}

fn apply(objects: &mut Objects<'_>, number: u32, base: u32) -> Result<(), PackError> {
    let missing = || PackError::MissingBase;
    let below = objects.resolved(base).ok_or_else(missing)?;
    let depth = objects.depth_above(&below)?;
    let place = objects.entries.get(number as usize).copied();
    let (from, octets) = place
        .map(|entry| (entry.at, entry.size))
        .ok_or_else(missing)?;
    let mut delta = Delta::new(objects.format, objects.base(base)?);
    let at = objects.sink.scratch.end();
    let mut step = Vec::new();
    let mut done = 0;
    while done < octets {
        objects.stop.check()?;
        let length = (octets - done).min(PACK_STEP_OCTETS as u64);
        step.resize(usize::try_from(length).unwrap_or(0), 0);
        objects.sink.scratch.read(from + done, &mut step)?;
        delta.push(&step, &mut objects.sink, &mut objects.budget)?;
        done += length;
    }
    let applied = delta.finish(&mut objects.sink)?;
    if let Some(entry) = objects.entries.get_mut(number as usize) {
        entry.at = at;
        entry.size = applied.size;
        entry.oid = applied.made.oid;
        entry.kind = below.kind;
        entry.place = Place::Scratch;
        entry.depth = depth;
    }
    objects.hold_applied(number, applied);
    Ok(())
}
