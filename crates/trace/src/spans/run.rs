//! The span of a run.

use ringfence_model::{NoticeKind, SpanId, TraceId};

use super::{Attributes, Span, SpanEvent, SpanKind};
use crate::names;
use crate::node::Run;
use crate::totals::Totals;

/// A run that asks models is an agent; another one is just a run.
pub(super) fn span(run: &Run, totals: &Totals) -> Span {
    let agent = run.agent.as_ref().map_or("?", |agent| agent.as_str());
    let mut attributes = Attributes::default();
    let name = if totals.calls > 0 {
        attributes.text(names::OPERATION, "invoke_agent");
        attributes.text(names::AGENT_NAME, agent);
        format!("invoke_agent {agent}")
    } else {
        format!("run {agent}")
    };
    attributes.text(names::AGENT, agent);
    attributes.text(names::RUN, run.run.to_string());
    attributes.text(names::SESSION, run.run.to_string());
    attributes.texts(names::COMMAND, run.command.iter().cloned());
    attributes.texts(names::PROFILES, run.profiles.iter().cloned());
    if let Some(code) = run.exit_code {
        attributes.int(names::EXIT_CODE, i64::from(code));
    }
    let failed = run.exit_code.filter(|code| *code != 0);
    if failed.is_some() {
        attributes.text(names::ERROR_TYPE, "exit_code");
    }
    Span {
        trace: TraceId::of_run(run.run),
        id: SpanId::root(run.run),
        parent: None,
        links: Vec::new(),
        name,
        kind: SpanKind::Internal,
        start: run.started,
        end: run.ended.unwrap_or(run.last).max(run.started),
        attributes,
        events: run.notices.iter().map(event).collect(),
        error: failed.map(|code| format!("the command ended with exit code {code}")),
    }
}

fn event(notice: &ringfence_model::Notice) -> SpanEvent {
    let mut attributes = Attributes::default();
    let name = if let NoticeKind::Finding { code, detail } = &notice.kind {
        attributes.text(names::FINDING_CODE, code);
        attributes.text(names::FINDING_DETAIL, detail);
        names::FINDING
    } else {
        let text = serde_json::to_string(&notice.kind).unwrap_or_default();
        attributes.text(names::NOTICE, text);
        names::NOTICE
    };
    SpanEvent {
        time: notice.time,
        name,
        attributes,
    }
}
