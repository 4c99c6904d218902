//! The command line of `ringfence budget`.

use clap::{Args, Subcommand, ValueEnum};
use ringfence_model::AgentName;

#[derive(Debug, Args)]
pub(crate) struct BudgetArguments {
    #[command(subcommand)]
    pub(crate) verb: BudgetVerb,
}

#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  ringfence budget list
  ringfence budget reset --agent claude --per day
  ringfence budget reset --all")]
pub(crate) enum BudgetVerb {
    /// List what agents have spent, and what they have left.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Give budgets anew before their time. What is set aside for requests under way stays so.
    Reset {
        #[command(flatten)]
        chosen: ChosenArguments,
        /// Only those that start anew so often [default: all].
        #[arg(long, value_name = "WINDOW", conflicts_with = "all")]
        per: Option<WindowName>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Whose budgets.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct ChosenArguments {
    /// Those of an agent.
    #[arg(long, value_name = "NAME")]
    pub(crate) agent: Option<AgentName>,
    /// Those that all agents with a profile share.
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Those that all agents share.
    #[arg(long)]
    pub(crate) workspace: bool,
    /// All of them. A ledger that is damaged is set aside, and a new one begun.
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WindowName {
    /// Each hour.
    Hour,
    /// Each day.
    Day,
    /// Each month.
    Month,
    /// Never.
    Total,
}
