//! The traces of a run: sent while it goes on, where somebody wants them.

use std::path::Path;

use ringfence_control::traces::{Collector, Exporter, Owed, Sender, Tee, from_environment};
use ringfence_model::RunId;

use crate::config::Settings;
use crate::failure::Failure;
use crate::output;

/// The exporter of a run, where there is a collector.
pub(crate) struct Traces(Option<Started>);

struct Started {
    exporter: Exporter,
    owed: Owed,
    run: RunId,
}

impl Traces {
    /// Starts the exporter. That there is no collector, or none that can be used, stops no run.
    pub(crate) fn start(settings: &Settings, data: &Path, run: RunId) -> Result<Self, Failure> {
        let named = match from_environment(|name| std::env::var(name).ok()) {
            Ok(named) => named,
            Err(error) => {
                output::error(&format!("traces are not sent there: {error}"));
                None
            }
        };
        if named.is_none() && settings.traces.endpoint.is_none() {
            return Ok(Self(None));
        }
        if let Some(collector) = &named {
            output::say(&format!(
                "ringfence: traces go to {}, as OTEL_EXPORTER_OTLP_ENDPOINT says",
                collector.shown()
            ));
        }
        let owed = Owed::new(data);
        owed.add(run).map_err(Failure::internal)?;
        let settings = settings.clone();
        let exporter = Exporter::start(async move { sender(named, &settings).await });
        let exporter = exporter.map_err(Failure::internal)?;
        Ok(Self(Some(Started {
            exporter,
            owed,
            run,
        })))
    }

    /// What takes the records of the run.
    pub(crate) fn tee(&self) -> Option<Tee> {
        self.0.as_ref().map(|it| it.exporter.tee())
    }

    /// Sends the rest, after the last record. Says what is owed.
    pub(crate) fn finish(self) {
        let Some(Started {
            exporter,
            owed,
            run,
        }) = self.0
        else {
            return;
        };
        let report = exporter.finish();
        if report.is_whole() {
            owed.settle(run);
        }
        let why = report.why.as_ref();
        let why = why.map_or_else(String::new, |why| format!(" ({why})"));
        if let Some(why) = &report.unmetered {
            output::error(&format!("the metrics of this run were not taken: {why}"));
        }
        if report.rejected > 0 {
            let count = report.rejected;
            output::error(&format!("the collector refused {count} spans{why}"));
        }
        if !report.is_whole() {
            output::error(&format!(
                "{} spans of this run were not sent, and {} records were missed{why}; `ringfence trace export {run}` sends all",
                report.unsent, report.missed
            ));
        }
    }
}

async fn sender(named: Option<Collector>, settings: &Settings) -> Result<Sender, String> {
    let collector = match named {
        Some(collector) => collector,
        None => {
            let configured = settings.traces.collector().await;
            let configured = configured.map_err(|error| error.to_string())?;
            configured.ok_or_else(|| "there is no collector".to_owned())?
        }
    };
    Sender::new(&settings.gateway, collector).map_err(|error| error.to_string())
}
