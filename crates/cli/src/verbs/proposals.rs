//! `ringfence proposals`: what agents ask for. They asked; nothing is allowed until a person changes
//! a profile.

use ringfence_gateway::Proposal;
use ringfence_model::{AgentName, NoticeKind, RunId};
use ringfence_store::{Filter, StoredNotice};
use serde::Serialize;

use crate::args::ProposalsArguments;
use crate::failure::Failure;
use crate::output;

/// What an agent asks for. Its JSON is a promise.
#[derive(Debug, Serialize)]
struct Shown {
    time: jiff::Timestamp,
    agent: AgentName,
    run: RunId,
    #[serde(flatten)]
    proposal: Proposal,
}

/// Runs the verb. Returns the exit code.
pub(crate) fn proposals(arguments: &ProposalsArguments) -> Result<i32, Failure> {
    let filter = Filter {
        agent: arguments.agent.clone(),
        since: arguments.since,
        limit: Some(u32::MAX),
        ..Filter::default()
    };
    let notices =
        super::with_store(async |store| store.notices(&filter).await.map_err(super::unavailable))?;
    let shown: Vec<Shown> = notices.into_iter().filter_map(proposal).collect();
    if arguments.json {
        output::json(&shown);
        return Ok(0);
    }
    if shown.is_empty() {
        output::say("no agent asks for anything");
        return Ok(0);
    }
    shown.iter().for_each(tell);
    output::say("nothing of it is allowed: what you agree to, write into a profile");
    Ok(0)
}

fn proposal(stored: StoredNotice) -> Option<Shown> {
    let notice = stored.notice;
    match notice.kind {
        NoticeKind::Finding { code, detail } if code == Proposal::FINDING => Some(Shown {
            time: notice.time,
            agent: notice.agent,
            run: notice.run,
            proposal: serde_json::from_str(&detail).ok()?,
        }),
        _ => None,
    }
}

/// Each text of the agent's stands in a line of its own, which says whose it is.
fn tell(shown: &Shown) {
    let Proposal {
        event,
        tried,
        reason,
        rule,
        next_step,
        words,
    } = &shown.proposal;
    let time = shown.time.strftime("%Y-%m-%d %H:%M:%S");
    output::line(&output::name(&format!(
        "{time} {} wants {tried}",
        shown.agent
    )));
    output::line(&output::name(&format!(
        "  denied: {reason} (event {event})"
    )));
    output::line(&output::name(&format!("  the agent says: {words:?}")));
    if let Some(rule) = rule {
        output::line(&output::name(&format!("  narrowest rule: - {rule}")));
    }
    if let Some(next_step) = next_step {
        output::line(&output::name(&format!("  next step: {next_step}")));
    }
}
