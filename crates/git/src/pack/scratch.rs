//! The scratch file: contents that are needed again, one after another, each where it was put.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use super::PackError;
use crate::limits::PACK_STEP_OCTETS;

/// A file that grows at its end and is read anywhere.
pub(super) struct Scratch {
    file: File,
    room: fn(&File) -> io::Result<()>,
    written: u64,
    buffer: Vec<u8>,
}

impl Scratch {
    pub(super) fn new(file: File, room: fn(&File) -> io::Result<()>) -> Self {
        Self {
            file,
            room,
            written: 0,
            buffer: Vec::new(),
        }
    }

    /// Where the next octet goes.
    pub(super) fn end(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    pub(super) fn append(&mut self, octets: &[u8]) -> Result<(), PackError> {
        if self.buffer.len() + octets.len() > 4 * PACK_STEP_OCTETS {
            self.flush()?;
        }
        self.buffer.extend_from_slice(octets);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), PackError> {
        let writing = (self.room)(&self.file)
            .and_then(|()| self.file.write_all_at(&self.buffer, self.written));
        writing.map_err(PackError::Io)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Fills `place` with what was put at `at`.
    pub(super) fn read(&mut self, at: u64, place: &mut [u8]) -> Result<(), PackError> {
        if at + place.len() as u64 > self.written {
            self.flush()?;
        }
        self.file.read_exact_at(place, at).map_err(PackError::Io)
    }

    pub(super) fn finish(mut self) -> Result<File, PackError> {
        self.flush()?;
        Ok(self.file)
    }
}
