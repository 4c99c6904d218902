//! A trace in lines for a person: what the agent was asked, which steps it took, which tools they
//! led to, what those did outside, what came back into the context, and what was denied. Everything
//! that an agent, a client or a provider chose is shown so that it stays part of its line.

mod line;
mod step;
mod words;

use std::collections::HashMap;

use ringfence_model::{NoticeKind, SpanId};

use crate::build::{Trace, is_telemetry};
use crate::node::{Node, What};
pub use step::step;
pub use words::{duration, number, shown};

/// A run from its start to its end, one line each.
#[must_use]
pub fn run(trace: &Trace) -> Vec<String> {
    let mut story = Story {
        trace,
        tree: trace.tree(),
        tools: tools(trace),
        lines: heading(trace),
    };
    story.lines.push(String::new());
    story.below(trace.root(), "");
    story.lines.extend(notices(trace));
    story.lines.extend(refused(trace));
    if trace.omitted > 0 {
        let omitted = number(trace.omitted);
        story
            .lines
            .push(format!("and {omitted} more that are not shown"));
    }
    story.lines
}

/// What a run was, and what it took.
fn heading(trace: &Trace) -> Vec<String> {
    let run = &trace.run;
    let agent = run.agent.as_ref().map_or("?", |agent| agent.as_str());
    let mut lines = vec![format!("run {} of {agent}", run.run)];
    if !run.command.is_empty() {
        lines.push(format!("  {}", words::excerpt(&run.command.join(" "))));
    }
    let mut about = vec![run.started.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()];
    about.push(match run.ended {
        Some(ended) => duration(run.started, ended),
        None => format!(
            "{} so far, no end recorded",
            duration(run.started, run.last)
        ),
    });
    about.extend(run.exit_code.map(|code| format!("exit code {code}")));
    if !run.profiles.is_empty() {
        about.push(format!("by {}", shown(&run.profiles.join(" "))));
    }
    about.extend(run.directory.as_ref().map(|it| format!("in {}", shown(it))));
    lines.push(format!("  {}", about.join(", ")));
    lines.push(format!("  {}", words::totals(&trace.totals)));
    lines
}

fn notices(trace: &Trace) -> Vec<String> {
    let text = |kind: &NoticeKind| match kind {
        NoticeKind::Finding { code, detail } => {
            Some(format!("finding {}: {}", shown(code), shown(detail)))
        }
        NoticeKind::LayerOff { layer } => Some(format!("the layer {} was off", shown(layer))),
        NoticeKind::PolicyLoaded { generation } => {
            Some(format!("policy {generation} came into force"))
        }
        NoticeKind::PolicyRejected { error } => {
            Some(format!("a policy was rejected: {}", shown(error)))
        }
        _ => None,
    };
    let notices = trace.run.notices.iter();
    let lines = notices.filter_map(|notice| {
        let text = text(&notice.kind)?;
        Some(format!("{} ! {text}", offset(trace, notice.time)))
    });
    lines.collect()
}

/// What the agent told of itself that is not here.
fn refused(trace: &Trace) -> Option<String> {
    let count = trace.run.told.refused;
    let spans = words::count(count, "span", "spans");
    (count > 0).then(|| format!("{spans} that the agent told of are not taken"))
}

fn offset(trace: &Trace, time: jiff::Timestamp) -> String {
    format!("{:>9}", duration(trace.run.started, time))
}

struct Story<'a> {
    trace: &'a Trace,
    tree: HashMap<SpanId, Vec<&'a Node>>,
    tools: Tools<'a>,
    lines: Vec<String>,
}

/// The names of tools by the ids of their calls.
type Tools<'a> = HashMap<&'a str, &'a str>;

fn tools(trace: &Trace) -> Tools<'_> {
    let calls = trace.nodes.iter().filter_map(|node| match &node.what {
        What::Tool(tool) => Some((tool.call.id.as_str(), tool.call.name.as_str())),
        What::Llm(_) | What::Action(_) | What::Told(_) => None,
    });
    calls.collect()
}

impl<'a> Story<'a> {
    fn below(&mut self, parent: SpanId, indent: &str) {
        let parts = line::folded(self.parts(parent));
        let last = parts.len().saturating_sub(1);
        for (position, (node, times)) in parts.into_iter().enumerate() {
            let (branch, more) = if position == last {
                ("└─ ", "   ")
            } else {
                ("├─ ", "│  ")
            };
            let offset = offset(self.trace, node.start);
            let mut lines = line::node(node, times, &self.tools).into_iter();
            let first = lines.next().unwrap_or_default();
            self.lines.push(format!("{offset} {indent}{branch}{first}"));
            let indent = format!("{indent}{more}");
            let has_parts = self.tree.contains_key(&node.id);
            let rail = if has_parts { "│  " } else { "   " };
            for line in lines {
                let blank = "";
                self.lines.push(format!("{blank:>9} {indent}{rail}{line}"));
            }
            // Deeper than this nothing that was recorded leads.
            if indent.len() < DEEPEST {
                self.below(node.id, &indent);
            }
        }
    }

    /// The parts of a node. In the place of a connection whose requests are known: those, and of one
    /// over which the agent told of itself, what it told.
    fn parts(&self, parent: SpanId) -> Vec<&'a Node> {
        let mut parts = Vec::new();
        for node in self.tree.get(&parent).into_iter().flatten() {
            if is_only_carrier(node) {
                parts.extend(self.tree.get(&node.id).into_iter().flatten().copied());
            } else {
                parts.push(*node);
            }
        }
        parts.sort_by_key(|node| node.start);
        parts
    }
}

fn is_only_carrier(node: &Node) -> bool {
    match &node.what {
        What::Action(action) => {
            let is_read = action.carried > 0 || is_telemetry(&action.event);
            is_read && node.refusal().is_none()
        }
        What::Llm(_) | What::Tool(_) | What::Told(_) => false,
    }
}

const DEEPEST: usize = 240;

#[cfg(test)]
mod tests;
