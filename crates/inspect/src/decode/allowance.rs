//! How much more a body may decode to: octets are earned by encoded ones and used by decoded ones.

use super::DecodeError;
use crate::limits::{DECODED_OCTETS, EXPANSION, EXPANSION_FREE_OCTETS, EXPANSION_SAVED_OCTETS};

#[derive(Debug)]
pub(super) struct Allowance {
    octets: u64,
    used: u64,
    most: u64,
    untouched: bool,
}

impl Allowance {
    pub(super) fn new() -> Self {
        Self {
            octets: EXPANSION_FREE_OCTETS,
            used: 0,
            most: DECODED_OCTETS,
            untouched: true,
        }
    }

    /// No more than this may come out.
    pub(super) fn limit(&mut self, octets: u64) {
        self.most = self.most.min(octets);
    }

    /// Encoded octets have come.
    pub(super) fn earn(&mut self, encoded: usize) {
        let earned = EXPANSION.saturating_mul(encoded as u64);
        self.octets = self
            .octets
            .min(EXPANSION_SAVED_OCTETS)
            .saturating_add(earned);
        self.untouched &= encoded == 0;
    }

    /// They decode to this many.
    pub(super) fn spend(&mut self, decoded: usize) -> Result<(), DecodeError> {
        let decoded = decoded as u64;
        self.used = self.used.saturating_add(decoded);
        if self.used > self.most {
            return Err(DecodeError::TooLong);
        }
        self.octets = self
            .octets
            .checked_sub(decoded)
            .ok_or(DecodeError::Expansion)?;
        Ok(())
    }

    /// Whether no octet has come at all.
    pub(super) fn untouched(&self) -> bool {
        self.untouched
    }
}
