//! A whole run as a tree, for those who look back.

use std::collections::{HashMap, HashSet};

use ringfence_model::{Record, SpanId, TraceId};
use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

use super::Builder;
use crate::limits::NODES;
use crate::node::{Node, Run, What};
use crate::totals::Totals;

/// A run as a tree.
#[derive(Debug, Clone)]
pub struct Trace {
    /// The run.
    pub run: Run,
    /// What it took.
    pub totals: Totals,
    /// What it did, in the order in which it began.
    pub nodes: Vec<Node>,
    /// Nodes that are not here because there were too many.
    pub omitted: u64,
}

impl Trace {
    /// The trace of a run, from its records in order. None where there are none.
    pub fn of<R>(records: impl IntoIterator<Item = R>) -> Option<Self>
    where
        R: std::borrow::Borrow<Record>,
    {
        let mut draft = Draft::default();
        for record in records {
            draft.feed(record.borrow());
        }
        draft.finish()
    }

    /// The parts of each node, in the order in which they began. Those of the run are below
    /// [`Self::root`], and so are those whose own place is not here.
    #[must_use]
    pub fn tree(&self) -> HashMap<SpanId, Vec<&Node>> {
        let known: HashSet<SpanId> = self.nodes.iter().map(|node| node.id).collect();
        let mut tree: HashMap<SpanId, Vec<&Node>> = HashMap::new();
        for node in &self.nodes {
            let is_known = node.parent != node.id && known.contains(&node.parent);
            let parent = if is_known { node.parent } else { self.root() };
            tree.entry(parent).or_default().push(node);
        }
        tree
    }

    /// The span of the run itself.
    #[must_use]
    pub fn root(&self) -> SpanId {
        SpanId::root(self.run.run)
    }
}

/// A trace that is being read, page by page.
#[derive(Debug)]
pub struct Draft {
    builder: Builder,
    totals: Totals,
    nodes: Vec<Node>,
    omitted: u64,
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            builder: Builder::patient(),
            totals: Totals::default(),
            nodes: Vec::new(),
            omitted: 0,
        }
    }
}

impl Draft {
    /// Takes the next record of the run.
    pub fn feed(&mut self, record: &Record) {
        self.totals.feed(record);
        self.builder.feed(record);
        let ready = self.builder.take_ready();
        self.keep(ready);
    }

    /// The trace. None where there was no record.
    #[must_use]
    pub fn finish(mut self) -> Option<Trace> {
        self.builder.end();
        let rest = self.builder.take_ready();
        self.keep(rest);
        // What an agent tells of a request comes after the request.
        for node in &mut self.nodes {
            let said = match &node.what {
                What::Llm(asked) => asked.client_span(),
                What::Action(action) => action.client_span(),
                What::Tool(_) | What::Told(_) => None,
            };
            let Some(place) = self.builder.place_of(said) else {
                continue;
            };
            node.parent = place;
            match &mut node.what {
                What::Llm(asked) => asked.is_joined = true,
                What::Action(action) => action.is_joined = true,
                What::Tool(_) | What::Told(_) => {}
            }
        }
        // Stable: tools that one answer asked for stay in their order.
        self.nodes.sort_by_key(|node| node.start);
        Some(Trace {
            run: self.builder.run().cloned()?,
            totals: self.totals,
            nodes: self.nodes,
            omitted: self.omitted,
        })
    }

    fn keep(&mut self, nodes: Vec<Node>) {
        for node in nodes {
            if self.nodes.len() < NODES {
                self.nodes.push(node);
            } else {
                self.omitted = self.omitted.saturating_add(1);
            }
        }
    }
}

/// Its JSON is a promise.
impl Serialize for Trace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut trace = serializer.serialize_struct("Trace", 6)?;
        trace.serialize_field("trace", &TraceId::of_run(self.run.run).to_string())?;
        trace.serialize_field("root", &self.root().to_string())?;
        trace.serialize_field("run", &self.run)?;
        trace.serialize_field("totals", &self.totals)?;
        trace.serialize_field("nodes", &self.nodes)?;
        trace.serialize_field("omitted", &self.omitted)?;
        trace.end()
    }
}
