//! Inspection: what may pass toward an agent, and what must be taken out first. This crate reads
//! octets and gives octets back; it does no I/O, reads no clock, knows no policy and starts no task.
//!
//! - [`scrub`]: takes injected credential values out of a stream, in every usual encoding.
//! - [`decode`]: undoes content encodings, so that what is inside can be scrubbed.
//! - [`secrets`]: finds what looks like a secret in what goes out.
//! - [`members`]: takes named members out of JSON, which are secrets of the upstream's own.

#![forbid(unsafe_code)]

pub mod decode;
pub mod limits;
pub mod members;
pub mod scrub;
pub mod secrets;

pub use decode::{DecodeError, Decoder};
pub use members::{Members, MembersError, Removals};
pub use scrub::{REPLACEMENT, ScrubError, ScrubSet, Scrubber};
