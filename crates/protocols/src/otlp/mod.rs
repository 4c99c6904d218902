//! What agents tell of themselves: a receiver of OTLP over HTTP at `otel.ringfence.internal`, inside
//! the sandbox. Spans in the trace of the run are recorded as the agent's word, in short
//! (`ringfence-trace`, `told`); logs and metrics are taken, so that no client complains, and not kept.
//! Nothing goes on from here.

mod limits;
mod read;
mod service;

use ringfence_model::{Destination, OTEL_SERVICE};

pub(crate) use service::Client;

/// Whether `destination` is the receiver.
pub(crate) fn is_receiver(destination: &Destination) -> bool {
    let name = destination.host.name();
    name.is_some_and(|name| name.as_str() == OTEL_SERVICE)
}
