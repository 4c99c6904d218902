//! The span of a request to a model.

use ringfence_model::llm::{ContextKind, LlmFacts, LlmRequest, Purpose, TokenUsage};

use super::provider::openai_api;
use super::{
    Attributes, Span, SpanEvent, SpanKind, bare, decided, fail, join, messages, operation, provider,
};
use crate::limits::FINDINGS;
use crate::names;
use crate::node::{LlmNode, Node, Run};

pub(super) fn span(run: &Run, node: &Node, asked: &LlmNode) -> Span {
    let Some(request) = asked.request() else {
        return bare(run, node, asked.event.action.to_string(), SpanKind::Client);
    };
    let mut span = bare(run, node, name(request), SpanKind::Client);
    requested(&mut span.attributes, request);
    span.attributes
        .some(names::STEP, asked.step.map_or(0, u64::from));
    if let Some(facts) = asked.facts() {
        // The provider says best what went wrong.
        if let Some(failure) = &facts.failure {
            fail(&mut span, &failure.kind, &failure.message);
        }
        found(&mut span, facts, node);
        if !asked.is_joined {
            join(&mut span, facts.trace.as_ref());
        }
    }
    decided(&mut span, &asked.event, asked.closing.as_ref());
    span
}

fn name(request: &LlmRequest) -> String {
    let operation = operation(request.endpoint);
    let operation = operation.unwrap_or_else(|| request.endpoint.as_str());
    match &request.model {
        Some(model) => format!("{operation} {model}"),
        None => operation.to_owned(),
    }
}

fn requested(attributes: &mut Attributes, request: &LlmRequest) {
    attributes.maybe(names::OPERATION, operation(request.endpoint));
    attributes.text(names::PROVIDER, provider(request));
    attributes.maybe(names::REQUEST_MODEL, request.model.clone());
    attributes.maybe(names::OPENAI_API, openai_api(request.endpoint));
    attributes.some(
        names::REQUEST_MAX_TOKENS,
        request.max_output_tokens.unwrap_or(0),
    );
    attributes.flag(names::REQUEST_STREAM, request.stream);
    attributes.text(names::ENDPOINT, request.endpoint.as_str());
    attributes.maybe(names::ALIAS, request.alias.clone());
    let hosted = request.hosted.iter().map(ToString::to_string);
    attributes.texts(names::HOSTED, hosted);
}

fn found(span: &mut Span, facts: &LlmFacts, node: &Node) {
    let attributes = &mut span.attributes;
    attributes.maybe(names::RESPONSE_MODEL, facts.model.clone());
    attributes.maybe(names::RESPONSE_ID, facts.response_id.clone());
    attributes.texts(names::FINISH_REASONS, facts.finish.iter().cloned());
    attributes.maybe(names::CONVERSATION, facts.session.clone());
    attributes.maybe(names::AGENT_NAME, facts.agents.first().cloned());
    attributes.maybe(names::PURPOSE, facts.purpose.map(purpose));
    if let Some(usage) = &facts.usage {
        used(attributes, usage);
    }
    if let Some(cost) = facts.cost {
        attributes.number(names::COST, fraction(cost.nanos(), NANOS));
    }
    attributes.flag(names::ESTIMATED, facts.estimated);
    if let Some(first) = facts.first_octets_us {
        attributes.number(names::TIME_TO_FIRST_CHUNK, fraction(first, MICROS));
    }
    attributes.some(names::ITEMS, facts.items);
    attributes.texts(names::NEW_ITEMS, facts.new.iter().map(item));
    attributes.some(names::REDACTED, facts.redacted);
    messages::captured(attributes, facts);
    for finding in facts.findings.iter().take(FINDINGS) {
        let mut attributes = Attributes::default();
        attributes.text(names::FINDING_CODE, "request");
        attributes.text(names::FINDING_DETAIL, finding.clone());
        span.events.push(SpanEvent {
            time: node.start,
            name: names::FINDING,
            attributes,
        });
    }
}

fn used(attributes: &mut Attributes, usage: &TokenUsage) {
    attributes.count(names::INPUT_TOKENS, usage.input);
    attributes.count(names::OUTPUT_TOKENS, usage.output);
    attributes.some(names::CACHE_READ_TOKENS, usage.cache_read);
    attributes.some(names::CACHE_CREATION_TOKENS, usage.cache_write);
    attributes.some(names::REASONING_TOKENS, usage.reasoning);
}

/// One item of a context in a few words.
fn item(item: &ringfence_model::llm::ContextItem) -> String {
    let mut text = kind(item.kind).to_owned();
    for more in [&item.name, &item.call].into_iter().flatten() {
        text.push(' ');
        text.push_str(more);
    }
    let failed = if item.is_error { " failed" } else { "" };
    let (octets, digest) = (item.text.octets, &item.text.digest);
    format!("{text}{failed} {octets} {digest}")
}

const fn kind(kind: ContextKind) -> &'static str {
    match kind {
        ContextKind::System => "system",
        ContextKind::User => "user",
        ContextKind::Assistant => "assistant",
        ContextKind::ToolCall => "tool-call",
        ContextKind::ToolResult => "tool-result",
        ContextKind::Media => "media",
    }
}

const fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Step => "step",
        Purpose::Title => "title",
        Purpose::Summary => "summary",
        Purpose::Routing => "routing",
        Purpose::Probe => "probe",
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "spans have no exact numbers with decimals; the record has"
)]
fn fraction(count: u64, of: f64) -> f64 {
    count as f64 / of
}

const NANOS: f64 = 1e9;
const MICROS: f64 = 1e6;
