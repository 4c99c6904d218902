//! `ringfence events`, `events verify` and `events export`.

mod describe;

use std::time::Duration;

use anyhow::anyhow;
use ringfence_store::{Format, Store, StoredRecord, Verification};

use crate::args::{EventsArguments, EventsVerb, ExportFormat, FilterArguments};
use crate::failure::Failure;
use crate::output;

/// Runs the verb. Returns the exit code.
pub(crate) fn events(arguments: EventsArguments) -> Result<i32, Failure> {
    match arguments.verb {
        None => super::with_store(async |store| list(&store, &arguments).await),
        Some(EventsVerb::Verify { json }) => {
            super::with_store(async |store| verify(&store, json).await)
        }
        Some(EventsVerb::Export { format, filter }) => {
            super::with_store(async |store| export(&store, format, &filter).await)
        }
    }
}

async fn list(store: &Store, arguments: &EventsArguments) -> Result<i32, Failure> {
    let mut filter = arguments.filter.filter();
    // The newest by time need not be the last in the log, so both bound what was shown.
    let mut last = store.last_seq().await.map_err(super::unavailable)?;
    let mut found = store.records(&filter).await.map_err(super::unavailable)?;
    loop {
        show(&found, arguments.json);
        if !arguments.follow {
            return Ok(0);
        }
        last = found.iter().map(StoredRecord::seq).fold(last, u64::max);
        filter.after_seq = Some(last);
        tokio::time::sleep(POLL).await;
        super::take_in(store).await;
        found = store.records(&filter).await.map_err(super::unavailable)?;
    }
}

fn show(records: &[StoredRecord], json: bool) {
    for record in records {
        if json {
            output::json(record);
        } else {
            output::line(&output::name(&describe::record(record)));
        }
    }
}

async fn verify(store: &Store, json: bool) -> Result<i32, Failure> {
    let verification = store.verify().await.map_err(super::unavailable)?;
    if json {
        output::json(&verification);
    }
    match verification {
        Verification::Verified(verified) => {
            if !json {
                output::line(&format!(
                    "the chain is whole: {} records, head {}",
                    verified.count, verified.head
                ));
                if verified.pending > 0 {
                    output::line(&format!(
                        "{} more are in logs of runs that still go on",
                        verified.pending
                    ));
                }
                for path in &verified.set_aside {
                    output::line(&format!("set aside earlier as damaged: {}", path.display()));
                }
            }
            Ok(0)
        }
        Verification::Broken(broken) => {
            let place = broken
                .spool
                .map_or_else(String::new, |run| format!(" of run {run}"));
            Err(Failure::Refused(anyhow!(
                "the chain is broken at record {}{place}: {}",
                broken.seq,
                broken.why
            )))
        }
    }
}

async fn export(
    store: &Store,
    format: ExportFormat,
    filter: &FilterArguments,
) -> Result<i32, Failure> {
    let format = match format {
        ExportFormat::Ocsf => Format::Ocsf,
        ExportFormat::Jsonl => Format::Jsonl,
    };
    let mut export = store.export(&filter.filter(), format);
    loop {
        let page = export.next_page().await.map_err(super::unavailable)?;
        if page.is_empty() {
            return Ok(0);
        }
        page.iter().for_each(output::json);
    }
}

/// How long a followed record waits at most before it is shown.
const POLL: Duration = Duration::from_millis(200);
