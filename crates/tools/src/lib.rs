//! Tools that a person describes, as a server of the Model Context Protocol: programs and requests
//! (`kind: Tools`), the operations of an API (OpenAPI), and a few questions to clouds.
//!
//! The server runs inside of a sandbox of its own, on standard input and output. It holds no
//! credential: what it sends leaves through the gateway of that sandbox, which decides on each
//! request and puts credentials in. So this crate may start programs and open connections, which
//! nothing else here may; it must never be called outside of a sandbox for more than to check a file.
//!
//! - [`read`]: a file as a [`Catalogue`] of tools, checked.
//! - [`serve`]: the server.

#![forbid(unsafe_code)]

mod answer;
mod client;
mod cloud;
mod command;
mod document;
mod error;
mod http;
pub mod limits;
mod openapi;
mod schema;
mod serve;
mod server;
mod template;
mod tool;
mod yaml;

pub use document::json_schema;
pub use error::DefinitionError;
pub use serve::{Kind, ServeError, read, serve};
pub use tool::{Catalogue, Tool};
