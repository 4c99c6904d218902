//! The span of what the agent tells. It says so, and its words have names of their own: under those of
//! the conventions, receivers would count the same request or tool twice.

use ringfence_model::Told;

use super::{Span, SpanKind, bare, fail};
use crate::names;
use crate::node::{Node, Run};

pub(super) fn span(run: &Run, node: &Node, told: &Told) -> Span {
    let mut span = bare(run, node, told.name.clone(), SpanKind::Internal);
    let attributes = &mut span.attributes;
    attributes.text(names::TOLD_BY, names::AGENT_TELLS);
    attributes.maybe(names::TOLD_TOOL, told.tool.clone());
    attributes.maybe(names::TOLD_CALL, told.call.clone());
    attributes.maybe(names::TOLD_MODEL, told.model.clone());
    attributes.maybe(names::TOLD_DECISION, told.decision.clone());
    if told.failed {
        fail(&mut span, "told", "the agent says that it failed");
    }
    span
}
