//! `ringfence overlay`: what agents wrote into private copies.

use std::fs;
use std::path::PathBuf;

use anyhow::anyhow;
use ringfence_model::RunId;
use ringfence_sandbox::linux::overlay::{self, Manifest};
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

/// A run that keeps private copies.
#[derive(Serialize)]
struct Kept {
    run: RunId,
    workspace: PathBuf,
    changes: usize,
    #[serde(skip)]
    state: PathBuf,
}

/// The runs that keep any, the newest last: ids sort by time.
fn kept() -> Result<Vec<Kept>, Failure> {
    let runs = paths::runs().map_err(Failure::usage)?;
    let Ok(entries) = fs::read_dir(&runs) else {
        return Ok(Vec::new());
    };
    let mut kept: Vec<Kept> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let run = entry.file_name().to_str()?.parse().ok()?;
            let manifest = Manifest::read(&entry.path()).ok()?;
            let changes = manifest.changes().ok()?.len();
            (changes > 0).then(|| Kept {
                run,
                workspace: manifest.workspace,
                changes,
                state: entry.path(),
            })
        })
        .collect();
    kept.sort_by_key(|kept| kept.run);
    Ok(kept)
}

fn choose(run: Option<RunId>) -> Result<Kept, Failure> {
    let found = match run {
        Some(run) => kept()?.into_iter().find(|kept| kept.run == run),
        None => kept()?.pop(),
    };
    found.ok_or_else(|| {
        Failure::Usage(match run {
            Some(run) => anyhow!("run {run} keeps no private copies; see `ringfence overlay list`"),
            None => anyhow!("no run keeps private copies"),
        })
    })
}

fn list(json: bool) -> Result<i32, Failure> {
    let kept = kept()?;
    if json {
        output::json(&kept);
    } else if kept.is_empty() {
        output::say("no run keeps private copies");
    } else {
        let rows = kept
            .iter()
            .map(|kept| {
                vec![
                    kept.run.to_string(),
                    kept.changes.to_string(),
                    kept.workspace.display().to_string(),
                ]
            })
            .collect();
        output::table(&["run", "changes", "workspace"], rows);
    }
    Ok(0)
}

fn diff(run: Option<RunId>, json: bool) -> Result<i32, Failure> {
    let kept = choose(run)?;
    let changes = read(&kept)?.changes().map_err(Failure::internal)?;
    if json {
        output::json(&changes);
        return Ok(0);
    }
    for change in changes {
        output::line(&format!(
            "{} {}",
            change.kind.letter(),
            change.path.display()
        ));
        if let Some(source) = &change.source {
            output::line(&format!("    {}", source.display()));
        }
    }
    Ok(0)
}

fn apply(run: Option<RunId>) -> Result<i32, Failure> {
    let kept = choose(run)?;
    let applied = read(&kept)?.apply().map_err(|error| {
        Failure::Internal(
            anyhow::Error::new(error)
                .context("not everything was applied; nothing was thrown away"),
        )
    })?;
    overlay::discard(&kept.state).map_err(Failure::internal)?;
    for change in applied {
        output::line(&format!(
            "{} {}",
            change.kind.letter(),
            change.path.display()
        ));
    }
    Ok(0)
}

fn discard(run: Option<RunId>) -> Result<i32, Failure> {
    let kept = choose(run)?;
    overlay::discard(&kept.state).map_err(Failure::internal)?;
    output::line(&format!(
        "discarded {} changes of run {}",
        kept.changes, kept.run
    ));
    Ok(0)
}

fn read(kept: &Kept) -> Result<Manifest, Failure> {
    Manifest::read(&kept.state).map_err(Failure::internal)
}
