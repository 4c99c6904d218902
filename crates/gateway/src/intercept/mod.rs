//! Interception: the gateway terminates a client's TLS, or takes its plain HTTP, and hands each
//! request to a [`Service`] in one strict form, whichever version of HTTP it came in. What a
//! request may do is not decided here.
//!
//! HTTP/1 is read by our own parser and written anew for the library behind it, so that there is
//! one reading of a head in the whole gateway. HTTP/2 is the library's, with the same checks on
//! every head. All work of a connection is done within the one future that serves it: when that
//! is dropped, so is everything else.

mod authority;
mod client;
mod http1;
mod http2;
mod leaves;
mod linger;
mod message;
mod opened;
mod place;
mod queue;
mod service;
mod streams;
mod strict;
mod turn;

pub use authority::{Authority, AuthorityError};
pub use opened::{Opened, TlsFault, accept, plain};
pub use service::Service;

#[cfg(test)]
pub(crate) mod tests;
