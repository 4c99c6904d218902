//! Actions: what an agent tries, in protocol-neutral words. An action is what policy decides
//! on and what an event stores, so that a stored action can be decided on again.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::content::Content;
use crate::git::GitRequest;
use crate::host::Destination;
use crate::llm::LlmRequest;
use crate::mcp::McpRequest;

/// What an agent tries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Action {
    /// To open a connection.
    Connect(Connect),
    /// To send one HTTP request over a connection that the gateway reads.
    Http(HttpRequest),
    /// To send one request to a git server over a connection that the gateway reads.
    Git(GitRequest),
    /// To send one request to a provider of language models over a connection that the gateway reads.
    Llm(Box<LlmRequest>),
    /// To send one message to a server of the Model Context Protocol, or to take one from it, over a
    /// connection that the gateway reads.
    Mcp(Box<McpRequest>),
}

/// The kind of an action without its content: for filters and counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActionKind {
    /// [`Action::Connect`].
    Connect,
    /// [`Action::Http`].
    Http,
    /// [`Action::Git`].
    Git,
    /// [`Action::Llm`].
    Llm,
    /// [`Action::Mcp`].
    Mcp,
}

impl Action {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> ActionKind {
        match self {
            Self::Connect(_) => ActionKind::Connect,
            Self::Http(_) => ActionKind::Http,
            Self::Git(_) => ActionKind::Git,
            Self::Llm(_) => ActionKind::Llm,
            Self::Mcp(_) => ActionKind::Mcp,
        }
    }

    /// Where it leads.
    #[must_use]
    pub const fn destination(&self) -> &Destination {
        match self {
            Self::Connect(connect) => &connect.destination,
            Self::Http(request) => &request.destination,
            Self::Git(request) => &request.destination,
            Self::Llm(request) => &request.destination,
            Self::Mcp(request) => &request.destination,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(connect) => write!(f, "connect {}", connect.destination),
            Self::Http(request) => write!(
                f,
                "{} {}://{}{}",
                request.method,
                request.scheme.as_str(),
                request.destination,
                request.path
            ),
            Self::Git(request) => request.fmt(f),
            Self::Llm(request) => request.fmt(f),
            Self::Mcp(request) => request.fmt(f),
        }
    }
}

/// A connection to a name or an address, before anything was resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connect {
    /// The host and port that the agent asked for.
    pub destination: Destination,
    /// How the connection reached the gateway.
    pub entry: Entry,
}

/// The way by which a connection reached the gateway. All lead to the same decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Entry {
    /// A plain `connect()`, captured in the sandbox's network namespace.
    Transparent,
    /// HTTP `CONNECT` to the explicit proxy.
    HttpConnect,
    /// An absolute-form HTTP request to the explicit proxy.
    HttpForward,
    /// SOCKS5 to the explicit proxy.
    Socks5,
}

/// One HTTP request, parsed strictly; what is sent upstream is written from these fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpRequest {
    /// The host of the `Host` header or `:authority`, and the port of the connection.
    pub destination: Destination,
    /// `http` or `https`.
    pub scheme: Scheme,
    /// The method token, case-sensitive (RFC 9110, section 9.1).
    pub method: String,
    /// The path in its canonical form, starting with `/`, or `*` for `OPTIONS *`.
    pub path: String,
    /// The query without `?`, as sent, but for tokens of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// The headers, names in lower case, in the order in which they came. They may hold tokens, so
    /// they are decided on and not recorded.
    #[serde(skip)]
    pub headers: Vec<(String, String)>,
    /// What is in the body, where a rule asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Content>,
}

/// The scheme of an HTTP request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// Plain text.
    Http,
    /// Inside TLS that the gateway terminates.
    Https,
}

impl Scheme {
    /// `http` or `https`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}
