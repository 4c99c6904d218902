//! The end of a run: what was allowed, what was denied, what the agent left in private copies,
//! and what to do about it.

use std::fs;
use std::path::{Path, PathBuf};

use ringfence_model::NoticeKind;
use ringfence_sandbox::linux::nested::Nested;
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

/// What the agent left besides its work.
pub(super) struct Left {
    pub(super) changes: Vec<Change>,
    pub(super) nested: Nested,
    pub(super) is_overlay: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    version: u16,
    exit_code: i32,
    counts: &'a Counts,
    private_changes: &'a [Change],
    trusted_names_written: &'a [PathBuf],
}

/// Prints the summary, and writes the report where one was asked for.
pub(super) fn finish(
    arguments: &RunArguments,
    counts: &Counts,
    left: &Left,
    code: i32,
) -> Result<(), Failure> {
    if let Some(path) = &arguments.json_report {
        let report = Report {
            version: 1,
            exit_code: code,
            counts,
            private_changes: &left.changes,
            trusted_names_written: &left.nested.files,
        };
        let bytes = serde_json::to_vec_pretty(&report).map_err(Failure::internal)?;
        fs::write(path, bytes).map_err(|error| {
            Failure::Internal(
                anyhow::Error::new(error).context(format!("cannot write {}", path.display())),
            )
        })?;
    }
    if !arguments.quiet {
        summarise(counts, left);
    }
    Ok(())
}

/// A run in which nothing was denied and nothing is pending ends without a word.
fn summarise(counts: &Counts, left: &Left) {
    if counts.denied == 0 && left.changes.is_empty() && left.nested.files.is_empty() {
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
    if !left.changes.is_empty() {
        output::say(if left.is_overlay {
            "  kept apart by --overlay:"
        } else {
            "  kept apart, because your own tools would run or trust it:"
        });
        list(
            left.changes
                .iter()
                .map(|change| format!("{} {}", change.kind.letter(), change.path.display())),
        );
        output::say("  -> ringfence overlay diff, then overlay apply or overlay discard");
    }
    if !left.nested.files.is_empty() {
        output::say("  new, and your tools would run or trust it if you went there:");
        list(
            left.nested
                .files
                .iter()
                .map(|path| path.display().to_string()),
        );
    }
    if left.nested.incomplete {
        output::say("  the workspace is too large to be searched for such files to its end");
    }
}

fn list(lines: impl ExactSizeIterator<Item = String>) {
    let more = lines.len().saturating_sub(SHOWN);
    lines
        .take(SHOWN)
        .for_each(|line| output::say(&format!("    {line}")));
    if more > 0 {
        output::say(&format!("    and {more} more"));
    }
}

/// Lines of each kind that a summary has at most.
const SHOWN: usize = 10;
