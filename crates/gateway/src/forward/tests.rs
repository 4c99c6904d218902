//! Exchanges against real sockets: upstreams that speak TLS and do what hostile or broken ones do.

mod bodies;
mod certificates;
mod credentials;
mod cuts;
mod echoes;
mod preconditions;
mod redirects;
mod responses;
mod signatures;
mod streams;
mod tokens;
pub(crate) mod upstream;
mod versions;
mod websockets;
mod world;
