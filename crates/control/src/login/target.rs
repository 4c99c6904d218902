//! What is logged in to.

use ringfence_gateway::http::authority;
use ringfence_model::mcp::McpServer;
use ringfence_model::{CredentialName, Scheme};

use super::error::LoginError;
use crate::credential::Binding;
use crate::endpoint::Endpoint;

/// A server, and the credential that its tokens become.
#[derive(Debug, Clone)]
pub struct Target {
    /// The server.
    pub server: McpServer,
    /// Networks that it, and whoever it names, may be in beside public addresses.
    pub networks: Vec<String>,
    /// The credential.
    pub credential: CredentialName,
}

impl Target {
    /// Its URL, as agents have it.
    #[must_use]
    pub fn url(&self) -> String {
        let McpServer {
            scheme,
            destination,
            path,
            ..
        } = &self.server;
        format!(
            "{}://{}{path}",
            scheme.as_str(),
            authority(destination, *scheme)
        )
    }

    pub(super) fn endpoint(&self) -> Result<Endpoint, LoginError> {
        Endpoint::parse_near(&self.url()).map_err(|error| {
            LoginError::Given(format!(
                "nobody can log in to {}: {error}",
                self.server.name
            ))
        })
    }

    /// Where its tokens may go: the server, at its path and below.
    pub(super) fn binding(&self) -> Result<Binding, LoginError> {
        let McpServer {
            scheme,
            destination,
            path,
            ..
        } = &self.server;
        let bound = Binding::parse(&destination.to_string(), Some(path), *scheme);
        bound.map_err(|error| LoginError::Given(format!("no token can go there: {error}")))
    }

    /// For a person: what to type once more.
    pub(super) fn again(&self) -> String {
        format!("ringfence mcp login {}", self.server.name)
    }

    /// Whether its tokens would go over a network in plain text.
    #[must_use]
    pub const fn is_plain(&self) -> bool {
        matches!(self.server.scheme, Scheme::Http)
    }
}
