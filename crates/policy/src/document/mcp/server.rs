//! Servers of the Model Context Protocol that a profile describes.

use ringfence_model::CredentialName;
use ringfence_model::mcp::{McpServer, ServerName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::rule::{is_false, present};
use super::super::{BaseUrl, Cidr};

/// A server, by the name that rules call it by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct McpServerTerms {
    /// Its name in rules and in `http://mcp.ringfence.internal/NAME`: 1 to 32 lower-case letters,
    /// digits and `-`.
    #[schemars(with = "String", extend("pattern" = "^[a-z][a-z0-9-]{0,31}$"))]
    pub name: ServerName,
    /// Its endpoint (Streamable HTTP), as in `https://mcp.corp.example/mcp`.
    pub url: BaseUrl,
    /// The credential for it, where a rule names none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "String")]
    pub credential: Option<CredentialName>,
    /// Networks that the host may resolve into. Without the list: public addresses only.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<Cidr>")]
    pub addresses: Option<Vec<Cidr>>,
    /// Whether the server is told in which span of which run a message is (`traceparent`). Without
    /// it, it is told of none, not of the agent's own either.
    #[serde(default, skip_serializing_if = "is_false")]
    pub trace: bool,
}

impl McpServerTerms {
    /// The server in the words of the vocabulary.
    #[must_use]
    pub fn server(&self) -> McpServer {
        let path = self.url.path();
        McpServer {
            name: self.name.clone(),
            destination: self.url.destination().clone(),
            scheme: self.url.scheme(),
            path: if path.is_empty() { "/" } else { path }.to_owned(),
            credential: self.credential.clone(),
            trace: self.trace,
        }
    }
}
