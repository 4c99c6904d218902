//! The HTTP/1 engine: reads requests one after another from a client, forwards one that a
//! permit allows, and streams bodies both ways with backpressure. It decides nothing and has no
//! words of its own for a client; those are the adapter's.

mod body;
mod exchange;
mod message;
mod requests;
mod upstream;

pub use exchange::{Exchange, Fault};
pub use message::{BodyError, RequestBody, ResponseBody, authority, empty, full};
pub use requests::{Interrupted, drain_body, next_request};
pub use upstream::UpstreamSlot;
