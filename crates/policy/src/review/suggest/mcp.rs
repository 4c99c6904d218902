//! The narrowest MCP rule that would allow a message: this tool, resource or prompt of this server.

use jiff::Timestamp;
use ringfence_model::mcp::{McpRequest, McpServer, McpVerb};
use ringfence_model::{ReasonCode, RuleRef};

use crate::compile::{McpRule as Compiled, Snapshot};
use crate::decide::mcp::lack;
use crate::document::{McpFeature, McpMatch, McpRule, McpTool, ProfileRule};

impl Snapshot {
    /// None where the message is allowed, or where a rule that names it would not help.
    pub(super) fn suggest_mcp(&self, request: &McpRequest, now: Timestamp) -> Option<ProfileRule> {
        let decision = self.decide_mcp(request, now).decision;
        // One rule more would not settle which credential counts.
        if decision.is_allow() || decision.code == ReasonCode::CredentialAmbiguous {
            return None;
        }
        let server = &self.mcp.server(&request.server)?.server;
        let is_forbidden = self.mcp_barring(request, now).is_some()
            || self.mcp_barred_elsewhere(request, now).is_some();
        if is_forbidden || !is_there(server, request) {
            return None;
        }
        let mut terms = McpMatch::of(request.server.clone());
        // A name that would be read as a pattern stands for more than itself.
        let target = request
            .target
            .as_deref()
            .filter(|it| !it.contains(['*', '{', '}']));
        match request.verb {
            McpVerb::CallTool => terms.tools = Some(vec![McpTool::Named(target?.parse().ok()?)]),
            McpVerb::GetPrompt => terms.prompts = Some(vec![target?.parse().ok()?]),
            McpVerb::ReadResource | McpVerb::Subscribe => {
                terms.resources = Some(vec![target?.parse().ok()?]);
            }
            verb => terms.features = feature(verb).map(|it| vec![it]),
        }
        let rule = McpRule::Allow(Box::new(terms));
        let compiled = Compiled::of(RuleRef(String::new()), &rule, Some(server));
        let mut seen = request.clone();
        if let Some(arguments) = &mut seen.arguments {
            arguments.value.get_or_insert_default();
        }
        let helps = lack::lack(&compiled, &seen, now).is_none();
        helps.then(|| ProfileRule::Mcp(Box::new(rule)))
    }
}

fn is_there(server: &McpServer, request: &McpRequest) -> bool {
    server.destination == request.destination && server.path == request.path
}

const fn feature(verb: McpVerb) -> Option<McpFeature> {
    match verb {
        McpVerb::SetLogLevel => Some(McpFeature::Logging),
        McpVerb::Task => Some(McpFeature::Tasks),
        McpVerb::Sample => Some(McpFeature::Sampling),
        McpVerb::Elicit => Some(McpFeature::Elicitation),
        McpVerb::ListRoots => Some(McpFeature::Roots),
        _ => None,
    }
}
