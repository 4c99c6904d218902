//! Inflating what lies in a pack, to exactly the size that its header says.

use flate2::{Decompress, FlushDecompress, Status};

use super::input::Input;
use super::{PackError, Stop};
use crate::limits::PACK_STEP_OCTETS;

/// Inflates one object after another.
pub(super) struct Inflater {
    zlib: Decompress,
    place: Box<[u8]>,
    stop: Stop,
}

impl Inflater {
    pub(super) fn new(stop: Stop) -> Self {
        Self {
            zlib: Decompress::new(true),
            place: vec![0; PACK_STEP_OCTETS].into_boxed_slice(),
            stop,
        }
    }

    /// Inflates the next stream of the input and gives its octets to `take`. A stream that has
    /// another size is refused as soon as that shows.
    pub(super) fn run(
        &mut self,
        input: &mut Input,
        size: u64,
        take: &mut dyn FnMut(&[u8]) -> Result<(), PackError>,
    ) -> Result<(), PackError> {
        self.zlib.reset(true);
        let at = input.at();
        let mut left = size;
        loop {
            self.stop.check()?;
            let (made, has_ended) = self.step(input)?;
            let too_large = || PackError::malformed(at, "an object is larger than it says");
            left = left.checked_sub(made.len() as u64).ok_or_else(too_large)?;
            if !made.is_empty() {
                take(made)?;
            }
            if has_ended {
                break;
            }
        }
        if left > 0 {
            let reason = "an object is smaller than it says";
            return Err(PackError::malformed(at, reason));
        }
        Ok(())
    }

    fn step(&mut self, input: &mut Input) -> Result<(&[u8], bool), PackError> {
        let at = input.at();
        let (before_in, before_out) = (self.zlib.total_in(), self.zlib.total_out());
        let available = input.available()?;
        let is_cut_off = available.is_empty();
        let status = self
            .zlib
            .decompress(available, &mut self.place, FlushDecompress::None)
            .map_err(|_| PackError::malformed(at, "what is deflated is damaged"))?;
        let taken = amount(self.zlib.total_in() - before_in);
        let made = amount(self.zlib.total_out() - before_out);
        input.consume(taken);
        let has_ended = status == Status::StreamEnd;
        if taken == 0 && made == 0 && !has_ended {
            let damaged = "what is deflated is damaged";
            let reason = if is_cut_off { "it is cut off" } else { damaged };
            return Err(PackError::malformed(at, reason));
        }
        Ok((self.place.get(..made).unwrap_or_default(), has_ended))
    }
}

fn amount(octets: u64) -> usize {
    usize::try_from(octets).unwrap_or(usize::MAX)
}
