//! One step: what came into the context before the model decided, and from where.

use super::line::{beside, call, item, what_was_done};
use super::words::{octets, shown};
use crate::build::Trace;
use crate::context::{Entry, Origin, Step};
use crate::node::{Node, ToolNode, What};

/// A step in lines. None where the run has none of this number.
#[must_use]
pub fn step(trace: &Trace, number: u32) -> Option<Vec<String>> {
    let step = trace.step(number)?;
    let tools = super::tools(trace);
    let mut lines = vec![heading(&step)];
    if step.entered.is_empty() {
        lines.push("nothing new came into its context".to_owned());
    } else {
        lines.push("what came into its context before it decided:".to_owned());
    }
    for (position, entry) in step.entered.iter().enumerate() {
        lines.push(format!("{:>4}. {}", position + 1, item(entry.item, &tools)));
        lines.push(format!("      digest {}", shown(&entry.item.text.digest)));
        lines.extend(origin(entry).into_iter().map(|it| format!("      {it}")));
    }
    lines.extend(decision(&step));
    Some(lines)
}

fn heading(step: &Step<'_>) -> String {
    let event = &step.asked.event;
    let time = event.time.strftime("%Y-%m-%d %H:%M:%S UTC");
    let request = step.asked.request();
    let model = request.and_then(|it| it.model.as_deref()).unwrap_or("?");
    let purpose = step.asked.facts().and_then(|facts| facts.purpose);
    let purpose = purpose.and_then(beside);
    let purpose = purpose.map_or_else(String::new, |it| format!(" ({it})"));
    let number = step.step;
    format!(
        "step {number}: {}{purpose}, {time}, event {}",
        shown(model),
        event.id
    )
}

fn decision(step: &Step<'_>) -> Vec<String> {
    let Some(facts) = step.asked.facts() else {
        return vec!["what it answered is not recorded".to_owned()];
    };
    let mut lines = Vec::new();
    if let Some(answer) = facts.answer.as_ref().filter(|it| it.octets > 0) {
        let text = answer.text.as_deref().map(shown);
        let text = text.map_or_else(String::new, |text| format!(": {text}"));
        lines.push(format!("it answered {}{text}", octets(answer.octets)));
    }
    let calls = facts.calls.iter();
    lines.extend(calls.map(|it| format!("it asked for {}", call(it))));
    if lines.is_empty() {
        lines.push("it answered nothing".to_owned());
    }
    lines
}

fn origin(entry: &Entry<'_>) -> Vec<String> {
    match &entry.from {
        Origin::Program => vec!["from the program that runs the agent".to_owned()],
        Origin::Person => vec!["from a person, or the program in their name".to_owned()],
        Origin::Model => vec!["from the model itself".to_owned()],
        Origin::UnknownTool => vec!["from a tool that no recorded answer asked for".to_owned()],
        Origin::Tool {
            tool,
            milliseconds,
            meanwhile,
        } => from_tool(tool, *milliseconds, meanwhile),
    }
}

fn from_tool(tool: &ToolNode, milliseconds: Option<u64>, meanwhile: &[&Node]) -> Vec<String> {
    let step = tool
        .step
        .map_or_else(|| "?".to_owned(), |it| it.to_string());
    let took = milliseconds.map(|it| format!(", which took at most {} ms", super::number(it)));
    let took = took.unwrap_or_default();
    let mut lines = vec![format!(
        "from {}{took}, asked for in step {step}",
        call(&tool.call)
    )];
    if tool.together > 1 {
        lines.push("other tools ran at the same time".to_owned());
    }
    let done: Vec<String> = meanwhile.iter().filter_map(|node| done(node)).collect();
    if done.is_empty() {
        lines.push("nothing was seen on the network meanwhile".to_owned());
    } else {
        lines.push("meanwhile:".to_owned());
        lines.extend(done.into_iter().map(|it| format!("  {it}")));
    }
    lines
}

/// What happened on the network; not connections whose requests are listed.
fn done(node: &Node) -> Option<String> {
    let (event, closing) = match &node.what {
        What::Action(action) if action.carried > 0 && node.refusal().is_none() => return None,
        What::Action(action) => (&action.event, &action.closing),
        What::Llm(asked) => (&asked.event, &asked.closing),
        What::Tool(_) | What::Told(_) => return None,
    };
    let done = what_was_done(event, closing.as_ref());
    Some(format!("{done}, event {}", event.id))
}
