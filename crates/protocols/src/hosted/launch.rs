//! What starts a server, and what is between it and the bridge.

use std::any::Any;
use std::pin::Pin;

use ringfence_model::mcp::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};

/// Both directions of one process, and the process itself.
pub struct Pipe {
    /// What the server says.
    pub output: Box<dyn AsyncRead + Send + Unpin>,
    /// What it is told.
    pub input: Box<dyn AsyncWrite + Send + Unpin>,
    /// Ends the process when it is dropped.
    pub ending: Box<dyn Any + Send>,
}

/// A process that is being started.
pub type Launching<'a> = Pin<Box<dyn Future<Output = Result<Pipe, NotLaunched>> + Send + 'a>>;

/// Why there is no process, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotLaunched(pub String);

/// Starts servers.
pub trait Launch: Send + Sync {
    /// Starts one. It does not wait until the server has said anything.
    fn launch<'a>(&'a self, server: &'a ServerName) -> Launching<'a>;

    /// Most processes of this server at once. Zero where it is not one that can be started.
    fn most(&self, server: &ServerName) -> usize;

    /// Where a person finds out why the server ended.
    fn look(&self, server: &ServerName) -> String;
}
