//! Undoes content encodings (RFC 9110, 8.4) as the body comes, so that what is inside can be read.
//!
//! A body that is not exactly what its encodings say is an error: unknown names, damage, an early
//! end, anything after the end. So is one that expands more than [`crate::limits`] allow.
//!
//! Zstandard gives its last window only at the end of a frame: for event streams, ask the server
//! for another encoding or none.

mod allowance;
mod brotli;
mod deflate;
mod zstd;

#[cfg(test)]
mod tests;

use thiserror::Error;

use crate::limits::{DECODE_STEP_OCTETS, ENCODINGS, MEMBERS};
use allowance::Allowance;
use brotli::Brotli;
use deflate::Deflate;
use zstd::Zstd;

/// Undoes one or two encodings of a body.
#[derive(Debug)]
pub struct Decoder {
    /// The encoding that was applied last comes first.
    layers: Vec<Layer>,
}

/// Why a body cannot be decoded. It must not be forwarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DecodeError {
    #[error("the content encoding is not one of gzip, deflate, br, zstd")]
    UnknownEncoding,
    #[error("more than {ENCODINGS} content encodings")]
    TooManyEncodings,
    #[error("the body is not valid in its content encoding")]
    Malformed,
    #[error("the body ends before its content encoding does")]
    Truncated,
    #[error("the body goes on after the end of its content encoding")]
    TrailingOctets,
    #[error("the body expands too much")]
    Expansion,
    #[error("the decoded body is longer than is allowed")]
    TooLong,
    #[error("the body needs a larger window than is allowed")]
    Window,
    #[error("the body has more than {MEMBERS} members")]
    TooManyMembers,
}

impl Decoder {
    /// Reads the value of `Content-Encoding`; `None` when the body is not encoded.
    pub fn for_encodings(content_encoding: &str) -> Result<Option<Self>, DecodeError> {
        let mut layers = Vec::new();
        for name in content_encoding
            .split(',')
            .map(|name| name.trim_matches([' ', '\t']))
        {
            let Some(layer) = Layer::named(name)? else {
                continue;
            };
            if layers.len() == ENCODINGS {
                return Err(DecodeError::TooManyEncodings);
            }
            layers.push(layer);
        }
        layers.reverse();
        Ok((!layers.is_empty()).then_some(Self { layers }))
    }

    /// The same for a body that may decode to no more than `octets`.
    #[must_use]
    pub fn at_most(mut self, octets: u64) -> Self {
        for layer in &mut self.layers {
            layer.allowance.limit(octets);
        }
        self
    }

    /// Takes the next piece of the body, and appends what it decodes to. Pieces should be small:
    /// one may decode to [`crate::limits::EXPANSION`] times its length.
    pub fn feed(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), DecodeError> {
        match self.layers.as_mut_slice() {
            [only] => only.feed(chunk, out),
            [outer, inner] => {
                let mut between = Vec::new();
                for piece in chunk.chunks(DECODE_STEP_OCTETS) {
                    between.clear();
                    outer.feed(piece, &mut between)?;
                    inner.feed(&between, out)?;
                }
                Ok(())
            }
            _ => Err(DecodeError::TooManyEncodings),
        }
    }

    /// The body has ended: whether its encodings have, too. A body without any octet is complete.
    pub fn finish(&self) -> Result<(), DecodeError> {
        self.layers.iter().try_for_each(Layer::finish)
    }
}

/// One encoding, and how far it may expand.
#[derive(Debug)]
struct Layer {
    coding: Coding,
    allowance: Allowance,
}

#[derive(Debug)]
enum Coding {
    Deflate(Deflate),
    Brotli(Brotli),
    Zstd(Box<Zstd>),
}

impl Layer {
    fn named(name: &str) -> Result<Option<Self>, DecodeError> {
        let coding = match name.to_ascii_lowercase().as_str() {
            "" | "identity" => return Ok(None),
            "gzip" | "x-gzip" => Coding::Deflate(Deflate::gzip()),
            "deflate" => Coding::Deflate(Deflate::zlib_or_raw()),
            "br" => Coding::Brotli(Brotli::new()),
            "zstd" => Coding::Zstd(Box::new(Zstd::new())),
            _ => return Err(DecodeError::UnknownEncoding),
        };
        Ok(Some(Self {
            coding,
            allowance: Allowance::new(),
        }))
    }

    fn feed(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), DecodeError> {
        self.allowance.earn(chunk.len());
        match &mut self.coding {
            Coding::Deflate(deflate) => deflate.feed(chunk, out, &mut self.allowance),
            Coding::Brotli(brotli) => brotli.feed(chunk, out, &mut self.allowance),
            Coding::Zstd(zstd) => zstd.feed(chunk, out, &mut self.allowance),
        }
    }

    fn finish(&self) -> Result<(), DecodeError> {
        let complete = match &self.coding {
            Coding::Deflate(deflate) => deflate.complete(),
            Coding::Brotli(brotli) => brotli.complete(),
            Coding::Zstd(zstd) => zstd.complete(),
        };
        if complete || self.allowance.untouched() {
            Ok(())
        } else {
            Err(DecodeError::Truncated)
        }
    }
}
