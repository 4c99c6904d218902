//! `ringfence events`, `events verify` and `events export`.

use std::time::Duration;

use anyhow::anyhow;
use ringfence_model::{Effect, Outcome};
use ringfence_store::{Format, Store, StoredEvent, Verification};

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
    let found = store.events(&filter).await.map_err(super::unavailable)?;
    show(&found, arguments.json);
    if !arguments.follow {
        return Ok(0);
    }
    let mut last = match found.last() {
        Some(event) => event.seq,
        None => store.last_seq().await.map_err(super::unavailable)?,
    };
    loop {
        tokio::time::sleep(POLL).await;
        super::take_in(store).await;
        filter.after_seq = Some(last);
        let found = store.events(&filter).await.map_err(super::unavailable)?;
        show(&found, arguments.json);
        last = found.last().map_or(last, |event| event.seq);
    }
}

fn show(events: &[StoredEvent], json: bool) {
    for event in events {
        if json {
            output::json(event);
        } else {
            output::line(&output::name(&describe(event)));
        }
    }
}

fn describe(stored: &StoredEvent) -> String {
    let event = &stored.event;
    let decision = &event.decision;
    let mut text = format!(
        "{} {:<5} {} {} ({})",
        event.time.strftime("%Y-%m-%d %H:%M:%S"),
        decision.effect.to_string(),
        event.agent,
        event.action,
        decision.reason
    );
    if let Some(closing) = &stored.closing {
        let outcome = match closing.outcome {
            Outcome::Done => "done".to_owned(),
            Outcome::Status(status) => status.to_string(),
            Outcome::Refused(code) => format!("refused: {code}"),
            Outcome::UpstreamFailed => "upstream failed".to_owned(),
            Outcome::TimedOut => "timed out".to_owned(),
            Outcome::Aborted => "aborted".to_owned(),
        };
        let detail = closing
            .detail
            .as_deref()
            .map(|detail| format!(": {detail}"))
            .unwrap_or_default();
        text.push_str(&format!(
            " -> {outcome}{detail}, {} sent, {} received",
            closing.sent, closing.received
        ));
    } else if decision.effect == Effect::Allow {
        text.push_str(" -> open");
    }
    text
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

/// How long a followed event waits at most before it is shown.
const POLL: Duration = Duration::from_millis(200);
