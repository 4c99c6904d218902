//! The end of a run: what was allowed, what was denied, what the agent left in private copies,
//! and what to do about it.

mod file;

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ringfence_model::NoticeKind;
use ringfence_sandbox::linux::nested::{self, Nested};
use ringfence_sandbox::linux::overlay::{self, Change, Changes, Manifest};
use ringfence_store::{Counts, LlmCounts};
use serde::Serialize;

pub(super) use self::file::ReportFile;
use crate::args::RunArguments;
use crate::link::LocalAudit;
use crate::output;

/// What the agent wrote into private copies. Copies without changes are removed; those that
/// could not be looked at to the end are kept.
pub(super) fn private_changes(state: &Path, audit: &LocalAudit) -> Changes {
    let changes = match Manifest::read(state) {
        Ok(manifest) => manifest.changes(),
        // The sandbox's keeper looked, found none, and removed them.
        Err(error) if error.kind() == io::ErrorKind::NotFound && !state.exists() => {
            Changes::default()
        }
        Err(error) => Changes::unknown(format!("{} cannot be read: {error}", state.display())),
    };
    if changes.is_none() {
        let _ = overlay::discard(state);
    }
    for change in changes.list.iter().take(RECORDED) {
        find(audit, "private-copy-changed", describe(change));
    }
    let more = changes.list.len().saturating_sub(RECORDED);
    if more > 0 {
        find(audit, "private-copy-changed", format!("and {more} more"));
    }
    if let Some(why) = &changes.incomplete {
        find(audit, "private-copy-not-examined", why.clone());
    }
    changes
}

/// What the agent wrote under names that tools would trust, elsewhere in the workspace.
pub(super) fn nested(workspace: &Path, started: SystemTime, audit: &LocalAudit) -> Nested {
    let found = nested::find(workspace, started);
    for path in &found.repositories {
        find(audit, "nested-repository", path.display().to_string());
    }
    for path in &found.files {
        find(audit, "trusted-name-written", path.display().to_string());
    }
    if found.unlisted > 0 {
        let more = format!("and {} more", found.unlisted);
        find(audit, "trusted-name-written", more);
    }
    if found.incomplete {
        let workspace = workspace.display().to_string();
        find(audit, "workspace-not-examined", workspace);
    }
    found
}

/// What the agent left besides its work.
pub(super) struct Left {
    pub(super) changes: Changes,
    pub(super) nested: Nested,
    pub(super) is_overlay: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    version: u16,
    exit_code: i32,
    counts: &'a Counts,
    private_changes: &'a [Change],
    /// Why there may be more private changes.
    private_changes_incomplete: Option<&'a str>,
    repositories_written: Vec<String>,
    trusted_names_written: Vec<String>,
    /// Whether there may be more of the two above.
    workspace_incomplete: bool,
}

/// Prints the summary, and writes the report where one was asked for. The command has ended and
/// its exit code stands, so a report that cannot be written is only said.
pub(super) fn finish(
    arguments: &RunArguments,
    file: Option<&ReportFile>,
    counts: &Counts,
    left: &Left,
    code: i32,
) {
    if let Some(file) = file {
        let report = Report {
            version: 1,
            exit_code: code,
            counts,
            private_changes: &left.changes.list,
            private_changes_incomplete: left.changes.incomplete.as_deref(),
            repositories_written: texts(&left.nested.repositories),
            trusted_names_written: texts(&left.nested.files),
            workspace_incomplete: left.nested.incomplete || left.nested.unlisted > 0,
        };
        let written = serde_json::to_vec_pretty(&report)
            .map_err(anyhow::Error::new)
            .and_then(|content| file.write(&content));
        if let Err(error) = written {
            output::error(&format!("{error:#}"));
        }
    }
    if !arguments.quiet {
        summarise(counts, left);
    }
}

/// A run in which nothing was denied, spent or is pending ends without a word.
fn summarise(counts: &Counts, left: &Left) {
    if counts.llm.requests > 0 {
        output::say(&format!("ringfence: {}", spent(&counts.llm)));
    }
    if counts.denied == 0 && left.changes.is_none() && left.nested.is_none() {
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
        let repository = denied.repository.as_ref().map(ToString::to_string);
        let place = repository.unwrap_or_else(|| denied.destination.to_string());
        let text = format!("{place} ({}){step}", denied.code);
        output::say(&format!(
            "  denied {:>3}x {}",
            denied.count,
            output::name(&text)
        ));
    }
    if counts.denied_by_destination.len() > SHOWN {
        output::say("  and more: see `ringfence denied`");
    }
    summarise_private(left);
    summarise_nested(&left.nested);
}

/// What language models took, in one line.
fn spent(counts: &LlmCounts) -> String {
    let requests = if counts.requests == 1 {
        "request"
    } else {
        "requests"
    };
    let mut text = format!(
        "{} {requests} to models, {} tokens in, {} out, {} USD",
        counts.requests, counts.input_tokens, counts.output_tokens, counts.cost
    );
    if counts.estimated > 0 {
        text += &format!("; {} are upper bounds", counts.estimated);
    }
    if counts.without_price > 0 {
        text += &format!("; {} have no known price", counts.without_price);
    }
    text
}

fn summarise_private(left: &Left) {
    let changes = &left.changes;
    if changes.is_none() {
        return;
    }
    output::say(if left.is_overlay {
        "  kept apart by --overlay:"
    } else {
        "  kept apart, because your own tools would run or trust it:"
    });
    list(changes.list.iter().map(describe));
    if let Some(why) = &changes.incomplete {
        let why = output::name(why);
        output::say(&format!("    not looked at to the end: {why}"));
    }
    output::say("  -> ringfence overlay diff, then overlay apply or overlay discard");
}

fn summarise_nested(nested: &Nested) {
    for path in nested.repositories.iter().take(SHOWN) {
        output::say(&format!(
            "  a repository in {}: git would run what its configuration says",
            output::path(path)
        ));
    }
    let more = nested.repositories.len().saturating_sub(SHOWN);
    if more > 0 {
        output::say(&format!("  and {more} more repositories"));
    }
    if !nested.files.is_empty() {
        output::say("  new, and your tools would run or trust it if you went there:");
        list(nested.files.iter().map(|path| path.display().to_string()));
    }
    if nested.unlisted > 0 {
        output::say(&format!("  and {} more of these", nested.unlisted));
    }
    if nested.incomplete {
        output::say(
            "  the workspace could not be searched for such files to its end: it is too large or deep, or not readable",
        );
    }
}

fn list(lines: impl ExactSizeIterator<Item = String>) {
    let more = lines.len().saturating_sub(SHOWN);
    lines
        .take(SHOWN)
        .for_each(|line| output::say(&format!("    {}", output::name(&line))));
    if more > 0 {
        output::say(&format!("    and {more} more"));
    }
}

fn describe(change: &Change) -> String {
    format!("{} {}", change.kind.letter(), change.path.display())
}

fn texts(paths: &[PathBuf]) -> Vec<String> {
    let text = |path: &PathBuf| path.to_string_lossy().into_owned();
    paths.iter().map(text).collect()
}

fn find(audit: &LocalAudit, code: &str, detail: String) {
    let _ = audit.record(NoticeKind::Finding {
        code: code.to_owned(),
        detail,
    });
}

/// Lines of each kind that a summary has at most.
const SHOWN: usize = 10;
/// Changes of which each is recorded as an event of its own.
const RECORDED: usize = 100;

#[cfg(test)]
mod tests;
