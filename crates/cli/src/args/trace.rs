//! The command line of `ringfence trace`.

use std::num::NonZeroU32;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use ringfence_model::{AgentName, RunId};

#[derive(Debug, Args)]
pub(crate) struct TraceArguments {
    #[command(subcommand)]
    pub(crate) verb: TraceVerb,
}

#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  ringfence trace list --since 7d
  ringfence trace show                                  the newest run, from its start to its end
  ringfence trace show --step 3                         what came into the context before step 3
  ringfence trace export --otlp http://localhost:4318   what no collector took yet")]
pub(crate) enum TraceVerb {
    /// List runs, and what they took.
    List {
        /// Only this agent's.
        #[arg(long, value_name = "NAME")]
        agent: Option<AgentName>,
        /// Only since then: 30m, 12h, 7d, or a time as 2026-01-31T12:00:00Z.
        #[arg(long, value_name = "T", value_parser = crate::verbs::since)]
        since: Option<Timestamp>,
        /// At most so many, the newest.
        #[arg(long, value_name = "N", default_value = "20")]
        limit: NonZeroU32,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show a run: its steps, the tools that they led to, what those did, what was denied.
    Show {
        /// The run [default: the newest].
        run: Option<RunId>,
        /// Only what came into the context before this step decided, and from where.
        #[arg(long, value_name = "N")]
        step: Option<NonZeroU32>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Send runs to an OpenTelemetry collector, by OTLP.
    #[command(
        after_help = "The collector is --otlp, else OTEL_EXPORTER_OTLP_ENDPOINT, else `[traces]` of the
configuration. To send a run twice does no harm: its spans keep their ids."
    )]
    Export(ExportArguments),
}

#[derive(Debug, Args)]
pub(crate) struct ExportArguments {
    /// The runs [default: those that no collector took as a whole].
    pub(crate) run: Vec<RunId>,
    /// The collector, for example http://localhost:4318.
    #[arg(long, value_name = "URL")]
    pub(crate) otlp: Option<String>,
    /// Speak gRPC with that collector, for example at http://localhost:4317.
    #[arg(long, requires = "otlp")]
    pub(crate) grpc: bool,
    /// Print OTLP in JSON instead, one request a line; without runs, of the newest.
    #[arg(long, conflicts_with = "otlp")]
    pub(crate) json: bool,
}
