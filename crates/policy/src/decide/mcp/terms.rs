//! What the rule that allows a message to a server of the Model Context Protocol says about the
//! rest of it. The gateway carries it out.

use std::time::Duration;

use ringfence_model::RuleRef;

/// The terms of the one rule that a message is sent by.
#[derive(Debug, Clone, PartialEq)]
pub struct McpTerms {
    /// The rule.
    pub rule: RuleRef,
    /// What becomes of definitions that a person does not know.
    pub pin: PinMode,
    /// How old what is known of a server's definitions may be when a tool is called. None: any call
    /// looks anew.
    pub recheck: Option<Duration>,
    /// What becomes of a text that looks like a secret, in arguments and in results.
    pub secrets: McpSecrets,
    /// Whether texts are recorded, secrets taken out.
    pub capture: bool,
    /// The rule that wants a person to approve this call; none where none does.
    pub approval: Option<RuleRef>,
    /// How many messages in a time.
    pub rate: Option<McpRate>,
}

/// What becomes of definitions that a person does not know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PinMode {
    /// What is seen first is kept; later changes wait for a person.
    #[default]
    FirstUse,
    /// All waits for a person.
    Review,
    /// They are shown and used as they are.
    Off,
}

/// What becomes of a text that looks like a secret.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum McpSecrets {
    /// The message is refused.
    Block,
    /// In results a stable word is put in its place; arguments with one are refused.
    #[default]
    Redact,
    /// It is recorded, and goes on.
    Observe,
}

/// At most so many messages in each span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct McpRate {
    /// Messages.
    pub requests: u64,
    /// The time.
    pub per: Duration,
}
