//! The Model Context Protocol, read strictly: JSON-RPC 2.0 over Streamable HTTP, in both of its
//! eras (sessions up to 2025-11-25, stateless from 2026-07-28). Nothing here decides.
//!
//! - [`frame`]: one message, read as no two readers could read it differently, and written anew.
//! - [`method`]: which methods there are, and what they are about.
//! - [`ask`]: a message in the terms of policy, and its agreement with the headers of HTTP.
//! - [`version`]: the versions of the protocol.
//! - [`definition`]: what servers say of themselves and their tools, in a form that can be compared.
//! - [`list`]: lists with fewer entries, and tools that take fewer arguments.
//! - [`texts`]: every text of a message.
//! - [`seal`]: opaque values that go to an agent and come back.

#![forbid(unsafe_code)]

pub mod ask;
pub mod definition;
pub mod frame;
pub mod limits;
pub mod list;
pub mod meta;
pub mod method;
pub mod narrow;
pub mod seal;
pub mod suspicion;
pub mod texts;
pub mod version;
