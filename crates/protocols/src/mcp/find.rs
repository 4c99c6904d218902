//! Which server a request is for, if it is for one at all.

use std::sync::Arc;

use ringfence_gateway::Gateway;
use ringfence_gateway::wire::dns::MCP_SERVICE;
use ringfence_model::mcp::{McpServer, ServerName};
use ringfence_model::{Destination, Host};

/// What a request to a place of servers leads to.
pub(crate) enum Found {
    /// The endpoint of a server.
    Server(Arc<McpServer>),
    /// A short name that no rule is about.
    Unknown,
}

/// Where the request for `path` at `destination` leads, if it is for a server that a rule names.
pub(crate) fn look_up(gateway: &Gateway, destination: &Destination, path: &str) -> Option<Found> {
    if is_service(&destination.host) {
        return Some(by_short_name(gateway, path));
    }
    let mut servers = gateway.mcp_at(destination).into_iter();
    servers.find(|it| it.path == path).map(Found::Server)
}

fn is_service(host: &Host) -> bool {
    host.name().is_some_and(|name| name.as_str() == MCP_SERVICE)
}

/// `/salesforce` and `/salesforce/mcp` lead to the endpoint of that server.
fn by_short_name(gateway: &Gateway, path: &str) -> Found {
    let name = path.strip_prefix('/').unwrap_or_default();
    let name = name.strip_suffix("/mcp").unwrap_or(name);
    let server = ServerName::new(name).ok();
    match server.and_then(|name| gateway.mcp_named(&name)) {
        Some(server) => Found::Server(server),
        None => Found::Unknown,
    }
}
