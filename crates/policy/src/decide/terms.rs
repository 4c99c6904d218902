//! What an allowed request is sent with, and what its response must be: the terms of the rules
//! that allow it. The gateway carries them out.

use std::sync::Arc;

use ringfence_model::{CredentialName, HostPattern, RuleRef};
use serde_json::Value;

use super::git::GitTerms;
use super::llm::LlmTerms;
use super::mcp::McpTerms;
use crate::document::{MediaPattern, Needs, Removal, Schema};

/// The terms of one rule that allows a request.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestTerms {
    /// The rule.
    pub rule: RuleRef,
    /// What the request is authenticated with; without one, what the agent sent is passed on.
    pub credential: Option<CredentialName>,
    /// How the credential gets into the request.
    pub auth: Auth,
    /// Whether a request that carries no token of ours is refused.
    pub token_required: bool,
    /// Most octets of the request's body.
    pub request_octets: Option<u64>,
    /// Most octets of the response's body, decoded.
    pub response_octets: Option<u64>,
    /// Status codes that are let through; any, where there is no list.
    pub statuses: Option<Vec<std::ops::RangeInclusive<u16>>>,
    /// Media types that are let through, for example `application/json` or `text/*`; any, where
    /// there is no list.
    pub response_types: Option<Vec<String>>,
    /// What is taken out of JSON before it reaches the agent. A body of another type is refused.
    pub remove: Vec<Removal>,
    /// With `remove`: the media types whose bodies need not be JSON.
    pub not_json: Vec<MediaPattern>,
    /// The hosts to which the gateway follows a redirect itself, so that the agent does not see a
    /// signed URL. Without it, redirects go to the agent.
    pub follow: Option<Vec<HostPattern>>,
    /// Whether the connection may become a WebSocket.
    pub websocket: bool,
    /// What must hold upstream before the request is sent.
    pub precondition: Option<Precondition>,
    /// For a git request: what its rules say about the rest of it.
    pub git: Option<Arc<GitTerms>>,
    /// For a request to a language model: what its rule says about the rest of it.
    pub llm: Option<Arc<LlmTerms>>,
    /// For a message to a server of the Model Context Protocol: what its rule says about the rest of it.
    pub mcp: Option<Arc<McpTerms>>,
}

/// How a credential gets into a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Auth {
    /// The agent's own authentication is dropped and the credential is put in its place.
    #[default]
    Replace,
    /// Each token that the client sent is replaced where it stands.
    Placeholder {
        /// JSON or form fields of the body in which tokens are looked for as well, as JSON
        /// pointers (RFC 6901); the first segment is the field of a form.
        body: Vec<String>,
    },
}

/// A request of the gateway's own, sent with the same credential to the same host, whose JSON
/// response must satisfy a schema. Its answer is kept for a short time.
#[derive(Debug, Clone, PartialEq)]
pub struct Precondition {
    /// The path and query of the `GET`.
    pub path: String,
    /// JSON Schema of the response. None: any response with status 200.
    pub schema: Option<Schema>,
    /// Values of this request with the JSON pointer to what they must equal in the response.
    pub equal: Vec<(Value, String)>,
}

/// What must be read of a request's body before it can be decided on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reading {
    /// The body as JSON.
    pub json: bool,
    /// The body as a GraphQL request.
    pub graphql: bool,
    /// How long it is.
    pub size: bool,
    /// Most octets that are read for it; a longer body is refused.
    pub octets: u64,
}

impl Reading {
    /// What a rule needs as well, of a body of at most `octets`.
    pub(super) fn add(&mut self, needs: Needs, octets: u64) {
        let needed = Self {
            json: needs.json,
            graphql: needs.graphql,
            size: needs.octets,
            octets,
        };
        if needed.is_needed() {
            self.json |= needed.json;
            self.graphql |= needed.graphql;
            self.size |= needed.size;
            self.octets = self.octets.max(octets);
        }
    }

    /// Whether the body is needed at all.
    #[must_use]
    pub const fn is_needed(&self) -> bool {
        self.json || self.graphql || self.size
    }
}
