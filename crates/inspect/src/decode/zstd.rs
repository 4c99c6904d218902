//! Zstandard (RFC 8878), a frame of blocks at a time: the lengths of headers and blocks are read
//! here, so that no more than one block is decoded before what it expands to is counted.

use std::fmt;

use ruzstd::decoding::errors::FrameDecoderError;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::DecodeError;
use super::allowance::Allowance;
use crate::limits::{BLOCK_OCTETS, MEMBERS, WINDOW_OCTETS};

pub(super) struct Zstd {
    decoder: FrameDecoder,
    state: State,
    /// The part of a header or block that is here.
    pending: Vec<u8>,
    frames: usize,
    /// Whether the frame ends with a checksum.
    checksum: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between frames.
    Magic,
    /// After the number that begins a frame, whose descriptor is next.
    Descriptor,
    /// A frame header of this length.
    Header(usize),
    BlockHeader,
    /// A block of this length with its header, and after the last one the checksum.
    Block(usize),
    /// The length of a frame that means nothing to a decoder.
    SkipHeader,
    Skip(usize),
}

const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// The magic numbers of skippable frames differ in four bits.
const SKIP_MAGIC: [u8; 3] = [0x2a, 0x4d, 0x18];
const MAGIC_OCTETS: usize = MAGIC.len();
const CHECKSUM_FLAG: u8 = 1 << 2;
const SINGLE_SEGMENT_FLAG: u8 = 1 << 5;
const BLOCK_HEADER_OCTETS: usize = 3;
const CHECKSUM_OCTETS: usize = 4;

impl State {
    /// Octets that must be pending before the next step.
    fn octets(self) -> usize {
        match self {
            Self::Magic => MAGIC_OCTETS,
            Self::Descriptor => MAGIC_OCTETS + 1,
            Self::SkipHeader => MAGIC_OCTETS + 4,
            Self::BlockHeader => BLOCK_HEADER_OCTETS,
            Self::Header(octets) | Self::Block(octets) => octets,
            Self::Skip(_) => 0,
        }
    }
}

impl Zstd {
    pub(super) fn new() -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(WINDOW_OCTETS);
        Self {
            decoder,
            state: State::Magic,
            pending: Vec::new(),
            frames: 0,
            checksum: false,
        }
    }

    pub(super) fn feed(
        &mut self,
        mut chunk: &[u8],
        out: &mut Vec<u8>,
        allowance: &mut Allowance,
    ) -> Result<(), DecodeError> {
        while !chunk.is_empty() {
            if let State::Skip(octets) = &mut self.state {
                let skipped = chunk.len().min(*octets);
                *octets -= skipped;
                chunk = chunk.get(skipped..).unwrap_or_default();
                if *octets == 0 {
                    self.state = State::Magic;
                }
                continue;
            }
            let missing = self.state.octets().saturating_sub(self.pending.len());
            let (now, later) = chunk.split_at(missing.min(chunk.len()));
            self.pending.extend_from_slice(now);
            chunk = later;
            if now.len() == missing {
                self.state = self.step(out, allowance)?;
            }
        }
        Ok(())
    }

    pub(super) fn complete(&self) -> bool {
        self.state == State::Magic && self.pending.is_empty()
    }

    /// Takes what the state asked for, which is pending as a whole.
    fn step(&mut self, out: &mut Vec<u8>, allowance: &mut Allowance) -> Result<State, DecodeError> {
        match self.state {
            State::Magic => self.magic(),
            State::Descriptor => {
                let descriptor = self.pending.last().copied().unwrap_or_default();
                self.checksum = descriptor & CHECKSUM_FLAG != 0;
                Ok(State::Header(header_octets(descriptor)))
            }
            State::Header(_) => {
                self.decoder
                    .reset(self.pending.as_slice())
                    .map_err(|error| refused(&error))?;
                self.pending.clear();
                Ok(State::BlockHeader)
            }
            State::BlockHeader => self.block_header(),
            State::Block(_) => self.block(out, allowance),
            State::SkipHeader => {
                let [.., a, b, c, d] = self.pending.as_slice() else {
                    return Err(DecodeError::Malformed);
                };
                let octets = u32::from_le_bytes([*a, *b, *c, *d]);
                self.pending.clear();
                Ok(match usize::try_from(octets).unwrap_or(usize::MAX) {
                    0 => State::Magic,
                    octets => State::Skip(octets),
                })
            }
            State::Skip(_) => Ok(State::Magic),
        }
    }

    fn magic(&mut self) -> Result<State, DecodeError> {
        self.frames += 1;
        if self.frames > MEMBERS {
            return Err(DecodeError::TooManyMembers);
        }
        match self.pending.as_slice() {
            magic if magic == MAGIC => Ok(State::Descriptor),
            [low, rest @ ..] if low & 0xf0 == 0x50 && rest == SKIP_MAGIC => Ok(State::SkipHeader),
            _ if self.frames > 1 => Err(DecodeError::TrailingOctets),
            _ => Err(DecodeError::Malformed),
        }
    }

    fn block_header(&self) -> Result<State, DecodeError> {
        let [a, b, c] = *self.pending.as_slice() else {
            return Err(DecodeError::Malformed);
        };
        let header = u32::from_le_bytes([a, b, c, 0]);
        let last = header & 1 == 1;
        let size = usize::try_from(header >> 3).unwrap_or(usize::MAX);
        if size > BLOCK_OCTETS {
            return Err(DecodeError::Malformed);
        }
        // A block of one repeated octet has one octet.
        let octets = if header >> 1 & 3 == 1 { 1 } else { size };
        let checksum = if last && self.checksum {
            CHECKSUM_OCTETS
        } else {
            0
        };
        Ok(State::Block(BLOCK_HEADER_OCTETS + octets + checksum))
    }

    fn block(
        &mut self,
        out: &mut Vec<u8>,
        allowance: &mut Allowance,
    ) -> Result<State, DecodeError> {
        self.decoder
            .decode_blocks(
                self.pending.as_slice(),
                BlockDecodingStrategy::UptoBlocks(1),
            )
            .map_err(|error| refused(&error))?;
        self.pending.clear();
        if let Some(decoded) = self.decoder.collect() {
            allowance.spend(decoded.len())?;
            out.extend_from_slice(&decoded);
        }
        if !self.decoder.is_finished() {
            return Ok(State::BlockHeader);
        }
        let expected = self.decoder.get_checksum_from_data();
        if expected.is_some() && expected != self.decoder.get_calculated_checksum() {
            return Err(DecodeError::Malformed);
        }
        Ok(State::Magic)
    }
}

/// The length of a frame header, from its number to its end (RFC 8878, 3.1.1.1).
fn header_octets(descriptor: u8) -> usize {
    let single_segment = descriptor & SINGLE_SEGMENT_FLAG != 0;
    let window = usize::from(!single_segment);
    let dictionary = match descriptor & 3 {
        0 => 0,
        1 => 1,
        2 => 2,
        _ => 4,
    };
    let content_size = match descriptor >> 6 {
        0 => usize::from(single_segment),
        1 => 2,
        2 => 4,
        _ => 8,
    };
    MAGIC_OCTETS + 1 + window + dictionary + content_size
}

fn refused(error: &FrameDecoderError) -> DecodeError {
    match error {
        FrameDecoderError::WindowSizeTooBig { .. } => DecodeError::Window,
        _ => DecodeError::Malformed,
    }
}

impl fmt::Debug for Zstd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Zstd")
            .field("state", &self.state)
            .field("frames", &self.frames)
            .finish_non_exhaustive()
    }
}
