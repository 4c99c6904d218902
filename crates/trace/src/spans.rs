//! Nodes as spans, in the words of OpenTelemetry. What a client's own spans say is joined where it
//! told which span a request belongs to.

mod action;
mod llm;
mod mcp;
mod messages;
mod provider;
mod run;
mod told;
mod tool;

use jiff::Timestamp;
pub(crate) use provider::{operation, provider};
use ringfence_model::llm::ClientTrace;
use ringfence_model::{Action, Closing, Decision, Event, Outcome, SpanId, TraceId, Upstream};

use crate::limits::ATTRIBUTE_OCTETS;
use crate::names;
use crate::node::{Node, Run, What};
use crate::totals::Totals;

/// A span.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// The trace.
    pub trace: TraceId,
    /// The span.
    pub id: SpanId,
    /// The span that it is part of; none for the first one.
    pub parent: Option<SpanId>,
    /// Spans of other traces that it belongs to as well.
    pub links: Vec<(TraceId, SpanId)>,
    /// Its name.
    pub name: String,
    /// Whether it is a request to another system.
    pub kind: SpanKind,
    /// When it began.
    pub start: Timestamp,
    /// When it ended.
    pub end: Timestamp,
    /// Its attributes.
    pub attributes: Attributes,
    /// What happened during it.
    pub events: Vec<SpanEvent>,
    /// Why it failed; none where it did not.
    pub error: Option<String>,
}

/// What a span is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanKind {
    /// Work.
    Internal,
    /// A request to another system.
    Client,
}

/// Something that happened during a span.
#[derive(Debug, Clone, PartialEq)]
pub struct SpanEvent {
    /// When.
    pub time: Timestamp,
    /// What.
    pub name: &'static str,
    /// More about it.
    pub attributes: Attributes,
}

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Text.
    Text(String),
    /// Texts.
    Texts(Vec<String>),
    /// A whole number.
    Int(i64),
    /// A number.
    Number(f64),
    /// Yes or no.
    Flag(bool),
}

/// Attributes, each name once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attributes(Vec<(&'static str, Value)>);

impl Attributes {
    /// Names and values, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = &(&'static str, Value)> {
        self.0.iter()
    }

    /// The value of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        let mut found = self.0.iter().filter(|(known, _)| *known == name);
        found.next().map(|(_, value)| value)
    }

    fn text(&mut self, name: &'static str, text: impl Into<String>) {
        self.0.push((name, Value::Text(cut(text.into()))));
    }

    fn maybe(&mut self, name: &'static str, text: Option<impl Into<String>>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    fn texts(&mut self, name: &'static str, texts: impl IntoIterator<Item = String>) {
        let texts: Vec<String> = texts.into_iter().map(cut).collect();
        if !texts.is_empty() {
            self.0.push((name, Value::Texts(texts)));
        }
    }

    fn count(&mut self, name: &'static str, count: u64) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.0.push((name, Value::Int(count)));
    }

    fn some(&mut self, name: &'static str, count: u64) {
        if count > 0 {
            self.count(name, count);
        }
    }

    fn int(&mut self, name: &'static str, number: i64) {
        self.0.push((name, Value::Int(number)));
    }

    fn number(&mut self, name: &'static str, number: f64) {
        self.0.push((name, Value::Number(number)));
    }

    fn flag(&mut self, name: &'static str, flag: bool) {
        if flag {
            self.0.push((name, Value::Flag(flag)));
        }
    }
}

fn cut(mut text: String) -> String {
    if text.len() > ATTRIBUTE_OCTETS {
        let mut end = ATTRIBUTE_OCTETS;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
    }
    text
}

/// The span of a run itself. It carries no tokens: receivers would count them twice.
#[must_use]
pub fn of_run(run: &Run, totals: &Totals) -> Span {
    run::span(run, totals)
}

/// The span of a node of a run.
#[must_use]
pub fn of_node(run: &Run, node: &Node) -> Span {
    let mut span = match &node.what {
        What::Llm(asked) => llm::span(run, node, asked),
        What::Tool(tool) => tool::span(run, node, tool),
        What::Action(action) => match &action.event.action {
            Action::Mcp(request) => mcp::span(run, node, action, request),
            _ => action::span(run, node, action),
        },
        What::Told(told) => told::span(run, node, told),
    };
    span.attributes.text(names::RUN, run.run.to_string());
    span.attributes.text(names::SESSION, run.run.to_string());
    span
}

/// A span with what all have. One whose end nobody saw ends with the last that was seen.
fn bare(run: &Run, node: &Node, name: String, kind: SpanKind) -> Span {
    Span {
        trace: TraceId::of_run(run.run),
        id: node.id,
        parent: Some(node.parent),
        links: Vec::new(),
        name: cut(name),
        kind,
        start: node.start,
        end: node.end.unwrap_or(run.last).max(node.start),
        attributes: Attributes::default(),
        events: Vec::new(),
        error: None,
    }
}

/// A span of the client's in this trace is the parent, even if the client has not told of it yet. One
/// of another trace is only linked: the client chose it, and could put its steps out of the trace of
/// the run.
fn join(span: &mut Span, client: Option<&ClientTrace>) {
    let Some(client) = client else {
        return;
    };
    let (Ok(trace), Ok(id)) = (
        client.trace.parse::<TraceId>(),
        client.span.parse::<SpanId>(),
    ) else {
        return;
    };
    if trace != span.trace {
        span.links.push((trace, id));
    } else if id != span.id {
        span.parent = Some(id);
    }
}

/// Adds what was decided about an action, how it ended, and where it went.
fn decided(span: &mut Span, event: &Event, closing: Option<&Closing>) {
    let attributes = &mut span.attributes;
    attributes.text(names::EVENT, event.id.to_string());
    let destination = event.action.destination();
    attributes.text(names::SERVER_ADDRESS, destination.host.to_string());
    attributes.int(names::SERVER_PORT, i64::from(destination.port));
    span.events.push(verdict(event));
    if !event.decision.is_allow() {
        fail(span, event.decision.code.as_str(), &event.decision.reason);
    }
    if let Some(closing) = closing {
        ended(span, closing);
    }
}

fn verdict(event: &Event) -> SpanEvent {
    let decision: &Decision = &event.decision;
    let mut attributes = Attributes::default();
    attributes.text(names::EFFECT, decision.effect.to_string());
    attributes.text(names::CODE, decision.code.as_str());
    attributes.text(names::REASON, decision.reason.clone());
    attributes.maybe(names::RULE, decision.rule.as_ref().map(ToString::to_string));
    attributes.count(names::GENERATION, decision.generation.0);
    attributes.maybe(names::NEXT_STEP, decision.next_step.clone());
    let credential = decision.credential.as_ref().map(ToString::to_string);
    attributes.maybe(names::CREDENTIAL, credential);
    attributes.maybe(names::ACCESS, decision.access.map(|access| access.as_str()));
    SpanEvent {
        time: event.time,
        name: names::DECISION,
        attributes,
    }
}

fn ended(span: &mut Span, closing: &Closing) {
    let attributes = &mut span.attributes;
    attributes.count(names::SENT, closing.sent);
    attributes.count(names::RECEIVED, closing.received);
    attributes.some(names::SCRUBBED, closing.scrubbed);
    if let Some(Upstream { address, .. }) = &closing.upstream {
        attributes.text(names::PEER_ADDRESS, address.ip().to_string());
        attributes.int(names::PEER_PORT, i64::from(address.port()));
    }
    if let Outcome::Status(status) = closing.outcome {
        attributes.int(names::HTTP_STATUS, i64::from(status));
    }
    let detail = closing.detail.as_deref().unwrap_or_default();
    match closing.outcome {
        Outcome::Refused(code) => {
            let mut attributes = Attributes::default();
            attributes.text(names::CODE, code.as_str());
            attributes.maybe(names::REASON, closing.detail.clone());
            attributes.maybe(names::NEXT_STEP, closing.next_step.clone());
            span.events.push(SpanEvent {
                time: closing.time,
                name: names::REFUSED,
                attributes,
            });
            fail(span, code.as_str(), detail);
        }
        Outcome::UpstreamFailed => fail(span, "upstream_failed", detail),
        Outcome::TimedOut => fail(span, "timeout", detail),
        Outcome::Aborted => fail(span, "aborted", detail),
        Outcome::Status(status) if status >= FIRST_ERROR => fail(span, &status.to_string(), detail),
        Outcome::Done | Outcome::Status(_) => {}
    }
}

/// The first that went wrong is what a span is said to have failed of.
fn fail(span: &mut Span, kind: &str, words: &str) {
    if span.error.is_none() {
        span.attributes.text(names::ERROR_TYPE, kind);
        let words = if words.is_empty() { kind } else { words };
        span.error = Some(cut(words.to_owned()));
    }
}

/// The destination of an action as one word.
fn place(action: &Action) -> String {
    action.destination().to_string()
}

const FIRST_ERROR: u16 = 400;

#[cfg(test)]
mod tests;
