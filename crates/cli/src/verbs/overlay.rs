//! `ringfence overlay`: what agents wrote into private copies.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use ringfence_model::RunId;
use ringfence_sandbox::linux::overlay::{self, Change, Changes, Manifest};
use serde::Serialize;

use crate::args::{OverlayArguments, OverlayVerb};
use crate::failure::Failure;
use crate::{output, paths};

/// Runs the verb. Returns the exit code.
pub(crate) fn overlay(arguments: &OverlayArguments) -> Result<i32, Failure> {
    match &arguments.verb {
        OverlayVerb::List { json } => list(*json),
        OverlayVerb::Diff { run, json } => diff(*run, *json),
        OverlayVerb::Apply { run } => apply(*run),
        OverlayVerb::Discard { run } => discard(*run),
    }
}

/// Throws away what the runs in `workspace` keep that have ended.
pub(super) fn forget(workspace: &Path) {
    for (_, state) in states().unwrap_or_default() {
        let is_there = |manifest: Manifest| manifest.workspace == workspace;
        if Manifest::read(&state).is_ok_and(is_there) {
            let _ = overlay::discard(&state);
        }
    }
}

/// A run that keeps private copies.
#[derive(Serialize)]
struct Kept {
    run: RunId,
    /// As text, because a path need not be UTF-8.
    workspace: String,
    changes: usize,
    running: bool,
    /// Why there may be more changes.
    incomplete: Option<String>,
    #[serde(skip)]
    state: PathBuf,
    #[serde(skip)]
    found: Vec<Change>,
}

impl Kept {
    /// What is kept in `state`; none where the agent wrote nothing.
    fn read(run: RunId, state: PathBuf) -> Option<Self> {
        let manifest = Manifest::read(&state).ok()?;
        let changes = manifest.changes();
        if changes.is_none() {
            return None;
        }
        let Changes { list, incomplete } = changes;
        Some(Self {
            run,
            workspace: manifest.workspace.to_string_lossy().into_owned(),
            changes: list.len(),
            // Where it cannot be known, it is left alone.
            running: overlay::is_alive(&state).unwrap_or(true),
            incomplete,
            state,
            found: list,
        })
    }

    fn status(&self) -> &'static str {
        match (self.running, &self.incomplete) {
            (true, _) => "running",
            (false, Some(_)) => "not looked at to the end",
            (false, None) => "ended",
        }
    }
}

/// The directories of all runs, the newest last: ids sort by time.
fn states() -> Result<Vec<(RunId, PathBuf)>, Failure> {
    let runs = paths::runs().map_err(Failure::usage)?;
    let Ok(entries) = fs::read_dir(&runs) else {
        return Ok(Vec::new());
    };
    let mut states: Vec<(RunId, PathBuf)> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
        .collect();
    states.sort();
    Ok(states)
}

/// The run that is asked for, or the newest that keeps anything.
fn choose(run: Option<RunId>) -> Result<Kept, Failure> {
    let found = states()?
        .into_iter()
        .rev()
        .filter(|(id, _)| run.is_none_or(|run| run == *id))
        .find_map(|(id, state)| Kept::read(id, state));
    found.ok_or_else(|| {
        Failure::Usage(match run {
            Some(run) => anyhow!("run {run} keeps no private copies; see `ringfence overlay list`"),
            None => anyhow!("no run keeps private copies"),
        })
    })
}

/// Like [`choose`], for a run whose private copies nobody writes any more.
fn choose_ended(run: Option<RunId>) -> Result<Kept, Failure> {
    let kept = choose(run)?;
    if kept.running {
        return Err(Failure::Usage(anyhow!(
            "run {} is not over; what it keeps can be taken over or thrown away when it is",
            kept.run
        )));
    }
    Ok(kept)
}

fn list(json: bool) -> Result<i32, Failure> {
    let kept: Vec<Kept> = states()?
        .into_iter()
        .filter_map(|(run, state)| Kept::read(run, state))
        .collect();
    if json {
        output::json(&kept);
        return Ok(0);
    }
    if kept.is_empty() {
        output::say("no run keeps private copies");
        return Ok(0);
    }
    let rows = kept
        .iter()
        .map(|kept| {
            vec![
                kept.run.to_string(),
                kept.changes.to_string(),
                kept.status().to_owned(),
                kept.workspace.clone(),
            ]
        })
        .collect();
    output::table(&["run", "changes", "state", "workspace"], rows);
    Ok(0)
}

fn diff(run: Option<RunId>, json: bool) -> Result<i32, Failure> {
    let kept = choose(run)?;
    if json {
        output::json(&kept.found);
    } else {
        for change in &kept.found {
            show(change);
            if let Some(source) = &change.source {
                output::line(&format!("    {}", output::path(source)));
            }
        }
    }
    if let Some(why) = &kept.incomplete {
        output::say(&format!(
            "not looked at to the end: {}; the rest is in {}",
            output::name(why),
            output::path(&kept.state)
        ));
    }
    Ok(0)
}

fn apply(run: Option<RunId>) -> Result<i32, Failure> {
    let kept = choose_ended(run)?;
    let applied = overlay::apply(&kept.state)
        .context("not everything was applied; nothing was thrown away")
        .map_err(Failure::Internal)?;
    overlay::discard(&kept.state).map_err(Failure::internal)?;
    applied.iter().for_each(show);
    Ok(0)
}

fn discard(run: Option<RunId>) -> Result<i32, Failure> {
    let kept = choose_ended(run)?;
    overlay::discard(&kept.state).map_err(Failure::internal)?;
    output::line(&format!(
        "discarded {} changes of run {}",
        kept.changes, kept.run
    ));
    Ok(0)
}

fn show(change: &Change) {
    output::line(&format!(
        "{} {}",
        change.kind.letter(),
        output::path(&change.path)
    ));
}
