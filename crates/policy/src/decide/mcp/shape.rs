//! HTTP requests to the endpoints of servers of the Model Context Protocol that did not come as
//! messages to them.

use ringfence_model::Destination;
use ringfence_model::mcp::McpServer;

use crate::compile::Snapshot;
use crate::decide::Query;
use crate::decide::llm::is_below;

/// Ports that lead to the same service on most hosts.
const USUAL_PORTS: [u16; 2] = [80, 443];

impl Snapshot {
    /// Whether a request is to the endpoint of a server that MCP rules are about, and did not come
    /// as a message to it.
    pub(in crate::decide) fn is_stray_mcp(&self, query: &Query<'_>) -> bool {
        let Some(request) = query.request else {
            return false;
        };
        let named = self.mcp.named().iter();
        let mut there = named.filter(|it| is_at(it, query.destination));
        there.any(|server| is_below(&request.path, server.path.trim_end_matches('/')))
    }
}

fn is_at(server: &McpServer, destination: &Destination) -> bool {
    let known = &server.destination;
    let are_usual = [known.port, destination.port]
        .iter()
        .all(|port| USUAL_PORTS.contains(port));
    known.host == destination.host && (known.port == destination.port || are_usual)
}
