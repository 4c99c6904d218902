//! Metrics of one run for Prometheus: counted from its records as they are written, and served to
//! whoever scrapes this host. They are in no agent's reach, and what an agent says becomes the value
//! of a label only within bounds.

mod budgets;
mod config;
mod counters;
mod endpoint;
mod exposition;
mod families;
mod limits;
mod words;

pub use config::{Listen, ListenError, MetricsConfig};
pub use counters::Metrics;
pub use endpoint::{Endpoint, EndpointError};

#[cfg(test)]
mod testing;
