//! One node in a few lines: the first says what it is, what it took and what was decided; further
//! ones what came into the context and what the model answered.

use jiff::Timestamp;
use ringfence_model::llm::{ContextItem, ContextKind, LlmFacts, Purpose, ToolCall};
use ringfence_model::mcp::McpFacts;
use ringfence_model::{Action, Closing, Event, Outcome, Told};

use super::Tools;
use super::words::{self, excerpt, octets, shown};
use crate::node::{ActionNode, LlmNode, Node, ToolEnd, ToolNode, What};

/// The lines of a node that happened `times` in a row.
pub(super) fn node(node: &Node, times: usize, tools: &Tools<'_>) -> Vec<String> {
    match &node.what {
        What::Llm(asked) => llm(node, asked, tools),
        What::Tool(it) => tool(node, it),
        What::Action(it) => vec![action(node, it, times)],
        What::Told(it) => vec![told(node, it)],
    }
}

/// Actions in a row that read the same, as one.
pub(super) fn folded(nodes: Vec<&Node>) -> Vec<(&Node, usize)> {
    let mut folded: Vec<(&Node, usize, Option<String>)> = Vec::new();
    for node in nodes {
        let label = match &node.what {
            What::Action(it) => Some(what_was_done(&it.event, it.closing.as_ref())),
            What::Llm(_) | What::Tool(_) | What::Told(_) => None,
        };
        match folded.last_mut() {
            Some((_, times, before)) if label.is_some() && *before == label => *times += 1,
            _ => folded.push((node, 1, label)),
        }
    }
    folded
        .into_iter()
        .map(|(node, times, _)| (node, times))
        .collect()
}

fn took(start: Timestamp, end: Option<Timestamp>) -> String {
    end.map_or_else(|| "open".to_owned(), |end| words::duration(start, end))
}

fn llm(node: &Node, asked: &LlmNode, tools: &Tools<'_>) -> Vec<String> {
    let mut lines = vec![asked_line(node, asked)];
    let Some(facts) = asked.facts() else {
        return lines;
    };
    let came = came_in(facts, tools);
    if !came.is_empty() {
        lines.push(format!("came in: {}", came.join("; ")));
    }
    lines.extend(
        facts
            .answer
            .as_ref()
            .filter(|it| it.octets > 0)
            .map(|it| format!("answered {}", words::text(it))),
    );
    if !facts.calls.is_empty() {
        let calls: Vec<String> = facts.calls.iter().map(call).collect();
        lines.push(format!("asked for {}", calls.join("; ")));
    }
    let found = facts.findings.iter().take(SHOWN);
    lines.extend(found.map(|it| format!("found in the request: {}", shown(it))));
    lines
}

/// What came into a context, in few words: what the model said before is in its own step, and texts of
/// one kind that no rule captures are one.
fn came_in(facts: &LlmFacts, tools: &Tools<'_>) -> Vec<String> {
    let mut came = Vec::new();
    for kind in [ContextKind::System, ContextKind::User, ContextKind::Media] {
        let of = facts.new.iter().filter(|it| it.kind == kind);
        let (texts, bare): (Vec<_>, Vec<_>) = of.partition(|it| it.text.text.is_some());
        match bare.as_slice() {
            [] => {}
            [one] => came.push(item(one, tools)),
            [first, ..] => {
                let sum = bare.iter().map(|it| it.text.octets).sum();
                let (kind, count) = (kind_of(first, tools), bare.len());
                came.push(format!("{kind}, {} in {count} texts", octets(sum)));
            }
        }
        came.extend(texts.into_iter().map(|it| item(it, tools)));
    }
    let results = facts.new.iter();
    let results = results.filter(|it| it.kind == ContextKind::ToolResult);
    came.extend(results.map(|it| item(it, tools)));
    came
}

fn asked_line(node: &Node, asked: &LlmNode) -> String {
    let step = asked.step.map(|step| format!("step {step}: "));
    let mut line = step.unwrap_or_default();
    let Some(request) = asked.request() else {
        return line;
    };
    let model = request
        .model
        .as_deref()
        .unwrap_or(request.endpoint.as_str());
    line.push_str(&format!("{} of {}", shown(model), request.provider));
    if request.model.is_some() && !request.endpoint.is_inference() {
        line.push_str(&format!(" ({})", request.endpoint));
    }
    let nothing = LlmFacts::default();
    let facts = asked.facts().unwrap_or(&nothing);
    if let Some(purpose) = facts.purpose.and_then(beside) {
        line.push_str(&format!(" ({purpose})"));
    }
    if let Some(agent) = facts.agents.first().filter(|agent| *agent != MAIN) {
        line.push_str(&format!(" for {}", shown(agent)));
    }
    if !asked.event.decision.is_allow() {
        return format!("{line}  {}", denied(&asked.event));
    }
    let mut about = vec![took(node.start, node.end)];
    if let Some(first) = facts.first_octets_us.filter(|_| request.stream) {
        about.push(format!("first after {} ms", words::number(first / 1000)));
    }
    about.extend(facts.usage.as_ref().map(words::tokens));
    let most = if facts.estimated { "at most " } else { "" };
    about.extend(facts.cost.map(|cost| format!("{most}${cost}")));
    if !request.hosted.is_empty() {
        let hosted: Vec<String> = request.hosted.iter().map(ToString::to_string).collect();
        about.push(format!("by the provider itself: {}", hosted.join(" ")));
    }
    if facts.redacted > 0 {
        about.push(format!("{} redacted", words::number(facts.redacted)));
    }
    about.extend(asked.closing.as_ref().and_then(|it| trouble(it, facts)));
    format!("{line}  {}", about.join(", "))
}

/// What a request was for that is no step of the work.
pub(super) const fn beside(purpose: Purpose) -> Option<&'static str> {
    match purpose {
        Purpose::Step => None,
        Purpose::Title => Some("a title"),
        Purpose::Summary => Some("a summary"),
        Purpose::Routing => Some("a choice beside the work"),
        Purpose::Probe => Some("a probe"),
    }
}

/// What went wrong with a request to a model.
fn trouble(closing: &Closing, facts: &LlmFacts) -> Option<String> {
    let failure = facts.failure.as_ref().map(|failure| {
        let message = match excerpt(&failure.message) {
            nothing if nothing.is_empty() => nothing,
            message => format!(": {message}"),
        };
        let wait = failure.retry_after.map(|it| format!(" (again in {it} s)"));
        let kind = shown(&failure.kind);
        format!("{kind}{message}{}", wait.unwrap_or_default())
    });
    let outcome = match closing.outcome {
        Outcome::Status(200) | Outcome::Done => None,
        _ => Some(ending(closing)),
    };
    match (outcome, failure) {
        (None, None) => None,
        (Some(one), None) | (None, Some(one)) => Some(format!("FAILED: {one}")),
        (Some(outcome), Some(failure)) => Some(format!("FAILED: {outcome}, {failure}")),
    }
}

/// One item of a context in a few words.
pub(super) fn item(item: &ContextItem, tools: &Tools<'_>) -> String {
    let failed = if item.is_error { " that failed" } else { "" };
    let kind = kind_of(item, tools);
    format!("{kind}{failed}, {}", words::text(&item.text))
}

fn kind_of(item: &ContextItem, tools: &Tools<'_>) -> String {
    let known = || tools.get(item.call.as_deref()?).copied();
    let name = item.name.as_deref().or_else(known).map(shown);
    match item.kind {
        ContextKind::System => "instructions".to_owned(),
        ContextKind::User => "from the user".to_owned(),
        ContextKind::Assistant => "its own words".to_owned(),
        ContextKind::ToolCall => format!("its call of {}", name.as_deref().unwrap_or("a tool")),
        ContextKind::ToolResult => match name {
            Some(name) => format!("result of {name}"),
            None => "result of a tool".to_owned(),
        },
        ContextKind::Media => "media".to_owned(),
    }
}

pub(super) fn call(call: &ToolCall) -> String {
    let name = shown(&call.name);
    match &call.arguments.text {
        Some(text) => format!("{name} {}", excerpt(text)),
        None => format!("{name} ({})", octets(call.arguments.octets)),
    }
}

fn tool(node: &Node, tool: &ToolNode) -> Vec<String> {
    let name = shown(&tool.call.name);
    let took = took(node.start, node.end);
    let ended = match &tool.ended {
        ToolEnd::Result { item, .. } if item.is_error => {
            format!("FAILED, gave {}", octets(item.text.octets))
        }
        ToolEnd::Result { item, .. } => format!("gave {}", octets(item.text.octets)),
        ToolEnd::Abandoned => "its result was never given".to_owned(),
        ToolEnd::Unknown => "its end was not seen".to_owned(),
    };
    let together = match tool.together {
        0 | 1 => String::new(),
        count => format!(
            ", beside {}",
            words::count(count as u64 - 1, "other", "others")
        ),
    };
    let timed = match tool.told {
        Some(_) => " as the agent says",
        None => "",
    };
    vec![format!("tool {name}  {took}{timed}{together}, {ended}")]
}

/// What the agent says of itself. The words before the name are ours alone.
fn told(node: &Node, told: &Told) -> String {
    let took = took(node.start, node.end);
    let mut about = vec![took];
    about.extend(told.tool.as_ref().map(|it| format!("tool {}", shown(it))));
    about.extend(told.decision.as_ref().map(|it| shown(it)));
    if told.failed {
        about.push("FAILED".to_owned());
    }
    format!(
        "the agent says: {}  {}",
        shown(&told.name),
        about.join(", ")
    )
}

fn action(node: &Node, action: &ActionNode, times: usize) -> String {
    let done = what_was_done(&action.event, action.closing.as_ref());
    let took = match (times, action.event.decision.is_allow()) {
        (1, true) => format!("  {}", took(node.start, node.end)),
        (1, false) => String::new(),
        _ => format!("  {times} times"),
    };
    let by = match action.candidates.as_slice() {
        [] => String::new(),
        names => format!(", by {}", shown(&names.join(" or "))),
    };
    format!("{done}{took}{by}")
}

/// An action, what was decided, and how it ended.
pub(super) fn what_was_done(event: &Event, closing: Option<&Closing>) -> String {
    let action = match &event.action {
        Action::Llm(request) => request.to_string(),
        other => other.to_string(),
    };
    let action = shown(&action);
    if !event.decision.is_allow() {
        return format!("{action}  {}", denied(event));
    }
    let rule = event.decision.rule.as_ref();
    let rule = rule.map(|rule| format!(" by {}", shown(&rule.0)));
    let rule = rule.unwrap_or_default();
    match closing {
        None => format!("{action}  allowed{rule}"),
        Some(closing) => {
            let received = octets(closing.received);
            format!(
                "{action}  allowed{rule}, {}, {received} back{}",
                ending(closing),
                closing.mcp.as_deref().map(answered).unwrap_or_default()
            )
        }
    }
}

/// What a server of the Model Context Protocol made of a message, and who approved it.
fn answered(facts: &McpFacts) -> String {
    let mut said = String::new();
    if let Some(approved) = &facts.approved {
        said.push_str(&format!(", approved by user {}", approved.by));
    }
    if let Some(code) = facts.error {
        said.push_str(&format!(", FAILED: error {code}"));
    } else if facts.tool_failed {
        said.push_str(", FAILED: the tool says so");
    }
    if facts.redacted > 0 {
        said.push_str(&format!(", {} redacted", words::number(facts.redacted)));
    }
    said
}

fn denied(event: &Event) -> String {
    let decision = &event.decision;
    let step = decision.next_step.as_deref();
    let step = step.map(|step| format!(" -> {}", shown(step)));
    format!(
        "DENIED: {}{}",
        shown(&decision.reason),
        step.unwrap_or_default()
    )
}

fn ending(closing: &Closing) -> String {
    let outcome = match closing.outcome {
        Outcome::Done => "done".to_owned(),
        Outcome::Status(status) => status.to_string(),
        Outcome::Refused(code) => format!("REFUSED: {code}"),
        Outcome::UpstreamFailed => "the upstream failed".to_owned(),
        Outcome::TimedOut => "timed out".to_owned(),
        Outcome::Aborted => "broken off".to_owned(),
    };
    match &closing.detail {
        Some(detail) => format!("{outcome}: {}", shown(detail)),
        None => outcome,
    }
}

/// What Codex calls the agent that all others are below.
const MAIN: &str = "/root";
/// Findings of one request that are listed.
const SHOWN: usize = 8;
