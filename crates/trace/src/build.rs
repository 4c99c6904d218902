//! Folds the records of one run into its nodes, as they come. A node is given out when its place in
//! the tree is known: what happened while a model was being asked has to wait for the facts of that
//! request, which say which tools had ended before it.

mod tools;
mod trace;

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;
use ringfence_model::llm::{LlmFacts, Purpose};
use ringfence_model::{Action, Closing, Event, EventId, Notice, NoticeKind, Record, RunId, SpanId};

use crate::limits::{NOTICES, OPEN, WAITING};
use crate::node::{ActionNode, LlmNode, Node, Run, What};
use tools::{Place, Tools};
pub use trace::{Draft, Trace};

/// Folds the records of one run, in the order in which they were written.
#[derive(Debug, Default)]
pub struct Builder {
    run: Option<Run>,
    open: HashMap<EventId, Open>,
    /// Calls of models that go on: when each began.
    asking: HashMap<EventId, Timestamp>,
    tools: Tools,
    waiting: VecDeque<Waiting>,
    steps: u32,
    ready: Vec<Node>,
}

#[derive(Debug)]
struct Open {
    event: Event,
    step: Option<u32>,
    carried: u32,
    /// For a connection: whether models were asked over it.
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
        self.asking.clear();
        let mut open: Vec<Open> = std::mem::take(&mut self.open).into_values().collect();
        open.sort_by_key(|it| it.event.id);
        for open in open {
            self.finished(open, None, None);
        }
        self.settle();
        let ended = self.run.as_ref().and_then(|run| run.ended);
        let left = self.tools.left(ended);
        self.ready.extend(left);
        (self.run, self.ready)
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
            _ if run.notices.len() < NOTICES => run.notices.push(notice.clone()),
            _ => {}
        }
    }

    fn open(&mut self, event: &Event) {
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
            asks: false,
            connection,
        };
        if !is_allowed {
            self.finished(open, Some(event.time), None);
        } else if self.open.len() < OPEN {
            if is_call {
                self.asking.insert(event.id, event.time);
            }
            self.open.insert(event.id, open);
        }
    }

    fn close(&mut self, closing: &Closing) {
        self.asking.remove(&closing.id);
        if let Some(open) = self.open.remove(&closing.id) {
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
            };
            self.asked(node, end);
            return;
        }
        if self.waiting.len() >= WAITING
            && let Some(first) = self.waiting.pop_front()
        {
            self.place(first);
        }
        self.waiting.push_back(Waiting {
            node: ActionNode {
                event,
                closing,
                candidates: Vec::new(),
                carried: open.carried,
            },
            end,
            asks: open.asks,
            connection: open.connection,
        });
    }

    /// A request to a model has ended: tools whose results it brought have ended before it, and those
    /// that its answer asks for begin.
    fn asked(&mut self, node: LlmNode, end: Option<Timestamp>) {
        let nothing = LlmFacts::default();
        let facts = node.facts().unwrap_or(&nothing);
        let within = self.tools.answered(&node.event, facts);
        let within = within.or_else(|| self.tools.begun(&node.event, facts));
        if let Some(end) = end {
            self.tools.asked(&node, facts, within, end);
        }
        self.ready.extend(self.tools.take_ended());
        self.ready.push(Node {
            id: SpanId::of_event(node.event.id),
            parent: within.unwrap_or_else(|| SpanId::root(node.event.run)),
            start: node.event.time,
            end,
            what: What::Llm(Box::new(node)),
        });
    }

    /// Places what waits, as far as no call of a model is under way that was begun before it.
    fn settle(&mut self) {
        let begun = self.asking.values().min().copied();
        let is_settled =
            |waiting: &Waiting| begun.is_none_or(|begun| waiting.node.event.time < begun);
        let (settled, waiting) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(is_settled);
        self.waiting = waiting;
        let settled: VecDeque<Waiting> = settled;
        for waiting in settled {
            self.place(waiting);
        }
    }

    /// A request is part of its connection, unless another tool had that opened.
    fn place(&mut self, waiting: Waiting) {
        let Waiting {
            mut node,
            end,
            asks,
            connection,
        } = waiting;
        let root = SpanId::root(node.event.run);
        let place = self.tools.at(node.event.time);
        let connection = connection.filter(|(_, opened)| self.tools.at(*opened) == place);
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
            parent,
            start: node.event.time,
            end,
            what: What::Action(Box::new(node)),
        });
    }
}

/// Whether a request is a step of an agent's own work, as far as its shape tells.
pub(crate) fn is_step(facts: &LlmFacts) -> bool {
    facts.tools > 0 && matches!(facts.purpose, None | Some(Purpose::Step))
}

#[cfg(test)]
mod tests;
