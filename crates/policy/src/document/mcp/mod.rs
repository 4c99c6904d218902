//! MCP rules: which servers of the Model Context Protocol may be asked for what. The gateway reads
//! every message to and from them.

mod name;
mod recheck;
mod server;
mod tool;
mod uri;

use jiff::Timestamp;
use ringfence_model::mcp::ServerName;
use ringfence_model::{CredentialName, HostPattern};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ApprovalWord;
use super::RuleId;
use super::llm::RateWord;
use super::rule::{is_false, present, read_expiry};
pub use name::NamePattern;
pub use recheck::{Recheck, RecheckError};
pub use server::{BuiltinTools, McpServerTerms, Started};
pub use tool::{McpTool, McpToolTerms};
pub use uri::UriPattern;

/// One rule of the `mcp` section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum McpRule {
    /// Allows what it matches.
    Allow(Box<McpMatch>),
    /// Forbids what it matches, whatever any rule of any profile allows.
    Forbid(Box<McpMatch>),
}

impl McpRule {
    /// What the rule matches.
    #[must_use]
    pub const fn terms(&self) -> &McpMatch {
        match self {
            Self::Allow(terms) | Self::Forbid(terms) => terms,
        }
    }

    /// Whether it forbids.
    #[must_use]
    pub const fn is_forbid(&self) -> bool {
        matches!(self, Self::Forbid(_))
    }
}

/// What an MCP rule matches, and for an allow the terms of the messages that it matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct McpMatch {
    /// A short name for the rule, unique in its section; decisions show it. Without one, the
    /// rule is called by its position, from 1.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "RuleId")]
    pub id: Option<RuleId>,
    /// The server: one of `mcpServers`.
    #[schemars(with = "String", extend("pattern" = "^[a-z][a-z0-9-]{0,31}$"))]
    pub server: ServerName,
    /// The tools, by name; `*` stands for any text. An entry with `arguments` is about calls whose
    /// arguments match the JSON Schema, which the agent is shown as well. Without the list: none, in a
    /// forbid of nothing else all.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<McpTool>")]
    pub tools: Option<Vec<McpTool>>,
    /// The resources, by URI; `*` stands for any text without `/`, `**` for any text.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<UriPattern>")]
    pub resources: Option<Vec<UriPattern>>,
    /// The prompts, by name; `*` stands for any text.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<NamePattern>")]
    pub prompts: Option<Vec<NamePattern>>,
    /// What else may be used. Without the list: `completions`, `logging` and `subscriptions`, for
    /// what is itself allowed.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<McpFeature>")]
    pub features: Option<Vec<McpFeature>>,
    /// The hosts that the server may send a person to (elicitation by URL, always `https`).
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Vec<String>")]
    pub elicitation_hosts: Option<Vec<HostPattern>>,
    /// What becomes of definitions that a person does not know: `first-use` (the default) keeps what
    /// is seen first, and every later change waits for a person; `review` lets all wait; `off` keeps
    /// nothing.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "PinWord")]
    pub pin: Option<PinWord>,
    /// How old what is known of the definitions may be when a tool is called, as in `30s`, `10m` or
    /// `always`, for which they are looked at before each call. Without it: `5s`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "Recheck")]
    pub recheck: Option<Recheck>,
    /// What becomes of a text that looks like a secret: `redact` (the default; in arguments it is
    /// refused), `block` or `observe`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "McpSecretsWord")]
    pub secrets: Option<McpSecretsWord>,
    /// Whether arguments and results are recorded, secrets taken out.
    #[serde(default, skip_serializing_if = "is_false")]
    pub capture: bool,
    /// `required`: each call of a tool waits until a person has approved exactly this call, once.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "ApprovalWord")]
    pub approval: Option<ApprovalWord>,
    /// How many messages in a time.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "McpRate")]
    pub rate: Option<McpRate>,
    /// The credential that messages are sent with. Without one, that of the server, if any.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "String")]
    pub credential: Option<CredentialName>,
    /// Whether a message that carries no token of this sandbox is refused.
    #[serde(default, skip_serializing_if = "is_false")]
    pub token_required: bool,
    /// Why the rule is there.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[schemars(with = "String")]
    pub reason: Option<String>,
    /// When the rule stops to count, as in `2030-01-31T12:00:00Z` (RFC 3339).
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "read_expiry"
    )]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub expires: Option<Timestamp>,
}

impl McpMatch {
    /// A rule about a server that names nothing of it.
    #[must_use]
    pub const fn of(server: ServerName) -> Self {
        Self {
            id: None,
            server,
            tools: None,
            resources: None,
            prompts: None,
            features: None,
            elicitation_hosts: None,
            pin: None,
            recheck: None,
            secrets: None,
            capture: false,
            approval: None,
            rate: None,
            credential: None,
            token_required: false,
            reason: None,
            expires: None,
        }
    }

    /// Whether it names nothing of the server: a forbid is then about all of it.
    pub(crate) const fn is_whole(&self) -> bool {
        self.tools.is_none()
            && self.resources.is_none()
            && self.prompts.is_none()
            && self.features.is_none()
    }

    /// What of the server the rule is about.
    pub(crate) fn subject(&self) -> String {
        let tools: Vec<_> = self.tools.iter().flatten().map(McpTool::name).collect();
        match tools.as_slice() {
            [] => self.server.to_string(),
            names => format!("{}: {}", self.server, names.join(", ")),
        }
    }
}

/// What of a server may be used beside its tools, resources and prompts.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum McpFeature {
    /// Completions of arguments of prompts and resources that are allowed.
    Completions,
    /// The level of the server's own log.
    Logging,
    /// To be told of changes of resources that are allowed.
    Subscriptions,
    /// The server may ask the agent's model.
    Sampling,
    /// The server may ask the agent's user.
    Elicitation,
    /// The server may ask for the agent's folders.
    Roots,
    /// Calls that go on after their answer.
    Tasks,
}

impl McpFeature {
    /// What may be used where a rule does not say.
    pub(crate) const USUAL: [Self; 3] = [Self::Completions, Self::Logging, Self::Subscriptions];

    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completions => "completions",
            Self::Logging => "logging",
            Self::Subscriptions => "subscriptions",
            Self::Sampling => "sampling",
            Self::Elicitation => "elicitation",
            Self::Roots => "roots",
            Self::Tasks => "tasks",
        }
    }
}

impl std::fmt::Display for McpFeature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What becomes of definitions that a person does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PinWord {
    /// What is seen first is kept; later changes wait for a person.
    FirstUse,
    /// All waits for a person.
    Review,
    /// They are used as they are.
    Off,
}

/// What becomes of a text that looks like a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum McpSecretsWord {
    /// The message is refused.
    Block,
    /// A stable word is put in its place; arguments are refused.
    Redact,
    /// It goes on, and the record says so.
    Observe,
}

/// At most so many messages in each span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct McpRate {
    /// Messages.
    pub requests: u64,
    /// The time.
    pub per: RateWord,
}
