//! Folds the records of one run into its nodes, as they come. A node is given out when its place in
//! the tree is known: what happened while a model was being asked has to wait for the facts of that
//! request, which say which tools had ended before it.

mod told;
mod tools;
mod trace;

use std::collections::{BTreeSet, HashMap, VecDeque};

use jiff::Timestamp;
use ringfence_model::llm::{LlmFacts, Purpose};
use ringfence_model::{
    Action, Closing, Event, EventId, Notice, NoticeKind, OTEL_SERVICE, Record, RunId, SpanId,
    ToldSpan,
};

use crate::limits::{NOTICES, OPEN, WAITING};
use crate::node::{ActionNode, LlmNode, Node, Run, ToldCounts, What};
use told::Heard;
use tools::{Place, Tools};
pub use trace::{Draft, Trace};

/// Folds the records of one run, in the order in which they were written.
#[derive(Debug, Default)]
pub struct Builder {
    run: Option<Run>,
    open: HashMap<EventId, Open>,
    /// Calls of models that go on, by when each began.
    asking: BTreeSet<(Timestamp, EventId)>,
    tools: Tools,
    told: Heard,
    waiting: VecDeque<Waiting>,
    /// How many of those, from the first, wait for the call that goes on for longest.
    held: usize,
    held_by: Option<Timestamp>,
    steps: u32,
    ready: Vec<Node>,
}

#[derive(Debug)]
struct Open {
    event: Event,
    step: Option<u32>,
    carried: u32,
    /// For a connection: whether models were asked over it, or the agent told of itself.
    asks: bool,
    /// For a request: its connection, and when that was opened.
    connection: Option<(EventId, Timestamp)>,
}

/// An action whose place is not known yet.
#[derive(Debug)]
struct Waiting {
    node: ActionNode,
    end: Option<Timestamp>,
    asks: bool,
    /// For a request: its connection, and when that was opened.
    connection: Option<(EventId, Timestamp)>,
}

impl Builder {
    /// One for whoever looks back. A tool is given out when all is known of it, and not when its turn
    /// to be sent has come.
    #[must_use]
    pub(crate) fn patient() -> Self {
        Self {
            tools: Tools::patient(),
            ..Self::default()
        }
    }

    /// Takes the next record.
    pub fn feed(&mut self, record: &Record) {
        match record {
            Record::Opened(event) => {
                self.touch(event.run, event.time);
                if let Some(run) = &mut self.run {
                    run.agent.get_or_insert_with(|| event.agent.clone());
                }
                self.open(event);
            }
            Record::Closed(closing) => {
                if let Some(run) = &self.run {
                    self.touch(run.run, closing.time);
                }
                self.close(closing);
            }
            Record::Notice(notice) => {
                self.touch(notice.run, notice.time);
                self.note(notice);
            }
        }
        self.settle();
    }

    /// The nodes whose place is known by now. Each is given out once.
    pub fn take_ready(&mut self) -> Vec<Node> {
        std::mem::take(&mut self.ready)
    }

    /// The run, as far as it is known; none before the first record.
    #[must_use]
    pub const fn run(&self) -> Option<&Run> {
        self.run.as_ref()
    }

    /// The rest: what is still open or waits. After this there is nothing more.
    #[must_use]
    pub fn finish(mut self) -> (Option<Run>, Vec<Node>) {
        self.end();
        (self.run, self.ready)
    }

    /// Where the tree has the span that a client says a request is part of.
    pub(crate) fn place_of(&self, said: Option<SpanId>) -> Option<SpanId> {
        self.told.place(said?)
    }

    /// Makes the rest ready.
    pub(crate) fn end(&mut self) {
        self.asking.clear();
        let mut open: Vec<Open> = std::mem::take(&mut self.open).into_values().collect();
        open.sort_by_key(|it| it.event.id);
        for open in open {
            self.finished(open, None, None);
        }
        self.settle();
        loop {
            let left = self.told.next_left();
            if left.is_empty() {
                break;
            }
            self.place_told(left);
        }
        let ended = self.run.as_ref().and_then(|run| run.ended);
        let left = self.tools.left(ended);
        self.ready.extend(left);
    }

    fn touch(&mut self, run: RunId, time: Timestamp) {
        let run = self.run.get_or_insert_with(|| Run {
            run,
            agent: None,
            started: time,
            ended: None,
            last: time,
            exit_code: None,
            command: Vec::new(),
            profiles: Vec::new(),
            directory: None,
            notices: Vec::new(),
            told: ToldCounts::default(),
        });
        run.last = run.last.max(time);
        self.tools.of(run.run);
    }

    fn note(&mut self, notice: &Notice) {
        let Some(run) = &mut self.run else {
            return;
        };
        run.agent.get_or_insert_with(|| notice.agent.clone());
        match &notice.kind {
            NoticeKind::RunStarted {
                command,
                profiles,
                directory,
                ..
            } => {
                run.started = notice.time;
                run.command.clone_from(command);
                run.profiles.clone_from(profiles);
                run.directory = Some(directory.clone());
            }
            NoticeKind::RunEnded { exit_code } => {
                run.ended = Some(notice.time);
                run.exit_code = Some(*exit_code);
            }
            NoticeKind::Told {
                spans,
                refused,
                dropped,
            } => {
                self.told.refused(*refused, *dropped);
                self.hear(spans, SpanId::root(notice.run));
            }
            _ if run.notices.len() < NOTICES => run.notices.push(notice.clone()),
            _ => {}
        }
    }

    /// The agent tells of its work.
    fn hear(&mut self, spans: &[ToldSpan], root: SpanId) {
        for span in spans {
            if let Some(span) = self.told.take(span, root) {
                self.place_told(vec![span]);
            }
        }
        if let Some(run) = &mut self.run {
            run.told = self.told.counts();
        }
    }

    /// Places spans that the agent told of, and those that waited for them. One that is about the call
    /// of a tool that was seen is that tool.
    fn place_told(&mut self, mut next: Vec<ToldSpan>) {
        let Some(root) = self.run.as_ref().map(|run| SpanId::root(run.run)) else {
            return;
        };
        while let Some(span) = next.pop() {
            let (parent, depth) = self.told.below(span.parent).unwrap_or((root, 1));
            let at = self.tools.told(&span, parent).unwrap_or(span.id);
            next.extend(self.told.placed(span.id, (at, depth)));
            if at == span.id {
                self.ready.push(Node {
                    id: span.id,
                    parent,
                    start: span.start,
                    end: Some(span.end),
                    what: What::Told(Box::new(span.what)),
                });
            }
        }
        self.ready.extend(self.tools.take_ended());
    }

    fn open(&mut self, event: &Event) {
        self.told.seen(SpanId::of_event(event.id));
        let connection = event.parent.and_then(|id| {
            let connection = self.open.get_mut(&id)?;
            connection.carried = connection.carried.saturating_add(1);
            connection.asks |= matches!(event.action, Action::Llm(_));
            Some((id, connection.event.time))
        });
        let is_allowed = event.decision.is_allow();
        let is_call =
            matches!(&event.action, Action::Llm(request) if request.endpoint.is_inference());
        let step = (is_call && is_allowed).then(|| {
            self.steps = self.steps.saturating_add(1);
            self.steps
        });
        let open = Open {
            event: event.clone(),
            step,
            carried: 0,
            asks: is_telemetry(event),
            connection,
        };
        if !is_allowed {
            self.finished(open, Some(event.time), None);
        } else if self.open.len() < OPEN {
            if is_call {
                self.asking.insert((event.time, event.id));
            }
            self.open.insert(event.id, open);
        }
    }

    fn close(&mut self, closing: &Closing) {
        if let Some(open) = self.open.remove(&closing.id) {
            self.asking.remove(&(open.event.time, closing.id));
            self.finished(open, Some(closing.time), Some(closing));
        }
    }

    fn finished(&mut self, open: Open, end: Option<Timestamp>, closing: Option<&Closing>) {
        let closing = closing.cloned();
        let event = open.event;
        if matches!(event.action, Action::Llm(_)) {
            let node = LlmNode {
                step: open.step,
                event,
                closing,
                is_joined: false,
            };
            self.asked(node, end);
            return;
        }
        if self.waiting.len() >= WAITING
            && let Some(first) = self.waiting.pop_front()
        {
            self.held = self.held.saturating_sub(1);
            self.place(first);
        }
        self.waiting.push_back(Waiting {
            node: ActionNode {
                event,
                closing,
                candidates: Vec::new(),
                carried: open.carried,
                is_joined: false,
            },
            end,
            asks: open.asks,
            connection: open.connection,
        });
    }

    /// A request to a model has ended: tools whose results it brought have ended before it, and those
    /// that its answer asks for begin.
    fn asked(&mut self, mut node: LlmNode, end: Option<Timestamp>) {
        let nothing = LlmFacts::default();
        let facts = node.facts().unwrap_or(&nothing);
        let within = self.tools.answered(&node.event, facts);
        let within = within.or_else(|| self.tools.begun(&node.event, facts));
        if let Some(end) = end {
            let begun = self.tools.asked(&node, facts, within, end);
            begun.into_iter().for_each(|id| self.told.seen(id));
        }
        self.ready.extend(self.tools.take_ended());
        let joined = self.place_of(node.client_span());
        node.is_joined = joined.is_some();
        let parent = joined.or(within);
        self.ready.push(Node {
            id: SpanId::of_event(node.event.id),
            parent: parent.unwrap_or_else(|| SpanId::root(node.event.run)),
            start: node.event.time,
            end,
            what: What::Llm(Box::new(node)),
        });
    }

    /// Places what waits, as far as no call of a model is under way that was begun before it. What was
    /// found to wait is looked at again when that call has ended.
    fn settle(&mut self) {
        let begun = self.asking.first().map(|(begun, _)| *begun);
        if begun != self.held_by {
            (self.held, self.held_by) = (0, begun);
        }
        for waiting in self.waiting.split_off(self.held) {
            if begun.is_some_and(|begun| begun <= waiting.node.event.time) {
                self.waiting.push_back(waiting);
            } else {
                self.place(waiting);
            }
        }
        self.held = self.waiting.len();
    }

    /// A request is part of what the client says, else of its connection, unless another tool had that
    /// opened.
    fn place(&mut self, waiting: Waiting) {
        let Waiting {
            mut node,
            end,
            asks,
            connection,
        } = waiting;
        let root = SpanId::root(node.event.run);
        let place = self.place_in_time(&node.event);
        let connection = connection.filter(|(_, opened)| self.tools.at(*opened) == place);
        let joined = self.place_of(node.client_span());
        node.is_joined = joined.is_some();
        let parent = match (connection, place) {
            // The agent's own, which it opens when it has the results.
            _ if asks => root,
            (Some((id, _)), _) => SpanId::of_event(id),
            (None, Place::Tool(id)) => id,
            (None, Place::OneOf(names)) => {
                node.candidates = names;
                root
            }
            (None, Place::Run) => root,
        };
        self.ready.push(Node {
            id: SpanId::of_event(node.event.id),
            parent: joined.unwrap_or(parent),
            start: node.event.time,
            end,
            what: What::Action(Box::new(node)),
        });
    }

    /// The tool that ran then. Of several, the one that has the name of what is called.
    fn place_in_time(&self, event: &Event) -> Place {
        let named = match &event.action {
            Action::Mcp(request) => self.tools.calling(request, event.time),
            _ => None,
        };
        named.map_or_else(|| self.tools.at(event.time), Place::Tool)
    }
}

/// Whether a connection is to where agents tell of themselves.
pub(crate) fn is_telemetry(event: &Event) -> bool {
    let host = event.action.destination().host.name();
    host.is_some_and(|name| name.as_str() == OTEL_SERVICE)
}

/// Whether a request is a step of an agent's own work, as far as its shape tells.
pub(crate) fn is_step(facts: &LlmFacts) -> bool {
    facts.tools > 0 && matches!(facts.purpose, None | Some(Purpose::Step))
}

#[cfg(test)]
mod tests;
