//! The end of a run: what was allowed, what was denied, what the agent left in private copies,
//! and what to do about it.

use std::fs;
use std::path::Path;

use ringfence_model::NoticeKind;
use ringfence_sandbox::linux::overlay::{self, Change, Manifest};
use ringfence_store::Counts;
use serde::Serialize;

use crate::args::RunArguments;
use crate::failure::Failure;
use crate::link::LocalAudit;
use crate::output;

/// What the agent wrote into private copies. Copies without changes are removed.
pub(super) fn private_changes(state: &Path, audit: &LocalAudit) -> Vec<Change> {
    let changes = Manifest::read(state)
        .and_then(|manifest| manifest.changes())
        .unwrap_or_default();
    if changes.is_empty() {
        let _ = overlay::discard(state);
    }
    for change in &changes {
        let _ = audit.record(NoticeKind::Finding {
            code: "private-copy-changed".to_owned(),
            detail: format!("{} {}", change.kind.letter(), change.path.display()),
        });
    }
    changes
}

#[derive(Serialize)]
struct Report<'a> {
    version: u16,
    exit_code: i32,
    counts: &'a Counts,
    private_changes: &'a [Change],
}

/// Prints the summary, and writes the report where one was asked for.
pub(super) fn finish(
    arguments: &RunArguments,
    counts: &Counts,
    changes: &[Change],
    code: i32,
) -> Result<(), Failure> {
    if let Some(path) = &arguments.json_report {
        let report = Report {
            version: 1,
            exit_code: code,
            counts,
            private_changes: changes,
        };
        let bytes = serde_json::to_vec_pretty(&report).map_err(Failure::internal)?;
        fs::write(path, bytes).map_err(|error| {
            Failure::Internal(
                anyhow::Error::new(error).context(format!("cannot write {}", path.display())),
            )
        })?;
    }
    if !arguments.quiet {
        summarise(counts, changes);
    }
    Ok(())
}

/// A run in which nothing was denied and nothing is pending ends without a word.
fn summarise(counts: &Counts, changes: &[Change]) {
    if counts.denied == 0 && changes.is_empty() {
        return;
    }
    output::say(&format!(
        "ringfence: {} allowed, {} denied",
        counts.allowed, counts.denied
    ));
    for denied in counts.denied_by_destination.iter().take(SHOWN) {
        let step = denied
            .next_step
            .as_deref()
            .map(|step| format!("  -> {step}"))
            .unwrap_or_default();
        output::say(&format!(
            "  denied {:>3}x {} ({}){step}",
            denied.count, denied.destination, denied.code
        ));
    }
    if counts.denied_by_destination.len() > SHOWN {
        output::say("  and more: see `ringfence denied`");
    }
    if !changes.is_empty() {
        output::say("  kept apart, because your own tools would run or trust it:");
        for change in changes.iter().take(SHOWN) {
            output::say(&format!(
                "    {} {}",
                change.kind.letter(),
                change.path.display()
            ));
        }
        output::say("  -> ringfence overlay diff, then overlay apply or overlay discard");
    }
}

/// Lines of each kind that a summary has at most.
const SHOWN: usize = 10;
