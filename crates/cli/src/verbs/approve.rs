//! `ringfence approvals`, `approve` and `reject`: whatever waits for a person, pushes and calls of
//! tools alike.

use jiff::Timestamp;
use ringfence_control::approvals::call::{self, HeldCall};
use ringfence_control::approvals::{self, HeldPush, ReplyError};
use ringfence_model::EventId;
use serde::Serialize;

use super::git::approve::{TIME, refused, show as show_push};
use super::{unavailable, with_store};
use crate::args::approval::{ApprovalsArguments, ApproveArguments, RejectArguments};
use crate::failure::Failure;
use crate::{output, paths};

/// What waits.
enum Held {
    Push(Box<HeldPush>),
    Call(Box<HeldCall>),
}

/// All that waits. Its JSON is a promise.
#[derive(Serialize)]
struct Waiting {
    pushes: Vec<HeldPush>,
    calls: Vec<HeldCall>,
}

/// Lists what waits. Returns the exit code.
pub(crate) fn list(arguments: &ApprovalsArguments) -> Result<i32, Failure> {
    let data = paths::data().map_err(Failure::usage)?;
    let (since, now) = (arguments.since, Timestamp::now());
    let waiting = with_store(async |store| {
        let pushes = approvals::held(&store, &data, since, now).await;
        let calls = call::held(&store, &data, since, now).await;
        Ok(Waiting {
            pushes: pushes.map_err(unavailable)?,
            calls: calls.map_err(unavailable)?,
        })
    })?;
    if arguments.json {
        output::json(&waiting);
        return Ok(0);
    }
    if waiting.pushes.is_empty() && waiting.calls.is_empty() {
        output::say("nothing waits for a person");
    }
    waiting.pushes.iter().for_each(show_push);
    waiting.calls.iter().for_each(show_call);
    Ok(0)
}

/// Lets a push pass, or a call once. Returns the exit code.
pub(crate) fn approve(arguments: &ApproveArguments) -> Result<i32, Failure> {
    let held = find(arguments.event)?;
    let data = paths::data().map_err(Failure::usage)?;
    let now = Timestamp::now();
    let until = now.checked_add(arguments.lasting).map_err(Failure::usage)?;
    match held {
        Held::Push(mut push) => {
            approvals::approve(&data, &push, until, now).map_err(refused)?;
            push.approved_until = Some(until);
            show_push(&push);
        }
        Held::Call(mut call) => {
            call::approve(&data, &call, until, now).map_err(refused)?;
            call.approved_until = Some(until);
            show_call(&call);
        }
    }
    Ok(0)
}

/// Lets it not pass, whatever was said before. Returns the exit code.
pub(crate) fn reject(arguments: &RejectArguments) -> Result<i32, Failure> {
    let held = find(arguments.event)?;
    let data = paths::data().map_err(Failure::usage)?;
    let now = Timestamp::now();
    let what = match held {
        Held::Push(push) => {
            approvals::reject(&data, &push, now).map_err(refused)?;
            format!("the push of {} to {}", push.agent, push.push.repo)
        }
        Held::Call(call) => {
            call::reject(&data, &call, now).map_err(refused)?;
            format!("the call of {} by {}", called(&call), call.agent)
        }
    };
    output::line(&format!("rejected: {what}"));
    Ok(0)
}

fn find(event: EventId) -> Result<Held, Failure> {
    with_store(async |store| match approvals::find(&store, event).await {
        Ok(push) => Ok(Held::Push(Box::new(push))),
        Err(ReplyError::NotHeld(_)) => {
            let call = call::find(&store, event).await.map_err(refused)?;
            Ok(Held::Call(Box::new(call)))
        }
        Err(error) => Err(refused(error)),
    })
}

/// All that the server gets, and nothing shortened: what is shown is what passes.
fn show_call(call: &HeldCall) {
    let state = match call.approved_until {
        Some(until) => format!("approved until {}, once", until.strftime(TIME)),
        None => "waits".to_owned(),
    };
    output::line(&format!(
        "{} {state}: {} calls {} at {}, {}",
        call.event,
        call.agent,
        called(call),
        call.request.destination,
        call.time.strftime(TIME),
    ));
    output::line(&format!("  with {}", output::name(&call.call)));
}

fn called(call: &HeldCall) -> String {
    let tool = call.request.target.as_deref().unwrap_or_default();
    format!("{} of {}", output::name(tool), call.request.server)
}
