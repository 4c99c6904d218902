//! One MCP rule against one message: what an allow lacks for it, and whether a forbid takes it.

use jiff::Timestamp;
use ringfence_model::mcp::{McpRequest, McpVerb};
use ringfence_model::{HostName, ReasonCode};

use crate::compile::McpRule;
use crate::document::{McpFeature, McpTool};

/// The first thing that an allow of the right server lacks, from the farthest to the closest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lack {
    /// The tool, resource or prompt.
    Target,
    /// Something beside those.
    Feature(McpFeature),
    /// The host that a person would be sent to.
    ElicitationHost,
    /// The arguments; where in them, as a JSON pointer. None: they are not there to be looked at.
    Arguments(Option<String>),
    Expired,
}

impl Lack {
    pub(crate) const fn code(&self) -> ReasonCode {
        match self {
            Self::Target | Self::Feature(_) | Self::ElicitationHost => ReasonCode::ToolNotAllowed,
            Self::Arguments(_) => ReasonCode::ArgumentsNotAllowed,
            Self::Expired => ReasonCode::RuleExpired,
        }
    }
}

/// What an allow of the right server lacks.
pub(crate) fn lack(rule: &McpRule, request: &McpRequest, now: Timestamp) -> Option<Lack> {
    let of_use = of_use(rule, request);
    of_use.or_else(|| rule.has_expired(now).then_some(Lack::Expired))
}

fn of_use(rule: &McpRule, request: &McpRequest) -> Option<Lack> {
    let target = request.target.as_deref();
    match request.verb {
        McpVerb::CallTool => of_call(rule, request),
        McpVerb::ReadResource => has_resource(rule, target),
        McpVerb::Subscribe => {
            has_resource(rule, target).or_else(|| has_feature(rule, McpFeature::Subscriptions))
        }
        McpVerb::Listen if target.is_some() => {
            has_resource(rule, target).or_else(|| has_feature(rule, McpFeature::Subscriptions))
        }
        McpVerb::GetPrompt => has_prompt(rule, target),
        McpVerb::Complete => {
            completed(rule, target).or_else(|| has_feature(rule, McpFeature::Completions))
        }
        McpVerb::SetLogLevel => has_feature(rule, McpFeature::Logging),
        McpVerb::Task => has_feature(rule, McpFeature::Tasks),
        McpVerb::Sample => has_feature(rule, McpFeature::Sampling),
        McpVerb::ListRoots => has_feature(rule, McpFeature::Roots),
        McpVerb::Elicit => has_feature(rule, McpFeature::Elicitation)
            .or_else(|| target.and_then(|url| is_sent_to(rule, url))),
        McpVerb::Greet
        | McpVerb::Talk
        | McpVerb::Listen
        | McpVerb::Leave
        | McpVerb::ListTools
        | McpVerb::ListResources
        | McpVerb::ListTemplates
        | McpVerb::ListPrompts => None,
    }
}

fn of_call(rule: &McpRule, request: &McpRequest) -> Option<Lack> {
    let Some(tool) = &request.target else {
        return Some(Lack::Target);
    };
    let value = request.arguments.as_ref().and_then(|it| it.value.as_ref());
    let mut lack = Lack::Target;
    for entry in rule.entries(tool) {
        // An entry without conditions lacks nothing.
        let schema = entry.arguments()?;
        let Some(value) = value else {
            lack = Lack::Arguments(None);
            continue;
        };
        match schema.fault(value).or_else(|| schema.misspelled(value)) {
            None => return None,
            fault => lack = Lack::Arguments(fault),
        }
    }
    Some(lack)
}

/// Whether a rule that allows this message wants a person to approve it: of entries for the tool,
/// any that the call matches. Arguments that are not there to be looked at match them all.
pub(crate) fn needs_approval(rule: &McpRule, request: &McpRequest) -> bool {
    let tool = request.target.as_deref();
    let Some(tool) = tool.filter(|_| request.verb == McpVerb::CallTool) else {
        return false;
    };
    let value = request.arguments.as_ref().and_then(|it| it.value.as_ref());
    let is_met = |entry: &McpTool| match (entry.arguments(), value) {
        (Some(schema), Some(value)) => schema.accepts(value),
        _ => true,
    };
    let mut entries = rule.entries(tool);
    rule.needs_approval || entries.any(|entry| entry.needs_approval() && is_met(entry))
}

fn has_resource(rule: &McpRule, uri: Option<&str>) -> Option<Lack> {
    let has = uri.is_some_and(|uri| rule.has_resource(uri));
    (!has).then_some(Lack::Target)
}

fn has_prompt(rule: &McpRule, name: Option<&str>) -> Option<Lack> {
    let has = name.is_some_and(|name| rule.has_prompt(name));
    (!has).then_some(Lack::Target)
}

fn has_feature(rule: &McpRule, feature: McpFeature) -> Option<Lack> {
    (!rule.has_feature(feature)).then_some(Lack::Feature(feature))
}

/// `prompt NAME` or `resource URI`, of which a template is also one.
fn completed(rule: &McpRule, target: Option<&str>) -> Option<Lack> {
    let has = match target.and_then(|it| it.split_once(' ')) {
        Some(("prompt", name)) => rule.has_prompt(name),
        Some(("resource", uri)) => {
            rule.has_resource(uri) || rule.resources.iter().any(|it| it.touches(uri))
        }
        _ => false,
    };
    (!has).then_some(Lack::Target)
}

/// Only in TLS, to hosts that are named.
fn is_sent_to(rule: &McpRule, url: &str) -> Option<Lack> {
    let rest = url.strip_prefix("https://");
    let authority = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
    let host = authority.map(|it| it.strip_suffix(":443").unwrap_or(it));
    let host: Option<HostName> = host.and_then(|host| host.parse().ok());
    let is_named = |host: HostName| rule.elicitation_hosts.iter().any(|it| it.matches(&host));
    let is_sent = host.is_some_and(is_named);
    (!is_sent).then_some(Lack::ElicitationHost)
}

/// Whether a forbid of the right server takes a message.
pub(crate) fn is_taken(rule: &McpRule, request: &McpRequest) -> bool {
    if rule.is_whole {
        return true;
    }
    let target = request.target.as_deref();
    match request.verb {
        McpVerb::CallTool => target.is_some_and(|tool| takes_call(rule, tool, request)),
        McpVerb::ReadResource => target.is_some_and(|uri| rule.has_resource(uri)),
        McpVerb::Subscribe | McpVerb::Listen => target.is_some_and(|uri| {
            rule.has_resource(uri) || rule.has_feature(McpFeature::Subscriptions)
        }),
        McpVerb::GetPrompt => target.is_some_and(|name| rule.has_prompt(name)),
        McpVerb::Complete => {
            rule.has_feature(McpFeature::Completions) || takes_completion(rule, target)
        }
        McpVerb::SetLogLevel => rule.has_feature(McpFeature::Logging),
        McpVerb::Task => rule.has_feature(McpFeature::Tasks),
        McpVerb::Sample => rule.has_feature(McpFeature::Sampling),
        McpVerb::ListRoots => rule.has_feature(McpFeature::Roots),
        McpVerb::Elicit => rule.has_feature(McpFeature::Elicitation),
        McpVerb::Greet
        | McpVerb::Talk
        | McpVerb::Leave
        | McpVerb::ListTools
        | McpVerb::ListResources
        | McpVerb::ListTemplates
        | McpVerb::ListPrompts => false,
    }
}

/// What is completed of a template may be what is forbidden.
fn takes_completion(rule: &McpRule, target: Option<&str>) -> bool {
    match target.and_then(|it| it.split_once(' ')) {
        Some(("prompt", name)) => rule.has_prompt(name),
        Some((_, uri)) => rule.resources.iter().any(|it| it.overlaps_folded(uri)),
        None => false,
    }
}

/// Arguments that are not there to be looked at count against the agent.
fn takes_call(rule: &McpRule, tool: &str, request: &McpRequest) -> bool {
    let value = request.arguments.as_ref().and_then(|it| it.value.as_ref());
    rule.entries(tool)
        .any(|entry| match (entry.arguments(), value) {
            (Some(schema), Some(value)) => {
                schema.accepts(value) || schema.misspelled(value).is_some()
            }
            _ => true,
        })
}
