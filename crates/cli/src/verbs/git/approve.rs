//! `ringfence git approvals`, `approve` and `reject`: pushes that wait for a person.

use jiff::Timestamp;
use ringfence_control::approvals::{self, HeldPush, ReplyError};
use ringfence_model::EventId;
use ringfence_model::git::{GitOperation, RefUpdate};

use super::super::{unavailable, with_store};
use crate::args::approval::{ApprovalsArguments, ApproveArguments, RejectArguments};
use crate::failure::Failure;
use crate::{output, paths};

/// Lists what waits. Returns the exit code.
pub(crate) fn list(arguments: &ApprovalsArguments) -> Result<i32, Failure> {
    let data = paths::data().map_err(Failure::usage)?;
    let now = Timestamp::now();
    let held = with_store(async |store| {
        let held = approvals::held(&store, &data, arguments.since, now).await;
        held.map_err(unavailable)
    })?;
    if arguments.json {
        output::json(&held);
        return Ok(0);
    }
    if held.is_empty() {
        output::say("no push waits for a person");
    }
    for push in &held {
        show(push);
    }
    Ok(0)
}

/// Lets one push pass. Returns the exit code.
pub(crate) fn approve(arguments: &ApproveArguments) -> Result<i32, Failure> {
    let mut push = find(arguments.event)?;
    let data = paths::data().map_err(Failure::usage)?;
    let now = Timestamp::now();
    let until = now.checked_add(arguments.lasting).map_err(Failure::usage)?;
    approvals::approve(&data, &push, until, now).map_err(refused)?;
    push.approved_until = Some(until);
    show(&push);
    Ok(0)
}

/// Lets one push not pass, whatever was said to it before. Returns the exit code.
pub(crate) fn reject(arguments: &RejectArguments) -> Result<i32, Failure> {
    let push = find(arguments.event)?;
    let data = paths::data().map_err(Failure::usage)?;
    approvals::reject(&data, &push, Timestamp::now()).map_err(refused)?;
    output::line(&format!(
        "rejected: the push of {} to {}",
        push.agent, push.push.repo
    ));
    Ok(0)
}

fn find(event: EventId) -> Result<HeldPush, Failure> {
    with_store(async |store| approvals::find(&store, event).await.map_err(refused))
}

pub(in crate::verbs) fn refused(error: ReplyError) -> Failure {
    match error {
        ReplyError::Unknown(_) | ReplyError::NotHeld(_) | ReplyError::Used(_) => {
            Failure::usage(error)
        }
        ReplyError::Store(_) | ReplyError::Record(_) => Failure::Unavailable(error.into()),
    }
}

/// All that a reply is about, and nothing shortened: what is shown is what passes.
pub(in crate::verbs) fn show(push: &HeldPush) {
    let state = match push.approved_until {
        Some(until) => format!("approved until {}", until.strftime(TIME)),
        None => "waits".to_owned(),
    };
    output::line(&format!(
        "{} {state}: {} pushes to {} at {}, {}",
        push.event,
        push.agent,
        output::name(&push.push.repo.to_string()),
        push.push.destination,
        push.time.strftime(TIME),
    ));
    let GitOperation::Push {
        updates,
        options,
        atomic,
    } = &push.push.operation
    else {
        return;
    };
    for update in updates {
        output::line(&format!("  {}", changed(push, update)));
    }
    for option in options {
        output::line(&format!("  with the option {}", output::name(option)));
    }
    if *atomic {
        output::line("  all of it or nothing");
    }
    let counts = [
        (push.facts.commits, "commits"),
        (push.facts.objects, "objects"),
        (push.facts.pack_octets, "octets"),
    ];
    let counts: Vec<String> = counts
        .iter()
        .filter_map(|(count, of)| count.map(|count| format!("{count} {of}")))
        .collect();
    if !counts.is_empty() {
        output::line(&format!("  {} in the pack", counts.join(", ")));
    }
}

/// `fast-forward refs/heads/x from OLD to NEW`.
fn changed(push: &HeldPush, update: &RefUpdate) -> String {
    let proven = push.facts.updates.iter();
    let proven = proven.clone().find(|proven| proven.name == update.name);
    let change = proven.map_or(update.change, |proven| proven.change);
    let change = change.as_str();
    let name = output::name(update.name.as_str());
    match (update.old.is_null(), update.new.is_null()) {
        (true, _) => format!("{change} {name} at {}", update.new),
        (false, true) => format!("{change} {name}, which is at {}", update.old),
        (false, false) => format!("{change} {name} from {} to {}", update.old, update.new),
    }
}

/// Times are in UTC.
pub(in crate::verbs) const TIME: &str = "%Y-%m-%d %H:%M:%SZ";
