//! Decisions on messages to servers of the Model Context Protocol in words, each in one line: agents
//! show them as what the server says. They tell of names, never of whether something of the name is
//! there.

use ringfence_model::RuleRef;
use ringfence_model::mcp::{McpRequest, McpVerb};

use super::lack::Lack;
use crate::compile::McpRule;
use crate::decide::words::List;
use crate::document::McpTool;
use crate::error::quoted;

/// What was wanted: `mcp salesforce call-tool query`.
pub(crate) fn subject(request: &McpRequest) -> String {
    quoted(&request.to_string())
}

pub(super) fn allowed(rule: &McpRule, approval: Option<&RuleRef>, request: &McpRequest) -> String {
    let allows = format!("rule {} allows {}", rule.reference, subject(request));
    match approval {
        None => allows,
        Some(by) if *by == rule.reference => format!("{allows}, once a person approves it"),
        Some(by) => format!("{allows}, once a person approves it, as rule {by} wants"),
    }
}

pub(super) fn nothing_allows(request: &McpRequest) -> String {
    format!("no rule allows messages to {}", request.server)
}

pub(super) fn after_nothing(request: &McpRequest) -> String {
    let server = &request.server;
    let of = match (member(request.verb), &request.target) {
        (Some(member), Some(target)) => format!(", {member}: [\"{}\"]", quoted(target)),
        _ => String::new(),
    };
    format!("a person can add to `mcp` of a profile: - allow: {{server: {server}{of}}}")
}

/// The list of a rule that names what is asked for.
pub(crate) const fn member(verb: McpVerb) -> Option<&'static str> {
    match verb {
        McpVerb::CallTool => Some("tools"),
        McpVerb::ReadResource | McpVerb::Subscribe | McpVerb::Listen => Some("resources"),
        McpVerb::GetPrompt => Some("prompts"),
        _ => None,
    }
}

pub(super) fn forbidden(rule: &McpRule, request: &McpRequest) -> String {
    let start = format!("rule {} forbids {}", rule.reference, subject(request));
    match &rule.reason {
        Some(reason) => format!("{start}: {}", quoted(reason)),
        None => start,
    }
}

pub(super) fn after_forbid(rule: &RuleRef) -> String {
    format!("a forbid wins over every allow: a person can change rule {rule}")
}

/// What a rule is about: `salesforce tools query and describe_*`.
pub(crate) fn about(rule: &McpRule, verb: McpVerb) -> String {
    let server = &rule.server;
    let list = match verb {
        McpVerb::ReadResource | McpVerb::Subscribe | McpVerb::Listen => {
            let names: Vec<&str> = rule.resources.iter().map(|it| it.as_str()).collect();
            ("resources", names)
        }
        McpVerb::GetPrompt | McpVerb::Complete => {
            let names: Vec<&str> = rule.prompts.iter().map(|it| it.as_str()).collect();
            ("prompts", names)
        }
        _ => ("tools", rule.tools.iter().map(McpTool::name).collect()),
    };
    match list {
        (of, names) if names.is_empty() => format!("no {server} {of}"),
        (of, names) => format!("{server} {of} {}", List(&names)),
    }
}

/// What a rule with a lack does allow, and what was wanted.
pub(crate) fn lacking(lack: &Lack, rule: &McpRule, request: &McpRequest) -> String {
    let target = request.target.as_deref().map(quoted);
    let target = target.unwrap_or_else(|| request.verb.to_string());
    match lack {
        Lack::Target => format!("allows {}, not {target}", about(rule, request.verb)),
        Lack::Feature(feature) => format!("does not allow {feature} with {}", rule.server),
        Lack::ElicitationHost => format!(
            "lets {} send nobody to {target}: only to https at its `elicitationHosts`",
            rule.server
        ),
        Lack::Arguments(Some(at)) if !at.is_empty() => {
            format!("allows {target} with other arguments: see `{}`", quoted(at))
        }
        Lack::Arguments(_) => format!("allows {target} with other arguments"),
        Lack::Expired => match rule.expires {
            Some(expires) => format!("was for {} until {expires}", rule.server),
            None => format!("is for {}", rule.server),
        },
    }
}

pub(super) fn after_lack(lack: &Lack, rule: &McpRule, request: &McpRequest) -> String {
    let reference = &rule.reference;
    let target = request.target.as_deref().map(quoted).unwrap_or_default();
    match lack {
        Lack::Target => match member(request.verb) {
            Some(member) => format!(
                "use one that it allows, or a person can add \"{target}\" to `{member}` of rule {reference}"
            ),
            None => format!("a person can change rule {reference}"),
        },
        Lack::Feature(feature) => {
            format!("a person can add {feature} to `features` of rule {reference}")
        }
        Lack::ElicitationHost => {
            format!("a person can add the host to `elicitationHosts` of rule {reference}")
        }
        Lack::Arguments(_) => format!(
            "the tool's inputSchema in tools/list says which it takes, or a person can change `arguments` in rule {reference}"
        ),
        Lack::Expired => format!("a person can set `expires` in rule {reference}"),
    }
}
