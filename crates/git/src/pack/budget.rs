//! What reading one pack may still cost.

use super::arrival::Arrived;
use super::{Excess, PackError, PackLimits, Stop};

/// What reading one pack may still cost.
#[derive(Debug)]
pub(super) struct Budget {
    limits: PackLimits,
    inflated_octets: u64,
    /// What may be inflated of as much as has arrived.
    earned_octets: u64,
    instructions: u64,
    arrived: Arrived,
    stop: Stop,
}

impl Budget {
    pub(super) fn new(limits: PackLimits, arrived: Arrived, stop: Stop) -> Self {
        Self {
            limits,
            inflated_octets: 0,
            earned_octets: 0,
            instructions: limits.instructions,
            arrived,
            stop,
        }
    }

    /// Octets that were inflated so far.
    pub(super) const fn inflated_octets(&self) -> u64 {
        self.inflated_octets
    }

    /// Takes the octets of one object or delta. Where only more of the pack would allow them, more
    /// is waited for: what may be done never depends on how fast a pack arrives.
    pub(super) fn take(&mut self, octets: u64) -> Result<(), PackError> {
        if octets > self.limits.object_octets {
            return Err(PackError::TooMuch(Excess::ObjectOctets));
        }
        self.inflated_octets = self.inflated_octets.saturating_add(octets);
        if self.inflated_octets > self.limits.inflated_octets {
            return Err(PackError::TooMuch(Excess::InflatedOctets));
        }
        let mut known = self.arrived.now();
        while self.inflated_octets > self.earned_octets {
            let earned = known.octets.saturating_mul(self.limits.inflated_times);
            self.earned_octets = earned.saturating_add(self.limits.inflated_free);
            if self.inflated_octets <= self.earned_octets {
                break;
            }
            if known.is_all {
                return Err(PackError::TooMuch(Excess::InflatedOctets));
            }
            known = self.arrived.beyond(known.octets)?;
        }
        Ok(())
    }

    /// Takes one instruction of a delta.
    pub(super) fn instruction(&mut self) -> Result<(), PackError> {
        self.stop.check()?;
        let left = self.instructions.checked_sub(1);
        self.instructions = left.ok_or(PackError::TooMuch(Excess::Instructions))?;
        Ok(())
    }
}
