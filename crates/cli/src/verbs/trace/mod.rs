//! `ringfence trace list`, `trace show` and `trace export`.

mod export;
mod list;

use anyhow::anyhow;
use ringfence_model::RunId;
use ringfence_store::Store;
use ringfence_trace::{Draft, Trace, story};

use crate::args::trace::{TraceArguments, TraceVerb};
use crate::config::Settings;
use crate::failure::Failure;
use crate::output;

/// Runs the verb. Returns the exit code.
pub(crate) fn trace(arguments: TraceArguments, settings: &Settings) -> Result<i32, Failure> {
    match arguments.verb {
        TraceVerb::List {
            agent,
            since,
            limit,
            json,
        } => super::with_store(async |store| {
            let runs = store.newest_runs(agent.as_ref(), since, limit.get()).await;
            list::list(&store, &runs.map_err(super::unavailable)?, json).await
        }),
        TraceVerb::Show { run, step, json } => super::with_store(async |store| {
            let run = chosen(&store, run).await?;
            let trace = read(&store, run).await?;
            match step {
                Some(step) => show_step(&trace, step.get(), json),
                None => show(&trace, json),
            }
        }),
        TraceVerb::Export(asked) => {
            super::with_store(async |store| export::export(&store, &asked, settings).await)
        }
    }
}

/// The run that was asked for, else the newest.
async fn chosen(store: &Store, run: Option<RunId>) -> Result<RunId, Failure> {
    if let Some(run) = run {
        return Ok(run);
    }
    let newest = store.newest_runs(None, None, 1).await;
    let newest = newest.map_err(super::unavailable)?;
    newest
        .first()
        .copied()
        .ok_or_else(|| Failure::Usage(anyhow!("there is no run yet")))
}

/// The trace of a run that there must be.
async fn read(store: &Store, run: RunId) -> Result<Trace, Failure> {
    let unknown = || Failure::Usage(anyhow!("there is no run {run}"));
    find(store, run).await?.ok_or_else(unknown)
}

/// The trace of a run. None where nothing of it was recorded.
async fn find(store: &Store, run: RunId) -> Result<Option<Trace>, Failure> {
    let mut draft = Draft::default();
    each(store, run, |record| draft.feed(record)).await?;
    Ok(draft.finish())
}

/// Gives out the records of a run in order.
async fn each(
    store: &Store,
    run: RunId,
    mut take: impl FnMut(&ringfence_model::Record),
) -> Result<(), Failure> {
    let mut after = 0;
    loop {
        let page = store.records_of(run, after).await;
        let page = page.map_err(super::unavailable)?;
        let Some((last, _)) = page.last() else {
            return Ok(());
        };
        after = *last;
        page.iter().for_each(|(_, record)| take(record));
    }
}

fn show(trace: &Trace, json: bool) -> Result<i32, Failure> {
    if json {
        output::json(trace);
    } else {
        story::run(trace).iter().for_each(|line| output::line(line));
    }
    Ok(0)
}

fn show_step(trace: &Trace, number: u32, json: bool) -> Result<i32, Failure> {
    let unknown = || Failure::Usage(anyhow!("run {} has no step {number}", trace.run.run));
    if json {
        output::json(&trace.step(number).ok_or_else(unknown)?);
    } else {
        let lines = story::step(trace, number).ok_or_else(unknown)?;
        lines.iter().for_each(|line| output::line(line));
    }
    Ok(0)
}
