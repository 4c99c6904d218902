//! The span of a message to a server of the Model Context Protocol, or from one.

use ringfence_model::llm::TextDigest;
use ringfence_model::mcp::{McpFacts, McpRequest, McpVerb};

use super::{Span, SpanEvent, SpanKind, bare, decided, fail, join};
use crate::limits::FINDINGS;
use crate::names;
use crate::node::{ActionNode, Node, Run};

pub(super) fn span(run: &Run, node: &Node, action: &ActionNode, request: &McpRequest) -> Span {
    let mut span = bare(run, node, name(request), SpanKind::Client);
    asked(&mut span, request);
    if let Some(facts) = action.mcp() {
        found(&mut span, facts, (request, node));
        if !action.is_joined {
            join(&mut span, facts.trace.as_ref());
        }
    }
    let candidates = action.candidates.iter().cloned();
    span.attributes.texts(names::CANDIDATES, candidates);
    decided(&mut span, &action.event, action.closing.as_ref());
    span
}

/// The method, and the tool or prompt that it is about: there are few of those, and many URIs.
fn name(request: &McpRequest) -> String {
    let target = match request.verb {
        McpVerb::CallTool | McpVerb::GetPrompt => request.target.as_deref(),
        _ => None,
    };
    match target {
        Some(target) => format!("{} {target}", method(request)),
        None => method(request).to_owned(),
    }
}

/// The method; what is HTTP's alone has none, and goes by its word here.
fn method(request: &McpRequest) -> &str {
    let method = request.method.as_deref();
    method.unwrap_or_else(|| request.verb.as_str())
}

fn asked(span: &mut Span, request: &McpRequest) {
    let attributes = &mut span.attributes;
    attributes.text(names::MCP_METHOD, method(request));
    attributes.text(names::MCP_SERVER, request.server.to_string());
    attributes.maybe(names::MCP_VERSION, request.version.clone());
    attributes.text(names::TRANSPORT, "tcp");
    attributes.text(names::PROTOCOL, "http");
    let target = request.target.clone();
    match request.verb {
        McpVerb::CallTool => {
            attributes.text(names::OPERATION, "execute_tool");
            attributes.maybe(names::TOOL_NAME, target);
        }
        McpVerb::GetPrompt => attributes.maybe(names::PROMPT_NAME, target),
        McpVerb::ReadResource | McpVerb::Subscribe => {
            attributes.maybe(names::MCP_RESOURCE, target);
        }
        _ => {}
    }
}

fn found(span: &mut Span, facts: &McpFacts, (request, node): (&McpRequest, &Node)) {
    let attributes = &mut span.attributes;
    attributes.maybe(names::MCP_SESSION, facts.session.clone());
    attributes.maybe(names::JSONRPC_ID, facts.id.clone());
    if request.verb == McpVerb::CallTool {
        called(span, facts);
    }
    let attributes = &mut span.attributes;
    attributes.some(names::MCP_HIDDEN, facts.hidden);
    attributes.some(names::MCP_REDACTED, facts.redacted);
    if let Some(approved) = &facts.approved {
        attributes.text(names::MCP_APPROVED, approved.event.to_string());
        attributes.count(names::MCP_APPROVED_BY, u64::from(approved.by));
    }
    for finding in facts.findings.iter().take(FINDINGS) {
        let mut attributes = super::Attributes::default();
        attributes.text(names::FINDING_CODE, "message");
        attributes.text(names::FINDING_DETAIL, finding.clone());
        span.events.push(SpanEvent {
            time: node.start,
            name: names::FINDING,
            attributes,
        });
    }
    if let Some(code) = facts.error {
        let code = code.to_string();
        span.attributes.text(names::RPC_STATUS, code.clone());
        fail(span, &code, "the server answers with an error");
    } else if facts.tool_failed {
        fail(span, "tool_error", "the tool says that it failed");
    }
}

fn called(span: &mut Span, facts: &McpFacts) {
    let attributes = &mut span.attributes;
    let digest = |text: &Option<TextDigest>| text.as_ref().map(|it| it.digest.clone());
    let words = |text: &Option<TextDigest>| text.as_ref().and_then(|it| it.text.clone());
    attributes.maybe(names::ARGUMENTS_DIGEST, digest(&facts.arguments));
    attributes.maybe(names::TOOL_ARGUMENTS, words(&facts.arguments));
    attributes.maybe(names::RESULT_DIGEST, digest(&facts.result));
    attributes.maybe(names::TOOL_RESULT, words(&facts.result));
    if let Some(result) = &facts.result {
        attributes.count(names::RESULT_OCTETS, result.octets);
    }
}
