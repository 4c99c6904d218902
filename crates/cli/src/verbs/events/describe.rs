//! A record in one line for a person: time, decision or `note`, agent, what happened.

mod git;

use ringfence_model::{Action, Closing, Decision, Effect, NoticeKind, Outcome};
use ringfence_store::{StoredEvent, StoredNotice, StoredRecord};

/// The line of a record.
pub(super) fn record(record: &StoredRecord) -> String {
    match record {
        StoredRecord::Event(stored) => event(stored),
        StoredRecord::Notice(stored) => notice(stored),
    }
}

fn event(stored: &StoredEvent) -> String {
    let event = &stored.event;
    let decision = &event.decision;
    let ending = match &stored.closing {
        Some(closing) => ending(closing),
        None if decision.effect == Effect::Allow => " -> open".to_owned(),
        None => String::new(),
    };
    format!(
        "{} {:<5} {} {} ({}{}){ending}",
        event.time.strftime(TIME),
        decision.effect.to_string(),
        event.agent,
        action(stored),
        decision.reason,
        what_for(decision)
    )
}

fn action(stored: &StoredEvent) -> String {
    let facts = stored.closing.as_ref().and_then(|it| it.git.as_deref());
    match &stored.event.action {
        Action::Git(request) => git::request(request, facts),
        other @ (Action::Connect(_) | Action::Http(_) | Action::Llm(_) | Action::Mcp(_)) => {
            other.to_string()
        }
    }
}

/// Whether an allowed request reads or writes, and what it is sent with.
fn what_for(decision: &Decision) -> String {
    let access = decision
        .access
        .map(|access| format!(", {}", access.as_str()));
    let credential = decision.credential.as_ref();
    let credential = credential.map(|name| format!(", credential {name}"));
    access.unwrap_or_default() + &credential.unwrap_or_default()
}

fn ending(closing: &Closing) -> String {
    let outcome = match closing.outcome {
        Outcome::Done => "done".to_owned(),
        Outcome::Status(status) => status.to_string(),
        Outcome::Refused(code) => format!("refused: {code}"),
        Outcome::UpstreamFailed => "upstream failed".to_owned(),
        Outcome::TimedOut => "timed out".to_owned(),
        Outcome::Aborted => "aborted".to_owned(),
    };
    let detail = closing.detail.as_deref();
    let detail = detail.map_or_else(String::new, |detail| format!(": {detail}"));
    let facts = closing.git.as_deref().map(git::facts).unwrap_or_default();
    format!(
        " -> {outcome}{detail}, {} sent, {} received{facts}",
        closing.sent, closing.received
    )
}

fn notice(stored: &StoredNotice) -> String {
    let notice = &stored.notice;
    let what = match &notice.kind {
        NoticeKind::RunStarted {
            command,
            profiles,
            directory,
            hosted_by,
        } => {
            let by = match profiles.as_slice() {
                [] => String::new(),
                profiles => format!(" by {}", profiles.join(", ")),
            };
            let of = hosted_by.map_or_else(String::new, |run| format!(", a server of run {run}"));
            format!("run started in {directory}{by}{of}: {}", command.join(" "))
        }
        NoticeKind::RunEnded { exit_code } => format!("run ended with exit code {exit_code}"),
        NoticeKind::LayerOff { layer } => format!("the layer {layer} is off"),
        NoticeKind::PolicyLoaded { generation } => format!("policy {generation} is in force"),
        NoticeKind::PolicyRejected { error } => {
            format!("policy rejected, the one before stays in force: {error}")
        }
        NoticeKind::PushApproved { event, until } => {
            format!("a person approved the push of event {event} until {until}")
        }
        NoticeKind::PushRejected { event } => {
            format!("a person rejected the push of event {event}")
        }
        NoticeKind::CallApproved { event, until, by } => {
            format!("a person (user {by}) approved the call of event {event} until {until}, once")
        }
        NoticeKind::CallRejected { event, by } => {
            format!("a person (user {by}) rejected the call of event {event}")
        }
        NoticeKind::BudgetReset {
            budget,
            tokens,
            cost,
        } => format!(
            "a person gave a budget anew ({budget}); {tokens} tokens and {cost} USD of it were spent"
        ),
        NoticeKind::Told {
            spans,
            refused,
            dropped,
        } => format!(
            "the agent told of {} spans of its own; {refused} were refused, {dropped} requests with logs or metrics not kept",
            spans.len()
        ),
        NoticeKind::Finding { code, detail } => format!("finding {code}: {detail}"),
    };
    let time = notice.time.strftime(TIME);
    format!("{time} {:<5} {} {what}", "note", notice.agent)
}

/// Times are in UTC.
const TIME: &str = "%Y-%m-%d %H:%M:%S";
