//! What came into the context before a decision of a model, and from where.

use std::collections::HashMap;

use ringfence_model::llm::{ContextItem, ContextKind};
use ringfence_model::{EventId, SpanId};
use serde::Serialize;

use crate::build::Trace;
use crate::limits::NODES;
use crate::node::{LlmNode, Node, ToolEnd, ToolNode, What};

/// One step, and what came into its context. Its JSON is a promise.
#[derive(Debug, Clone, Serialize)]
pub struct Step<'a> {
    /// The step.
    pub step: u32,
    /// The request to the model.
    pub asked: &'a LlmNode,
    /// What was not in the request before it of the same conversation, in order.
    pub entered: Vec<Entry<'a>>,
}

/// Something that came into a context.
#[derive(Debug, Clone, Serialize)]
pub struct Entry<'a> {
    /// What.
    pub item: &'a ContextItem,
    /// From where.
    pub from: Origin<'a>,
}

/// Where something that came into a context is from.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "origin", rename_all = "kebab-case")]
pub enum Origin<'a> {
    /// The program that runs the agent.
    Program,
    /// A person, or the program in their name.
    Person,
    /// A model: it is its own earlier words.
    Model,
    /// A tool.
    Tool {
        /// The tool.
        tool: &'a ToolNode,
        /// How long it ran at most, in milliseconds.
        milliseconds: Option<u64>,
        /// What happened meanwhile: requests, connections, calls of models.
        meanwhile: Vec<&'a Node>,
    },
    /// A tool that no known answer asked for.
    UnknownTool,
}

impl Trace {
    /// The step of this number. None where there is none.
    #[must_use]
    pub fn step(&self, number: u32) -> Option<Step<'_>> {
        let asked = self.nodes.iter().find_map(|node| match &node.what {
            What::Llm(asked) if asked.step == Some(number) => Some(asked.as_ref()),
            _ => None,
        })?;
        let tree = self.tree();
        let results = self.results(asked.event.id);
        let new = asked.facts().map_or(&[][..], |facts| &facts.new);
        let entered = new.iter().map(|item| Entry {
            item,
            from: origin(item, &results, &tree),
        });
        Some(Step {
            step: number,
            asked,
            entered: entered.collect(),
        })
    }

    /// The tools whose results a request brought.
    fn results(&self, event: EventId) -> Vec<(&Node, &ToolNode, &ContextItem)> {
        let tools = self.nodes.iter().filter_map(|node| match &node.what {
            What::Tool(tool) => Some((node, tool.as_ref())),
            What::Llm(_) | What::Action(_) | What::Told(_) => None,
        });
        let tools = tools.filter_map(|(node, tool)| match &tool.ended {
            ToolEnd::Result { item, answered_by } if *answered_by == event => {
                Some((node, tool, item))
            }
            _ => None,
        });
        tools.collect()
    }
}

fn origin<'a>(
    item: &ContextItem,
    results: &[(&'a Node, &'a ToolNode, &'a ContextItem)],
    tree: &HashMap<SpanId, Vec<&'a Node>>,
) -> Origin<'a> {
    match item.kind {
        ContextKind::System => Origin::Program,
        ContextKind::User | ContextKind::Media => Origin::Person,
        ContextKind::Assistant | ContextKind::ToolCall => Origin::Model,
        ContextKind::ToolResult => {
            let of = results.iter().find(|(_, _, result)| *result == item);
            of.map_or(Origin::UnknownTool, |(node, tool, _)| Origin::Tool {
                tool,
                milliseconds: milliseconds(node),
                meanwhile: meanwhile(node.id, tree),
            })
        }
    }
}

/// Milliseconds that a node took.
fn milliseconds(node: &Node) -> Option<u64> {
    let took = node.end?.duration_since(node.start).as_millis();
    u64::try_from(took).ok()
}

/// All that is below a node, in the order in which it began within each level.
fn meanwhile<'a>(id: SpanId, tree: &HashMap<SpanId, Vec<&'a Node>>) -> Vec<&'a Node> {
    let mut found: Vec<&'a Node> = Vec::new();
    let mut left = vec![id];
    while let Some(id) = left.pop() {
        for node in tree.get(&id).into_iter().flatten() {
            if found.len() < NODES {
                found.push(node);
                left.push(node.id);
            }
        }
    }
    found.sort_by_key(|node| node.start);
    found
}
