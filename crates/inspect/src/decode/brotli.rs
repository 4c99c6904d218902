//! Brotli (RFC 7932), without the large windows that are not part of it.

use std::fmt;

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

use super::DecodeError;
use super::allowance::Allowance;
use crate::limits::DECODE_STEP_OCTETS;

pub(super) struct Brotli {
    state: Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>,
    ended: bool,
}

impl Brotli {
    pub(super) fn new() -> Self {
        let alloc = StandardAlloc::default;
        Self {
            state: Box::new(BrotliState::new_strict(alloc(), alloc(), alloc())),
            ended: false,
        }
    }

    pub(super) fn feed(
        &mut self,
        chunk: &[u8],
        out: &mut Vec<u8>,
        allowance: &mut Allowance,
    ) -> Result<(), DecodeError> {
        if self.ended {
            return match chunk {
                [] => Ok(()),
                _ => Err(DecodeError::TrailingOctets),
            };
        }
        let mut step = [0; DECODE_STEP_OCTETS];
        let (mut rest, mut used, mut total) = (chunk.len(), 0, 0);
        loop {
            let (mut room, mut written) = (step.len(), 0);
            let result = BrotliDecompressStream(
                &mut rest,
                &mut used,
                chunk,
                &mut room,
                &mut written,
                &mut step,
                &mut total,
                &mut self.state,
            );
            allowance.spend(written)?;
            out.extend_from_slice(step.get(..written).unwrap_or_default());
            match result {
                BrotliResult::NeedsMoreOutput => {}
                BrotliResult::NeedsMoreInput => return Ok(()),
                BrotliResult::ResultFailure => return Err(DecodeError::Malformed),
                BrotliResult::ResultSuccess => {
                    self.ended = true;
                    return match rest {
                        0 => Ok(()),
                        _ => Err(DecodeError::TrailingOctets),
                    };
                }
            }
        }
    }

    pub(super) fn complete(&self) -> bool {
        self.ended
    }
}

impl fmt::Debug for Brotli {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Brotli")
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}
