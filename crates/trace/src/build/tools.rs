//! The tools that models asked for. A tool begins when the answer that asks for it has passed, and
//! ends when the request that brings its result is made; what happens between is taken to be its
//! doing. That is an inference by time, and the only one there is without the agent's help.

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;
use ringfence_model::llm::{ContextItem, ContextKind, LlmFacts, ToolCall};
use ringfence_model::mcp::{McpRequest, McpVerb};
use ringfence_model::{Event, EventId, RunId, SpanId, ToldSpan};
use sha2::{Digest as _, Sha256};

use super::is_step;
use crate::limits::{AGENTS, CALLS, CANDIDATES};
use crate::node::{LlmNode, Node, ToolEnd, ToolNode, What};

/// The calls of tools of one run, the newest last.
#[derive(Debug, Default)]
pub(super) struct Tools {
    run: Option<RunId>,
    calls: VecDeque<Call>,
    /// Which call an agent of the client's works for, by its name; none for what works for no call.
    agents: HashMap<String, Option<SpanId>>,
    ended: Vec<Node>,
    /// Whether every tool waits for what the agent may tell of it.
    is_patient: bool,
}

#[derive(Debug)]
struct Call {
    id: SpanId,
    /// The tool that the asking conversation is itself the work of.
    within: Option<SpanId>,
    session: Option<String>,
    node: ToolNode,
    start: Timestamp,
    end: Option<Timestamp>,
    /// When a sub-agent began to work for it: from then on it does nothing by itself.
    delegated: Option<Timestamp>,
    /// When the model was asked whose answer asks for it.
    asked: Timestamp,
    /// Whether the agent may tell of it yet.
    is_awaited: bool,
    is_given: bool,
    /// What the agent tells of it: where it is in the tree, and its times.
    told: Option<(SpanId, Timestamp, Timestamp)>,
}

/// Where in the tree something belongs that happened at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// No tool ran.
    Run,
    /// This one did.
    Tool(SpanId),
    /// One of these did, by name.
    OneOf(Vec<String>),
}

impl Tools {
    /// Those of somebody who looks back.
    pub(super) fn patient() -> Self {
        Self {
            is_patient: true,
            ..Self::default()
        }
    }

    pub(super) const fn of(&mut self, run: RunId) {
        self.run = Some(run);
    }

    /// Ends the tools whose results came with a request. Returns the tool that the conversation works
    /// for, where it does.
    pub(super) fn answered(&mut self, event: &Event, facts: &LlmFacts) -> Option<SpanId> {
        let mut within = None;
        let mut has_results = false;
        for item in &facts.new {
            if item.kind != ContextKind::ToolResult {
                continue;
            }
            has_results = true;
            let Some(at) = self.asked_for(item, facts) else {
                continue;
            };
            let end = ToolEnd::Result {
                item: item.clone(),
                answered_by: event.id,
            };
            let of = self.end(at, event.time, end);
            within = within.or(of);
        }
        let is_said = |item: &ContextItem| item.kind == ContextKind::User;
        let goes_on = facts.items > facts.new.len() as u64 && facts.new.iter().any(is_said);
        if !has_results && goes_on && is_step(facts) {
            self.abandon(event.time, facts);
        }
        within
    }

    /// The open call that a result belongs to: by its id, else the first of that name.
    fn asked_for(&self, item: &ContextItem, facts: &LlmFacts) -> Option<usize> {
        let is_open = |call: &Call| call.end.is_none();
        if let Some(id) = &item.call
            && let Some(at) = self
                .calls
                .iter()
                .rposition(|call| is_open(call) && call.node.call.id == *id)
        {
            return Some(at);
        }
        let name = item.name.as_deref()?;
        let is_named =
            |call: &Call| is_open(call) && call.node.call.name == name && call.is_of(facts);
        self.calls.iter().position(is_named)
    }

    fn end(&mut self, at: usize, time: Timestamp, ended: ToolEnd) -> Option<SpanId> {
        let call = self.calls.get_mut(at)?;
        let end = time.max(call.start);
        call.end = Some(end);
        call.node.ended = ended;
        let within = call.within;
        if !call.is_awaited || call.told.is_some() {
            self.give(at);
        }
        within
    }

    fn give(&mut self, at: usize) {
        if let (Some(call), Some(run)) = (self.calls.get_mut(at), self.run)
            && !std::mem::replace(&mut call.is_given, true)
        {
            self.ended.push(call.node(run));
        }
    }

    /// Takes what the agent tells of a call that was seen and was not given out yet, and returns its
    /// span. The agent is believed about when, within the time that it can have been.
    pub(super) fn told(&mut self, span: &ToldSpan, parent: SpanId) -> Option<SpanId> {
        let id = span.what.call.as_deref()?;
        let is_it = |call: &Call| {
            let is_then = call.asked <= span.end && call.end.is_none_or(|end| span.start <= end);
            let is_open = !call.is_given && call.told.is_none();
            is_open && is_then && call.node.call.id == id
        };
        let at = self.calls.iter().rposition(is_it)?;
        let call = self.calls.get_mut(at)?;
        let start = span.start.max(call.asked);
        let end = call.end.map_or(span.end, |end| span.end.min(end));
        call.told = Some((parent, start, end.max(start)));
        call.node.told = Some(span.id);
        let (id, has_ended) = (call.id, call.end.is_some());
        if has_ended {
            self.give(at);
        }
        Some(id)
    }

    /// A person, or the program, said something else instead of giving the results.
    fn abandon(&mut self, time: Timestamp, facts: &LlmFacts) {
        let is_left = |call: &Call| {
            let is_idle = call.delegated.is_none() && call.end.is_none();
            is_idle && call.start < time && call.is_of(facts)
        };
        let left: Vec<usize> = (0..self.calls.len())
            .filter(|at| self.calls.get(*at).is_some_and(is_left))
            .collect();
        for at in left {
            self.end(at, time, ToolEnd::Abandoned);
        }
    }

    /// The tool that a conversation works for which brought no result: by the name of the agent, which
    /// stays where it was seen first, or because it began, with tools of its own, while just one tool
    /// ran.
    pub(super) fn begun(&mut self, event: &Event, facts: &LlmFacts) -> Option<SpanId> {
        let agent = facts.agents.first();
        if let Some(within) = agent.and_then(|agent| self.agents.get(agent)) {
            return *within;
        }
        let is_new = facts.items > 0 && facts.items == facts.new.len() as u64;
        let is_begun = agent.is_some() || (is_new && is_step(facts));
        let at = is_begun.then(|| self.only(event.time)).flatten();
        let within = at.and_then(|at| self.calls.get_mut(at)).map(|call| {
            call.delegated.get_or_insert(event.time);
            call.id
        });
        if let Some(agent) = agent
            && self.agents.len() < AGENTS
        {
            self.agents.insert(agent.clone(), within);
        }
        within
    }

    /// Begins the tools that an answer asks for. Returns their spans.
    pub(super) fn asked(
        &mut self,
        node: &LlmNode,
        facts: &LlmFacts,
        within: Option<SpanId>,
        time: Timestamp,
    ) -> Vec<SpanId> {
        let mut begun = Vec::new();
        for (position, call) in facts.calls.iter().enumerate() {
            let Some(id) = span_of(node.event.id, position) else {
                continue;
            };
            if self.calls.len() >= CALLS {
                self.forget();
            }
            begun.push(id);
            self.calls.push_back(Call {
                id,
                within,
                session: facts.session.clone(),
                node: tool(node, facts, call),
                start: time,
                end: None,
                delegated: None,
                asked: node.event.time,
                is_awaited: self.is_patient || node.client_span().is_some(),
                is_given: false,
                told: None,
            });
        }
        begun
    }

    /// Makes room: one that has ended goes first.
    fn forget(&mut self) {
        let ended = self.calls.iter().position(|call| call.end.is_some());
        let Some(call) = self.calls.remove(ended.unwrap_or(0)) else {
            return;
        };
        if !call.is_given {
            self.ended.extend(self.run.map(|run| call.node(run)));
        }
    }

    /// Where something belongs that happened then.
    pub(super) fn at(&self, time: Timestamp) -> Place {
        let running = self.running(time);
        let names = || {
            let mut names: Vec<String> = running
                .iter()
                .map(|call| call.node.call.name.clone())
                .collect();
            names.sort();
            names.dedup();
            names.truncate(CANDIDATES);
            names
        };
        match running.as_slice() {
            [] => Place::Run,
            [call] => Place::Tool(call.id),
            _ => Place::OneOf(names()),
        }
    }

    /// The only tool that ran then and has the name that clients give to this tool of this server.
    pub(super) fn calling(&self, request: &McpRequest, time: Timestamp) -> Option<SpanId> {
        let tool = request.target.as_ref();
        let tool = tool.filter(|_| request.verb == McpVerb::CallTool)?;
        let name = called(request.server.as_str(), tool);
        let running = self.running(time);
        let mut named = running.iter().filter(|it| it.node.call.name == name);
        let only = named.next()?;
        named.next().is_none().then_some(only.id)
    }

    /// The tools that ran then; not those that a sub-agent did the work of, unless there is no other.
    fn running(&self, time: Timestamp) -> Vec<&Call> {
        let (delegated, own): (Vec<&Call>, Vec<&Call>) = self
            .calls
            .iter()
            .filter(|call| call.start <= time && call.end.is_none_or(|end| time < end))
            .partition(|call| call.delegated.is_some_and(|from| from <= time));
        if own.is_empty() { delegated } else { own }
    }

    fn only(&self, time: Timestamp) -> Option<usize> {
        let id = match self.at(time) {
            Place::Tool(id) => id,
            Place::Run | Place::OneOf(_) => return None,
        };
        self.calls.iter().position(|call| call.id == id)
    }

    /// The tools that have ended since, each once.
    pub(super) fn take_ended(&mut self) -> Vec<Node> {
        std::mem::take(&mut self.ended)
    }

    /// The tools whose end nobody saw, or that the agent did not tell of.
    pub(super) fn left(&mut self, end: Option<Timestamp>) -> Vec<Node> {
        let mut left = self.take_ended();
        let Some(run) = self.run else {
            return left;
        };
        for call in &mut self.calls {
            if call.end.is_none() {
                call.end = end.map(|end| end.max(call.start));
            }
            if !std::mem::replace(&mut call.is_given, true) {
                left.push(call.node(run));
            }
        }
        left
    }
}

impl Call {
    /// Whether a request is of the conversation that asked for it, as far as the client's hints tell.
    fn is_of(&self, facts: &LlmFacts) -> bool {
        self.session == facts.session && self.node.agents == facts.agents
    }

    fn node(&self, run: RunId) -> Node {
        let seen = self.within.unwrap_or_else(|| SpanId::root(run));
        let (parent, start, end) = match self.told {
            Some((parent, start, end)) => (parent, start, self.end.map(|seen| end.min(seen))),
            None => (seen, self.start, self.end),
        };
        Node {
            id: self.id,
            parent,
            start,
            end,
            what: What::Tool(Box::new(self.node.clone())),
        }
    }
}

fn tool(node: &LlmNode, facts: &LlmFacts, call: &ToolCall) -> ToolNode {
    ToolNode {
        call: call.clone(),
        step: node.step,
        asked_by: node.event.id,
        agents: facts.agents.clone(),
        together: facts.calls.len(),
        told: None,
        ended: ToolEnd::Unknown,
    }
}

/// What clients call a tool of a server. A model's tools have plain names, so that what is not plain
/// becomes `_`.
fn called(server: &str, tool: &str) -> String {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || it == '_' || it == '-';
    let plain = tool.chars().map(|it| if is_plain(it) { it } else { '_' });
    format!("mcp__{server}__{}", plain.collect::<String>())
}

/// The span of a tool, which has no event of its own: the same however often it is computed.
fn span_of(event: EventId, position: usize) -> Option<SpanId> {
    let mut hash = Sha256::new();
    hash.update(b"ringfence-tool-span-v1\0");
    hash.update(event.uuid().as_bytes());
    hash.update((position as u64).to_be_bytes());
    let digest: [u8; 32] = hash.finalize().into();
    let octets = digest.first_chunk::<8>()?;
    Some(SpanId::made(*octets))
}
