//! Traces that leave: where they are sent, and the exporter that does it while a run goes on. What
//! could not be sent is not lost: the records are, and `ringfence trace export` sends them later.

mod config;
mod exporter;
mod grpc;
mod limits;
mod owed;
mod sender;

pub use config::{Agents, Collector, CollectorError, Protocol, TraceConfig, from_environment};
pub use exporter::{Exporter, Report, Tee};
pub use owed::Owed;
pub use sender::{SendError, Sender, Taken};
