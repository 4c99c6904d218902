//! Messages to servers of the Model Context Protocol in tests.

use ringfence_model::Action;
use ringfence_model::mcp::{McpArguments, McpRequest, McpServer, McpVerb, ServerName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::TestError;
use crate::document::rule::present;
use crate::document::{McpServerTerms, Profile};

/// A message to a server that a test sends: one of `tool`, `resource` and `prompt`; none of them to
/// begin a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct McpTest {
    /// The server.
    #[schemars(with = "String")]
    pub server: ServerName,
    /// A tool that is called.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "String")]
    pub tool: Option<String>,
    /// The arguments of the call.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Map<String, Value>")]
    pub arguments: Option<Map<String, Value>>,
    /// A resource that is read.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "String")]
    pub resource: Option<String>,
    /// A prompt that is asked for.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "String")]
    pub prompt: Option<String>,
}

impl McpTest {
    /// The action, with the servers of `profile`.
    pub(super) fn action(&self, profile: &Profile) -> Result<Action, TestError> {
        let described = profile.mcp_servers.iter().map(McpServerTerms::server);
        let mut servers = described.chain(McpServer::own());
        let server = servers.find(|it| it.name == self.server);
        let server = server.ok_or(TestError::Server)?;
        let (verb, method, target) = match (&self.tool, &self.resource, &self.prompt) {
            (Some(tool), None, None) => (McpVerb::CallTool, "tools/call", Some(tool)),
            (None, Some(uri), None) => (McpVerb::ReadResource, "resources/read", Some(uri)),
            (None, None, Some(name)) => (McpVerb::GetPrompt, "prompts/get", Some(name)),
            (None, None, None) => (McpVerb::Greet, "initialize", None),
            _ => return Err(TestError::Mcp),
        };
        if self.arguments.is_some() && verb != McpVerb::CallTool {
            return Err(TestError::Mcp);
        }
        let arguments = self.arguments.clone().unwrap_or_default();
        let request = request(&server, (verb, method), target.cloned());
        Ok(Action::Mcp(Box::new(McpRequest {
            arguments: (verb == McpVerb::CallTool).then(|| McpArguments {
                value: Some(Value::Object(arguments)),
                ..McpArguments::default()
            }),
            ..request
        })))
    }
}

fn request(
    server: &McpServer,
    (verb, method): (McpVerb, &str),
    target: Option<String>,
) -> McpRequest {
    McpRequest {
        destination: server.destination.clone(),
        server: server.name.clone(),
        verb,
        method: Some(method.to_owned()),
        target,
        arguments: None,
        reads_only: None,
        path: server.path.clone(),
        version: None,
        octets: 0,
    }
}
