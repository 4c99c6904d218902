//! A pack read from its beginning to the trailer, and its checksum made on the way.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use ringfence_model::git::{ObjectFormat, Oid};

use super::PackError;
use super::arrival::{Arrived, Known};
use super::hash::Hasher;
use crate::limits::PACK_STEP_OCTETS;

/// The octets of a pack before its trailer.
pub(super) struct Input {
    file: File,
    arrived: Arrived,
    next: u64,
    buffer: Vec<u8>,
    taken: usize,
    checksum: Hasher,
    format: ObjectFormat,
}

impl Input {
    pub(super) fn new(file: File, arrived: Arrived, format: ObjectFormat) -> Self {
        Self {
            file,
            arrived,
            next: 0,
            buffer: Vec::new(),
            taken: 0,
            checksum: Hasher::checksum(format),
            format,
        }
    }

    /// Where the next octet is.
    pub(super) fn at(&self) -> u64 {
        self.next - (self.buffer.len() - self.taken) as u64
    }

    /// How much of the pack is known to be there, what was read included.
    pub(super) fn known(&self) -> Known {
        self.arrived.now()
    }

    /// Some octets; none only at the end.
    pub(super) fn available(&mut self) -> Result<&[u8], PackError> {
        if self.taken >= self.buffer.len() {
            self.refill()?;
        }
        Ok(self.buffer.get(self.taken..).unwrap_or_default())
    }

    pub(super) fn consume(&mut self, octets: usize) {
        self.taken = self.buffer.len().min(self.taken + octets);
    }

    /// Reads on. The last octets of those that are there may be the trailer.
    fn refill(&mut self) -> Result<(), PackError> {
        let trailer = self.format.octets() as u64;
        let known = self.arrived.beyond(self.next + trailer)?;
        let end = known.octets.saturating_sub(trailer);
        let step = end.saturating_sub(self.next).min(PACK_STEP_OCTETS as u64);
        self.buffer.resize(usize::try_from(step).unwrap_or(0), 0);
        self.taken = 0;
        self.file
            .read_exact_at(&mut self.buffer, self.next)
            .map_err(PackError::Io)?;
        self.next += step;
        self.checksum.update(&self.buffer);
        Ok(())
    }

    /// The next octet.
    pub(super) fn octet(&mut self) -> Result<u8, PackError> {
        let at = self.at();
        let octet = self.available()?.first().copied();
        self.consume(1);
        octet.ok_or_else(|| PackError::malformed(at, "it is cut off"))
    }

    /// The next octets, as many as there is place for.
    pub(super) fn octets(&mut self, place: &mut [u8]) -> Result<(), PackError> {
        for octet in place {
            *octet = self.octet()?;
        }
        Ok(())
    }

    /// Checks that everything was read and that the trailer is its checksum. Gives back the file,
    /// and how many octets the pack has.
    pub(super) fn finish(mut self) -> Result<(File, u64), PackError> {
        if !self.available()?.is_empty() {
            return Err(PackError::malformed(self.at(), "it goes on after its end"));
        }
        let octets = self.arrived.all()?;
        let mut trailer = [0; 32];
        let place = trailer.get_mut(..self.format.octets()).unwrap_or_default();
        let end = octets.checked_sub(place.len() as u64);
        let end = end.ok_or(PackError::malformed(0, "it is too short"))?;
        self.file.read_exact_at(place, end).map_err(PackError::Io)?;
        let claimed = Oid::new(self.format, place).map_err(|_| PackError::Trailer)?;
        if claimed != self.checksum.finish()? {
            return Err(PackError::Trailer);
        }
        Ok((self.file, octets))
    }
}
