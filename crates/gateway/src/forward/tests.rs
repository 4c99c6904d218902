//! Exchanges against real sockets: upstreams that speak TLS and do what hostile or broken ones do.

mod across;
mod bodies;
mod certificates;
mod credentials;
mod cuts;
mod echoes;
mod packets;
mod preconditions;
mod questions;
mod redirects;
mod removals;
mod responses;
mod signatures;
mod streams;
mod tokens;
mod unread;
pub(crate) mod upstream;
mod versions;
mod websockets;
mod world;
