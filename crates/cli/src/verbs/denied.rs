//! `ringfence denied`: what was stopped, grouped, with what would allow it.

use ringfence_model::Action;
use ringfence_store::Denial;

use crate::args::DeniedArguments;
use crate::failure::Failure;
use crate::output;

/// Runs the verb. Returns the exit code.
pub(crate) fn denied(arguments: &DeniedArguments) -> Result<i32, Failure> {
    let filter = arguments.filter.filter();
    let denials =
        super::with_store(async |store| store.denied(&filter).await.map_err(super::unavailable))?;
    if arguments.json {
        output::json(&denials);
        return Ok(0);
    }
    if denials.is_empty() {
        output::say("nothing was denied");
        return Ok(0);
    }
    let rows = denials
        .iter()
        .map(|denial| {
            vec![
                format!("{}x", denial.count),
                place(denial),
                denial.agent.to_string(),
                denial.reason.clone(),
                denial.last_seen.strftime("%Y-%m-%d %H:%M:%S").to_string(),
                denial.next_step.clone().unwrap_or_else(|| "-".to_owned()),
            ]
        })
        .collect();
    output::table(
        &[
            "count",
            "destination",
            "agent",
            "reason",
            "last seen",
            "to allow it",
        ],
        rows,
    );
    Ok(0)
}

/// The repository of what was done with git, else the destination.
fn place(denial: &Denial) -> String {
    match &denial.sample {
        Action::Git(request) => request.repo.to_string(),
        Action::Connect(_) | Action::Http(_) | Action::Llm(_) | Action::Mcp(_) => {
            denial.destination.to_string()
        }
    }
}
