//! The port to servers that are started as programs: what is sent to one is not dialled, but handed
//! over, and comes back as the response of an upstream would.

use std::pin::Pin;

use bytes::Bytes;
use http::{Request, Response};
use ringfence_model::mcp::McpServer;

use crate::http::ResponseBody;

/// A response of a server that is hosted, as it comes.
pub type HostedAnswer<'a> = Pin<Box<dyn Future<Output = Response<ResponseBody>> + Send + 'a>>;

/// Where servers are that are started as programs.
pub trait Hosted: Send + Sync {
    /// Answers one request to a server, which the gateway decided on. Where the server cannot be
    /// had, the response says why, and what to do.
    fn answer<'a>(&'a self, server: &'a McpServer, request: Request<Bytes>) -> HostedAnswer<'a>;

    /// Whether there are any at all.
    fn is_there(&self) -> bool {
        true
    }
}

/// The port of a gateway that starts nothing: what is sent to such a server is refused.
#[derive(Debug, Default)]
pub struct NoHosted;

impl Hosted for NoHosted {
    fn answer<'a>(&'a self, _: &'a McpServer, _: Request<Bytes>) -> HostedAnswer<'a> {
        let mut response = Response::new(crate::http::empty());
        *response.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
        Box::pin(std::future::ready(response))
    }

    fn is_there(&self) -> bool {
        false
    }
}
