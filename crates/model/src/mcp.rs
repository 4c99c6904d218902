//! Requests to servers of the Model Context Protocol in the terms of policy: which server, what is
//! asked of it, and, in hindsight, what came back. How the wire says all this is read elsewhere,
//! strictly; here are the words.

mod facts;
mod request;
mod server;

pub use facts::{McpApproved, McpFacts, McpHeld, McpPin};
pub use request::{McpArguments, McpRequest, McpVerb};
pub use server::{HOSTED_PATH, HOSTED_ZONE, McpServer, ServerError, ServerName, hosted_at};
