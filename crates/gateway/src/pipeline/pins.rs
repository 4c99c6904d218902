//! The port to what is known of servers of the Model Context Protocol: their own descriptions of
//! themselves and of their tools, as a person accepted them.

use ringfence_model::mcp::McpServer;
use ringfence_policy::PinMode;

use super::session::Identity;

/// What a definition is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PinKind {
    /// The server itself: its identity, instructions and capabilities.
    Server,
    /// A tool.
    Tool,
    /// A prompt.
    Prompt,
    /// A resource.
    Resource,
    /// A template of resources.
    Template,
}

impl PinKind {
    /// The name that records and files have.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Tool => "tool",
            Self::Prompt => "prompt",
            Self::Resource => "resource",
            Self::Template => "template",
        }
    }
}

/// A definition as a server gives it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenDefinition {
    /// Its name; the URI of a resource.
    pub name: String,
    /// All of it, as JSON whose members are in order.
    pub canonical: String,
}

/// All definitions of one kind that a server gives now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenDefinitions {
    /// What they are of.
    pub kind: PinKind,
    /// The definitions, each name once.
    pub definitions: Vec<SeenDefinition>,
}

/// How a definition stands to what was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinState {
    /// It is what was accepted.
    Known,
    /// A person has not seen it.
    New,
    /// It is another one than was accepted.
    Changed,
}

/// Where the gateway learns what a person accepted.
pub trait Pins: Send + Sync {
    /// How each of `seen` stands, in that order. What is seen for the first time is kept where
    /// `mode` says so; else it is kept for a person to look at. It may wait for a file.
    ///
    /// # Errors
    /// Where it cannot be told, or not be kept: nothing of the server may then be used.
    fn check(
        &self,
        identity: &Identity,
        server: &McpServer,
        mode: PinMode,
        seen: &SeenDefinitions,
    ) -> Result<Vec<PinState>, PinsUnavailable>;
}

/// Why it cannot be told what is known of a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("what is known of the server cannot be read or written: {0}")]
pub struct PinsUnavailable(pub String);

/// The port of a gateway that keeps nothing of servers: a rule that wants it to is refused.
#[derive(Debug, Default)]
pub struct NoPins;

impl Pins for NoPins {
    fn check(
        &self,
        _: &Identity,
        _: &McpServer,
        _: PinMode,
        _: &SeenDefinitions,
    ) -> Result<Vec<PinState>, PinsUnavailable> {
        Err(PinsUnavailable("this gateway keeps nothing".to_owned()))
    }
}
