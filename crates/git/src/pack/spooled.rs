//! What a pack is read from, and how the reading is stopped from elsewhere.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Arrived, PackError};

/// A pack that lies in a file, or comes to lie in it while it is read.
#[derive(Debug)]
pub struct Spooled {
    /// The file, the pack at its beginning; what has arrived of it is not written to any more.
    pub pack: File,
    /// How much of it lies in the file. The reading waits for the rest.
    pub arrived: Arrived,
    /// An empty file that nobody else uses, open for reading and writing, on a disk: it grows up to
    /// [`inflated_octets`](super::PackLimits::inflated_octets).
    pub scratch: File,
    /// Checks that a file may grow, before more is written to the scratch file.
    pub room: fn(&File) -> io::Result<()>,
    /// Stops the work early.
    pub stop: Stop,
}

/// Stops the reading of a pack from another thread, for example when its sender has gone.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Nothing is stopped yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes whoever reads the pack give up soon with [`PackError::Stopped`].
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn check(&self) -> Result<(), PackError> {
        if self.0.load(Ordering::Relaxed) {
            return Err(PackError::Stopped);
        }
        Ok(())
    }
}
