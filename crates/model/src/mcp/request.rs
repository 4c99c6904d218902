//! One message to or from a server of the Model Context Protocol as an action.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{McpServer, ServerName};
use crate::action::HttpRequest;
use crate::content::Access;
use crate::host::Destination;

/// What a message asks for. What is not here is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum McpVerb {
    /// To begin: `initialize`, `server/discover`.
    Greet,
    /// What carries no content of its own: `ping`, notifications, answers to what the server asked.
    Talk,
    /// To hear what the server says by itself: a stream of its own, `subscriptions/listen`.
    Listen,
    /// To end a session.
    Leave,
    /// `tools/list`.
    ListTools,
    /// `tools/call`.
    CallTool,
    /// `resources/list`.
    ListResources,
    /// `resources/templates/list`.
    ListTemplates,
    /// `resources/read`.
    ReadResource,
    /// `resources/subscribe`, `resources/unsubscribe`.
    Subscribe,
    /// `prompts/list`.
    ListPrompts,
    /// `prompts/get`.
    GetPrompt,
    /// `completion/complete`.
    Complete,
    /// `logging/setLevel`.
    SetLogLevel,
    /// `tasks/*`.
    Task,
    /// The server asks the agent's model: `sampling/createMessage`.
    Sample,
    /// The server asks the agent's user: `elicitation/create`.
    Elicit,
    /// The server asks for the agent's folders: `roots/list`.
    ListRoots,
}

impl McpVerb {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::Greet,
        Self::Talk,
        Self::Listen,
        Self::Leave,
        Self::ListTools,
        Self::CallTool,
        Self::ListResources,
        Self::ListTemplates,
        Self::ReadResource,
        Self::Subscribe,
        Self::ListPrompts,
        Self::GetPrompt,
        Self::Complete,
        Self::SetLogLevel,
        Self::Task,
        Self::Sample,
        Self::Elicit,
        Self::ListRoots,
    ];

    /// The name that records have.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Greet => "greet",
            Self::Talk => "talk",
            Self::Listen => "listen",
            Self::Leave => "leave",
            Self::ListTools => "list-tools",
            Self::CallTool => "call-tool",
            Self::ListResources => "list-resources",
            Self::ListTemplates => "list-templates",
            Self::ReadResource => "read-resource",
            Self::Subscribe => "subscribe",
            Self::ListPrompts => "list-prompts",
            Self::GetPrompt => "get-prompt",
            Self::Complete => "complete",
            Self::SetLogLevel => "set-log-level",
            Self::Task => "task",
            Self::Sample => "sample",
            Self::Elicit => "elicit",
            Self::ListRoots => "list-roots",
        }
    }

    /// Whether the server asks it of the agent.
    #[must_use]
    pub const fn is_of_server(self) -> bool {
        matches!(self, Self::Sample | Self::Elicit | Self::ListRoots)
    }
}

impl fmt::Display for McpVerb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The arguments of a call: decided on whole, recorded as length and digest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct McpArguments {
    /// Octets, in their compact form.
    pub octets: u64,
    /// The first sixteen octets of the SHA-256 of their compact form with members in order, in hex.
    pub digest: String,
    /// The arguments. Not recorded; what policy cannot see, no rule with conditions on it allows.
    #[serde(skip)]
    pub value: Option<serde_json::Value>,
}

/// One message to or from a server, as far as policy decides on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct McpRequest {
    /// The host and port of the server.
    pub destination: Destination,
    /// The server.
    pub server: ServerName,
    /// What is asked.
    pub verb: McpVerb,
    /// The method of JSON-RPC; none for what is HTTP's alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// What it is about: the name of a tool or prompt, the URI of a resource; for completions
    /// `prompt NAME` or `resource URI`; for elicitation by URL its host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The arguments of a call of a tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<McpArguments>,
    /// Whether the tool only reads, as its pinned definition says. A hint of the server's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reads_only: Option<bool>,
    /// The path of the endpoint.
    pub path: String,
    /// The version of the protocol, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Octets of the message.
    pub octets: u64,
}

impl McpRequest {
    /// The request as it goes to `server`, without headers and body.
    #[must_use]
    pub fn to_http(&self, server: &McpServer) -> HttpRequest {
        let method = match (self.verb, &self.method) {
            (McpVerb::Listen, None) => "GET",
            (McpVerb::Leave, None) => "DELETE",
            _ => "POST",
        };
        HttpRequest {
            destination: server.destination.clone(),
            scheme: server.scheme,
            method: method.to_owned(),
            path: server.path.clone(),
            query: None,
            headers: Vec::new(),
            content: None,
        }
    }

    /// Whether something is read or written, where no rule says so itself. A tool writes unless its
    /// definition says that it only reads.
    #[must_use]
    pub const fn access(&self) -> Access {
        match self.verb {
            McpVerb::CallTool if matches!(self.reads_only, Some(true)) => Access::Read,
            McpVerb::CallTool | McpVerb::Task | McpVerb::Sample | McpVerb::Elicit => Access::Write,
            _ => Access::Read,
        }
    }
}

impl fmt::Display for McpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mcp {} {}", self.server, self.verb)?;
        match &self.target {
            Some(target) => write!(f, " {target}"),
            None => Ok(()),
        }
    }
}
