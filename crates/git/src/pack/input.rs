//! A pack read from its beginning to the trailer, and its checksum made on the way.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use ringfence_model::git::{ObjectFormat, Oid};

use super::PackError;
use super::hash::Hasher;
use crate::limits::PACK_STEP_OCTETS;

/// The octets of a pack before its trailer.
pub(super) struct Input {
    file: File,
    next: u64,
    end: u64,
    buffer: Vec<u8>,
    taken: usize,
    checksum: Hasher,
    format: ObjectFormat,
}

impl Input {
    /// Of a pack of so many octets.
    pub(super) fn new(file: File, octets: u64, format: ObjectFormat) -> Result<Self, PackError> {
        let end = octets
            .checked_sub(format.octets() as u64)
            .ok_or(PackError::malformed(0, "it is too short"))?;
        Ok(Self {
            file,
            next: 0,
            end,
            buffer: Vec::new(),
            taken: 0,
            checksum: Hasher::checksum(format),
            format,
        })
    }

    /// Where the next octet is.
    pub(super) fn at(&self) -> u64 {
        self.next - (self.buffer.len() - self.taken) as u64
    }

    /// How many octets are left.
    pub(super) fn left(&self) -> u64 {
        self.end - self.at()
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

    fn refill(&mut self) -> Result<(), PackError> {
        let step = (self.end - self.next).min(PACK_STEP_OCTETS as u64);
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

    /// Checks that everything was read and that the trailer is its checksum.
    pub(super) fn finish(self) -> Result<File, PackError> {
        if self.left() > 0 {
            return Err(PackError::malformed(self.at(), "it goes on after its end"));
        }
        let mut trailer = [0; 32];
        let place = trailer.get_mut(..self.format.octets()).unwrap_or_default();
        self.file
            .read_exact_at(place, self.end)
            .map_err(PackError::Io)?;
        let claimed = Oid::new(self.format, place).map_err(|_| PackError::Trailer)?;
        if claimed != self.checksum.finish()? {
            return Err(PackError::Trailer);
        }
        Ok(self.file)
    }
}
