//! An action in the terms of the rules that are asked about it.

use std::cell::OnceCell;

use ringfence_model::git::GitRequest;
use ringfence_model::llm::LlmRequest;
use ringfence_model::mcp::McpRequest;
use ringfence_model::{Action, Destination, HttpRequest, Scheme};
use serde_json::Value;

use super::document;
use crate::compile::Protocols;

/// One action that is decided on.
pub(crate) struct Query<'a> {
    pub(crate) destination: &'a Destination,
    /// Which bytes would have to pass.
    pub(crate) wanted: Protocols,
    /// The request, where the action is one.
    pub(crate) request: Option<&'a HttpRequest>,
    /// The git request, where the action is one. Its own rules are asked about it; those of other
    /// sections see a connection.
    pub(crate) git: Option<&'a GitRequest>,
    /// The request to a language model, where the action is one; the same holds for it.
    pub(crate) llm: Option<&'a LlmRequest>,
    /// The message to a server of the Model Context Protocol, where the action is one; the same holds
    /// for it.
    pub(crate) mcp: Option<&'a McpRequest>,
    /// Whether it comes from the record, which holds neither headers nor bodies.
    pub(crate) recorded: bool,
    document: OnceCell<Value>,
}

impl<'a> Query<'a> {
    pub(crate) fn of(action: &'a Action) -> Self {
        match action {
            Action::Connect(connect) => Self::to(&connect.destination),
            Action::Http(request) => Self::of_request(request),
            Action::Git(request) => Self::of_git(request),
            Action::Llm(request) => Self::of_llm(request),
            Action::Mcp(request) => Self::of_mcp(request),
        }
    }

    pub(crate) const fn of_git(request: &'a GitRequest) -> Self {
        let mut query = Self::to(&request.destination);
        query.git = Some(request);
        query
    }

    pub(crate) const fn of_llm(request: &'a LlmRequest) -> Self {
        let mut query = Self::to(&request.destination);
        query.llm = Some(request);
        query
    }

    pub(crate) const fn of_mcp(request: &'a McpRequest) -> Self {
        let mut query = Self::to(&request.destination);
        query.mcp = Some(request);
        query
    }

    /// A connection.
    pub(crate) const fn to(destination: &'a Destination) -> Self {
        Self {
            destination,
            wanted: Protocols::ALL,
            request: None,
            git: None,
            llm: None,
            mcp: None,
            recorded: false,
            document: OnceCell::new(),
        }
    }

    /// Whether it is a connection, and not yet any request.
    pub(crate) const fn is_connection(&self) -> bool {
        self.request.is_none() && self.git.is_none() && self.llm.is_none() && self.mcp.is_none()
    }

    pub(crate) fn of_request(request: &'a HttpRequest) -> Self {
        Self {
            destination: &request.destination,
            wanted: match request.scheme {
                Scheme::Http => Protocols::HTTP,
                // A request inside TLS passes where a tunnel may pass unread.
                Scheme::Https => Protocols::HTTPS | Protocols::TUNNEL,
            },
            request: Some(request),
            git: None,
            llm: None,
            mcp: None,
            recorded: false,
            document: OnceCell::new(),
        }
    }

    /// The same action, taken from the record.
    pub(crate) const fn recorded(mut self) -> Self {
        self.recorded = true;
        self
    }

    /// The wanted bytes in words.
    pub(crate) fn wanted_name(&self) -> &'static str {
        if self.wanted == Protocols::HTTP {
            "plain HTTP"
        } else {
            "HTTPS"
        }
    }

    /// Method and path of the request; empty for a connection.
    pub(crate) fn line(&self) -> (&'a str, &'a str) {
        let line = |request: &'a HttpRequest| (request.method.as_str(), request.path.as_str());
        self.request.map(line).unwrap_or_default()
    }

    /// The request as one JSON document, for expressions and pointers.
    pub(crate) fn document(&self, request: &HttpRequest) -> &Value {
        self.document.get_or_init(|| document::of(request))
    }
}
