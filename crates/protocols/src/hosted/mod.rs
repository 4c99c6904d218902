//! Servers of the Model Context Protocol that are started as programs: what the gateway sends in HTTP
//! goes to a program as lines of JSON-RPC, and its lines come back as responses and streams.
//!
//! In the era of sessions each session is a process of its own. In the stateless era all requests share
//! one. A process is whatever is at the other end of a [`Pipe`]; who implements [`Launch`] makes them.
//!
//! A process is hostile: its lines are read strictly, what nobody asked for goes nowhere, and what
//! waits for its reader is bounded.

mod launch;
mod limits;
mod lines;
mod process;
mod reply;
mod router;
mod servers;

pub use launch::{Launch, Launching, NotLaunched, Pipe};
pub use servers::Servers;

#[cfg(test)]
mod tests;
