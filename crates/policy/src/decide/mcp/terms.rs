//! What the rule that allows a message to a server of the Model Context Protocol says about the
//! rest of it. The gateway carries it out.

use std::sync::Arc;
use std::time::Duration;

use ringfence_model::RuleRef;
use ringfence_model::mcp::McpRequest;

use crate::compile::McpRule;

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

/// The terms of a message that `rules` allow, `first` before all. What is about nothing that one of
/// them names, as a list, is about what all of them name: the strictest of them counts.
pub(super) fn of(first: &McpRule, rules: &[&McpRule], request: &McpRequest) -> Arc<McpTerms> {
    if request.target.is_some() || rules.len() < 2 {
        return Arc::clone(&first.terms);
    }
    let all = || rules.iter().map(|rule| &rule.terms);
    Arc::new(McpTerms {
        pin: all().map(|it| it.pin).max().unwrap_or_default(),
        secrets: all().map(|it| it.secrets).max().unwrap_or_default(),
        // None is before every time: nothing that is known is fresh enough.
        recheck: all().map(|it| it.recheck).min().flatten(),
        ..first.terms.as_ref().clone()
    })
}

/// What becomes of definitions that a person does not know, from the laxest to the strictest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum PinMode {
    /// They are shown and used as they are.
    Off,
    /// What is seen first is kept; later changes wait for a person.
    #[default]
    FirstUse,
    /// All waits for a person.
    Review,
}

/// What becomes of a text that looks like a secret, from the laxest to the strictest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum McpSecrets {
    /// It is recorded, and goes on.
    Observe,
    /// In results a stable word is put in its place; arguments with one are refused.
    #[default]
    Redact,
    /// The message is refused.
    Block,
}

/// At most so many messages in each span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct McpRate {
    /// Messages.
    pub requests: u64,
    /// The time.
    pub per: Duration,
}
