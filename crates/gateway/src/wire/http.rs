//! A strict HTTP/1.1 reader and writer (RFC 9110, RFC 9112) for a proxy that decides on
//! what it forwards. A message that two implementations could read as two different things
//! is refused, and what goes on is written from the parsed head, so that the peer sees
//! exactly what was decided on.
//!
//! Reading takes everything that speaks about this one connection (framing, `Host`,
//! `Connection` and what it names, `Expect`, `Proxy-*` and the other hop-by-hop fields) out
//! of the field list and into typed fields of the head; what stays in [`Headers`] is end to
//! end. Trailers are checked and dropped.

mod chunked;
mod error;
mod framing;
mod glimpse;
mod headers;
mod http2;
mod path;
mod request;
mod response;
mod scan;
mod target;
mod write;

pub use chunked::{CHUNK_TAIL, ChunkedReader, LAST_CHUNK, Step, chunk_head, write_chunk};
pub use error::HttpError;
pub use framing::BodyKind;
pub use glimpse::{Glimpse, glimpse};
pub use headers::Headers;
pub use http2::read_http2;
pub use request::{RequestHead, RequestReader, read_request};
pub use response::{ResponseHead, ResponseReader, read_response};
pub use target::{Authority, Target};
pub use write::{TargetForm, write_canonical, write_request, write_response};

/// The version of a message. Everything is sent on as HTTP/1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1.
    Http11,
}

#[cfg(test)]
mod tests;
