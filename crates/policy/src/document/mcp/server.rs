//! Servers of the Model Context Protocol that a profile describes: elsewhere, by a URL, or as
//! programs that are started in sandboxes of their own.

use std::collections::BTreeMap;

use ringfence_model::mcp::{HOSTED_PATH, McpServer, ServerName, hosted_at};
use ringfence_model::{CredentialName, Scheme};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::rule::{is_false, present};
use super::super::{BaseUrl, Cidr};
use crate::limits::HOSTED_SESSIONS;

/// A server, by the name that rules call it by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct McpServerTerms {
    /// Its name in rules and in `http://mcp.ringfence.internal/NAME`: 1 to 32 lower-case letters,
    /// digits and `-`.
    #[schemars(with = "String", extend("pattern" = "^[a-z][a-z0-9-]{0,31}$"))]
    pub name: ServerName,
    /// Its endpoint (Streamable HTTP), as in `https://mcp.corp.example/mcp`. Without it, the server
    /// is one that Ringfence starts, by one of `command`, `tools`, `openapi` and `builtin`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "BaseUrl")]
    pub url: Option<BaseUrl>,
    /// The program and its arguments that speak the protocol over standard input and output. No
    /// shell reads them.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<String>")]
    pub command: Option<Vec<String>>,
    /// A file that describes tools, relative to the folder of this document.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "String")]
    pub tools: Option<String>,
    /// A file that describes an API in OpenAPI, each operation of which becomes a tool; relative to
    /// the folder of this document.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "String")]
    pub openapi: Option<String>,
    /// A set of tools that Ringfence brings with it.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "BuiltinTools")]
    pub builtin: Option<BuiltinTools>,
    /// The profile of the server's own sandbox: a name or a file, as `ringfence run --profile`
    /// takes. A file is relative to the folder of this document.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "String")]
    pub profile: Option<String>,
    /// The directory that the server works in. Without it: one of its own, which is kept.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "String")]
    pub workspace: Option<String>,
    /// Further paths of this machine that the server may read.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<String>")]
    pub read: Option<Vec<String>>,
    /// Variables of the server, none of which is a secret: its profile grants tokens.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "BTreeMap<String, String>")]
    pub environment: Option<BTreeMap<String, String>>,
    /// Most processes of the server at once; 4 without it.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "u16", range(min = 1, max = 64))]
    pub sessions: Option<u16>,
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

/// Tools that Ringfence brings with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BuiltinTools {
    /// Questions to Azure, AWS and Google Cloud.
    Cloud,
}

/// What a server is that Ringfence starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Started {
    /// A program and its arguments.
    Command(Vec<String>),
    /// The tools that a file describes.
    Tools(String),
    /// The operations of an API that a file describes.
    Openapi(String),
    /// Tools that Ringfence brings with it.
    Builtin(BuiltinTools),
}

impl McpServerTerms {
    /// The server in the words of the vocabulary.
    #[must_use]
    pub fn server(&self) -> McpServer {
        let (name, credential) = (self.name.clone(), self.credential.clone());
        let Some(url) = &self.url else {
            return McpServer {
                destination: hosted_at(&name),
                name,
                scheme: Scheme::Http,
                path: HOSTED_PATH.to_owned(),
                credential,
                trace: self.trace,
            };
        };
        let path = url.path();
        McpServer {
            name,
            destination: url.destination().clone(),
            scheme: url.scheme(),
            path: if path.is_empty() { "/" } else { path }.to_owned(),
            credential,
            trace: self.trace,
        }
    }

    /// What is started; none where the server is elsewhere.
    #[must_use]
    pub fn started(&self) -> Option<Started> {
        let command = self.command.clone().map(Started::Command);
        let tools = self.tools.clone().map(Started::Tools);
        let openapi = self.openapi.clone().map(Started::Openapi);
        let builtin = self.builtin.map(Started::Builtin);
        command.or(tools).or(openapi).or(builtin)
    }

    /// Most processes at once of a server that is started.
    #[must_use]
    pub fn most_sessions(&self) -> u16 {
        self.sessions.unwrap_or(HOSTED_SESSIONS)
    }
}
