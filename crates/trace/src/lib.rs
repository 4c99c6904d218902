//! Traces: the records of a run as a tree of what the agent did. Pure: records go in, and a tree, its
//! spans and their encodings come out; nothing is sent from here.
//!
//! - [`Builder`] and [`Trace`]: which step asked for which tool, what the tool did on the network,
//!   and what came into the context for the next step; none of it needs the agent's help.
//! - [`spans`] and [`otlp`]: the same in the words of OpenTelemetry's GenAI conventions, which are
//!   all in [`names`].
//! - [`told`]: what the agent itself says, read strictly and kept apart from what was seen.
//! - [`Loops`]: an agent that repeats itself, seen while it runs.

#![forbid(unsafe_code)]

mod build;
mod context;
pub mod limits;
mod loops;
pub mod metrics;
pub mod names;
mod node;
pub mod otlp;
pub mod spans;
pub mod story;
pub mod told;
mod totals;

#[cfg(test)]
mod testing;

pub use build::{Builder, Draft, Trace};
pub use context::{Entry, Origin, Step};
pub use loops::{Finding, Loops};
pub use node::{ActionNode, LlmNode, Node, Run, ToldCounts, ToolEnd, ToolNode, What};
pub use totals::Totals;
