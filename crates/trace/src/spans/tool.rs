//! The span of a tool that a model asked for and the client ran.

use super::{Span, SpanKind, bare, fail};
use crate::names;
use crate::node::{Node, Run, ToolEnd, ToolNode};

pub(super) fn span(run: &Run, node: &Node, tool: &ToolNode) -> Span {
    let name = format!("execute_tool {}", tool.call.name);
    let mut span = bare(run, node, name, SpanKind::Internal);
    let attributes = &mut span.attributes;
    attributes.text(names::OPERATION, "execute_tool");
    attributes.text(names::TOOL_NAME, tool.call.name.clone());
    attributes.text(names::TOOL_TYPE, "function");
    attributes.text(names::TOOL_CALL_ID, tool.call.id.clone());
    attributes.maybe(names::AGENT_NAME, tool.agents.first().cloned());
    attributes.text(names::EVENT, tool.asked_by.to_string());
    attributes.some(names::STEP, tool.step.map_or(0, u64::from));
    if tool.together > 1 {
        attributes.count(names::TOGETHER, tool.together as u64);
    }
    if let Some(told) = tool.told {
        attributes.text(names::TIMED_BY, names::AGENT_TELLS);
        attributes.text(names::TOLD_SPAN, told.to_string());
    }
    let arguments = &tool.call.arguments;
    attributes.text(names::ARGUMENTS_DIGEST, arguments.digest.clone());
    attributes.maybe(names::TOOL_ARGUMENTS, arguments.text.clone());
    let ended = match &tool.ended {
        ToolEnd::Result { item, .. } => {
            attributes.text(names::RESULT_DIGEST, item.text.digest.clone());
            attributes.count(names::RESULT_OCTETS, item.text.octets);
            attributes.maybe(names::TOOL_RESULT, item.text.text.clone());
            "result"
        }
        ToolEnd::Abandoned => "abandoned",
        ToolEnd::Unknown => "unknown",
    };
    attributes.text(names::TOOL_ENDED, ended);
    if matches!(&tool.ended, ToolEnd::Result { item, .. } if item.is_error) {
        fail(&mut span, "tool_error", "the tool says that it failed");
    }
    span
}
