//! What goes over the wire: gitprotocol-pack(5), gitprotocol-v2(5), gitprotocol-http(5),
//! gitprotocol-capabilities(5).
//!
//! Everything is read into a type and written anew from it. What a client sends is read as
//! strictly as it can be: git's own server takes more than one spelling of many things, and
//! each of them is a way to make it see another push than the one that was decided on.

pub mod advertisement;
pub mod censor;
mod error;
pub mod fetch;
pub mod fetched;
pub mod pkt;
pub mod push;
pub mod report;
pub mod sideband;
pub mod target;
pub mod text;
mod version;
mod words;

pub use error::WireError;
pub use version::ProtocolVersion;
