//! The arguments of `ringfence approvals`, `approve` and `reject`, and of the same below `git`.

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use ringfence_model::EventId;

#[derive(Debug, Args)]
pub(crate) struct ApprovalsArguments {
    /// Only those that were tried since then: 30m, 12h, 7d, or a time as 2026-01-31T12:00:00Z.
    #[arg(long, value_name = "T", default_value = "7d", value_parser = crate::verbs::since)]
    pub(crate) since: Timestamp,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  ringfence approvals
  ringfence approve 0192f0c1-0000-7000-9000-000000000001 --for 15m")]
pub(crate) struct ApproveArguments {
    /// The event of the push or call, as the agent and the list of approvals show it.
    #[arg(value_name = "EVENT")]
    pub(crate) event: EventId,
    /// For so long: 30m, 12h, 7d.
    #[arg(long = "for", value_name = "TIME", default_value = "1h", value_parser = crate::verbs::duration)]
    pub(crate) lasting: SignedDuration,
}

#[derive(Debug, Args)]
pub(crate) struct RejectArguments {
    /// The event of the push or call.
    #[arg(value_name = "EVENT")]
    pub(crate) event: EventId,
}
