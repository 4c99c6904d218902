//! Inspection: what may pass toward an agent, and what must be taken out first. This crate reads
//! octets and gives octets back; it does no I/O, reads no clock, knows no policy and starts no task.
//!
//! - [`scrub`]: takes injected credential values out of a stream, in every usual encoding.
//! - [`decode`]: undoes content encodings, so that what is inside can be scrubbed.

#![forbid(unsafe_code)]

pub mod decode;
pub mod limits;
pub mod scrub;

pub use decode::{DecodeError, Decoder};
pub use scrub::{REPLACEMENT, ScrubError, ScrubSet, Scrubber};
