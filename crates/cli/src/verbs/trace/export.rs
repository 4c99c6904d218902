//! `ringfence trace export`: what was recorded, sent to a collector later, or again.

use std::time::Duration;

use anyhow::anyhow;
use ringfence_control::traces::{
    Collector, Owed, Protocol, SendError, Sender, Taken, from_environment,
};
use ringfence_model::RunId;
use ringfence_store::Store;
use ringfence_trace::Trace;
use ringfence_trace::otlp::{octets_of, traces_json};
use ringfence_trace::spans::{Span, of_node, of_run};

use crate::args::trace::ExportArguments;
use crate::config::Settings;
use crate::failure::Failure;
use crate::{output, paths};

/// Sends or prints the runs.
pub(super) async fn export(
    store: &Store,
    asked: &ExportArguments,
    settings: &Settings,
) -> Result<i32, Failure> {
    if asked.json {
        return print(store, &asked.run).await;
    }
    let owed = Owed::new(&paths::data().map_err(Failure::usage)?);
    let runs = match asked.run.as_slice() {
        [] => recorded(store, &owed).await?,
        runs => runs.to_vec(),
    };
    if runs.is_empty() {
        output::say("nothing waits to be sent; `ringfence trace export RUN` sends a run again");
        return Ok(0);
    }
    let collector = collector(asked, settings).await?;
    let sender = Sender::new(&settings.gateway, collector).map_err(Failure::usage)?;
    for run in runs {
        let trace = super::read(store, run).await?;
        let (sent, Taken { rejected, words }) = send(&sender, &trace).await?;
        owed.settle(run);
        let words = words.map_or_else(String::new, |words| format!(" ({words})"));
        let rejected = match rejected {
            0 => words,
            count => format!(", {count} rejected{words}"),
        };
        output::line(&format!(
            "run {run}: {sent} spans sent to {}{rejected}",
            sender.shown()
        ));
    }
    Ok(0)
}

/// The runs that owe, without those that ended before anything of them was recorded.
async fn recorded(store: &Store, owed: &Owed) -> Result<Vec<RunId>, Failure> {
    let mut runs = Vec::new();
    for run in owed.runs() {
        let page = store.records_of(run, 0).await;
        if page.map_err(crate::verbs::unavailable)?.is_empty() {
            owed.settle(run);
        } else {
            runs.push(run);
        }
    }
    Ok(runs)
}

/// The flag, else the environment, else the configuration.
async fn collector(asked: &ExportArguments, settings: &Settings) -> Result<Collector, Failure> {
    if let Some(address) = &asked.otlp {
        let protocol = if asked.grpc {
            Protocol::Grpc
        } else {
            Protocol::Http
        };
        return Collector::at(address, protocol).map_err(Failure::usage);
    }
    let named = from_environment(|name| std::env::var(name).ok());
    if let Some(collector) = named.map_err(Failure::usage)? {
        return Ok(collector);
    }
    let configured = settings.traces.collector().await;
    configured.map_err(Failure::usage)?.ok_or_else(|| {
        Failure::Usage(anyhow!(
            "no collector is named: use --otlp URL, OTEL_EXPORTER_OTLP_ENDPOINT or `[traces] endpoint` of the configuration"
        ))
    })
}

async fn print(store: &Store, runs: &[RunId]) -> Result<i32, Failure> {
    let runs = match runs {
        [] => vec![super::chosen(store, None).await?],
        runs => runs.to_vec(),
    };
    for run in runs {
        let trace = super::read(store, run).await?;
        for batch in batches(&trace) {
            output::json(&traces_json(&batch, env!("CARGO_PKG_VERSION")));
        }
    }
    Ok(0)
}

async fn send(sender: &Sender, trace: &Trace) -> Result<(u64, Taken), Failure> {
    let (mut sent, mut all) = (0, Taken::default());
    for batch in batches(trace) {
        let count = batch.len() as u64;
        let Taken { rejected, words } = send_batch(sender, &batch).await?;
        sent += count.saturating_sub(rejected);
        all.rejected += rejected.min(count);
        all.words = words.or(all.words);
    }
    Ok((sent, all))
}

/// Tries a few times; the collector says what is worth it.
async fn send_batch(sender: &Sender, batch: &[Span]) -> Result<Taken, Failure> {
    let mut tries = 1;
    loop {
        match sender.send(batch).await {
            Ok(taken) => return Ok(taken),
            Err(SendError::Later { after, .. }) if tries < TRIES => {
                tokio::time::sleep(after.unwrap_or(PAUSE)).await;
                tries += 1;
            }
            Err(error) => {
                let error = anyhow::Error::new(error).context("the spans were not taken");
                return Err(Failure::Unavailable(error));
            }
        }
    }
}

/// The spans of a run in requests of bounded size, that of the run itself first.
fn batches(trace: &Trace) -> Vec<Vec<Span>> {
    let root = of_run(&trace.run, &trace.totals);
    let nodes = trace.nodes.iter().map(|node| of_node(&trace.run, node));
    let mut batches: Vec<Vec<Span>> = Vec::new();
    let mut octets = usize::MAX;
    for span in std::iter::once(root).chain(nodes) {
        let size = octets_of(&span);
        match batches.last_mut() {
            Some(batch) if batch.len() < BATCH_SPANS && octets < BATCH_OCTETS => batch.push(span),
            _ => {
                batches.push(vec![span]);
                octets = 0;
            }
        }
        octets += size;
    }
    batches
}

const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_secs(1);
const BATCH_SPANS: usize = 512;
const BATCH_OCTETS: usize = 1024 * 1024;
