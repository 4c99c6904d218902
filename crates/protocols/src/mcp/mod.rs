//! Servers of the Model Context Protocol: at their own addresses, and by short names at
//! `mcp.ringfence.internal`.
//!
//! A message is read strictly (`ringfence-mcp`), decided on, and written anew. What the server says
//! is read message by message as well, whether it comes as one answer or as a stream of events:
//! lists lose what the agent may not use, definitions are compared with those that a person accepted,
//! and secrets are taken out of every text.

mod answered;
mod approval;
mod digest;
mod entered;
mod find;
mod known;
mod limits;
mod list;
mod memory;
mod own;
mod param;
mod read;
mod search;
mod sent;
mod service;
mod stream;
mod told;
mod words;

pub(crate) use find::{Found, look_up};
pub(crate) use service::Client;
