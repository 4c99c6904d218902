//! DEFLATE in its three wrappers: gzip with any number of members (RFC 1952), zlib (RFC 1950), and
//! none (RFC 1951), which some servers send for `deflate`.

use std::fmt;

use flate2::{Decompress, FlushDecompress, Status};

use super::DecodeError;
use super::allowance::Allowance;
use crate::limits::{DECODE_STEP_OCTETS, MEMBERS};

const WINDOW_BITS: u8 = 15;

pub(super) struct Deflate {
    state: State,
    members: usize,
    gzip: bool,
}

enum State {
    /// Nothing of a member was read yet, but perhaps the first octet of a `deflate` body.
    Before(Option<u8>),
    Inside(Box<Decompress>),
}

impl Deflate {
    pub(super) fn gzip() -> Self {
        Self {
            state: State::Before(None),
            members: 0,
            gzip: true,
        }
    }

    /// Which of the two is told by the first two octets.
    pub(super) fn zlib_or_raw() -> Self {
        Self {
            gzip: false,
            ..Self::gzip()
        }
    }

    pub(super) fn feed(
        &mut self,
        mut chunk: &[u8],
        out: &mut Vec<u8>,
        allowance: &mut Allowance,
    ) -> Result<(), DecodeError> {
        while let Some(first) = chunk.first() {
            match &mut self.state {
                State::Inside(stream) => {
                    let (used, ended) = inflate(stream, chunk, out, allowance)?;
                    chunk = chunk.get(used..).unwrap_or_default();
                    if ended {
                        self.state = State::Before(None);
                    }
                }
                State::Before(_) if self.gzip => {
                    self.begin(Decompress::new_gzip(WINDOW_BITS))?;
                }
                State::Before(_) if self.members > 0 => return Err(DecodeError::TrailingOctets),
                State::Before(None) => {
                    self.state = State::Before(Some(*first));
                    chunk = chunk.get(1..).unwrap_or_default();
                }
                State::Before(Some(method)) => {
                    let method = *method;
                    let mut stream = Decompress::new(is_zlib(method, *first));
                    inflate(&mut stream, &[method], out, allowance)?;
                    self.begin(stream)?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn complete(&self) -> bool {
        self.members > 0 && matches!(self.state, State::Before(None))
    }

    fn begin(&mut self, stream: Decompress) -> Result<(), DecodeError> {
        self.members += 1;
        self.state = State::Inside(Box::new(stream));
        if self.members > MEMBERS {
            return Err(DecodeError::TooManyMembers);
        }
        Ok(())
    }
}

/// A zlib header: method 8, a window that exists, and a check that fits.
fn is_zlib(method: u8, flags: u8) -> bool {
    method & 15 == 8 && method >> 4 <= 7 && u16::from_be_bytes([method, flags]).is_multiple_of(31)
}

/// Decodes all that the input gives; says how much of it was used, and whether the stream ended.
fn inflate(
    stream: &mut Decompress,
    input: &[u8],
    out: &mut Vec<u8>,
    allowance: &mut Allowance,
) -> Result<(usize, bool), DecodeError> {
    let mut step = [0; DECODE_STEP_OCTETS];
    let mut used = 0;
    loop {
        let (read, written) = (stream.total_in(), stream.total_out());
        let rest = input.get(used..).unwrap_or_default();
        let status = stream
            .decompress(rest, &mut step, FlushDecompress::None)
            .map_err(|_| DecodeError::Malformed)?;
        let read = difference(stream.total_in(), read);
        let written = difference(stream.total_out(), written);
        used += read;
        allowance.spend(written)?;
        out.extend_from_slice(step.get(..written).unwrap_or_default());
        if status == Status::StreamEnd {
            return Ok((used, true));
        }
        if used == input.len() && written < step.len() {
            return Ok((used, false));
        }
        if read == 0 && written == 0 {
            return Err(DecodeError::Malformed);
        }
    }
}

/// What one step added; it fits, because no step reads or writes more than memory holds.
fn difference(after: u64, before: u64) -> usize {
    usize::try_from(after - before).unwrap_or(usize::MAX)
}

impl fmt::Debug for Deflate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deflate")
            .field("gzip", &self.gzip)
            .field("members", &self.members)
            .finish_non_exhaustive()
    }
}
