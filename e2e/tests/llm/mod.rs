//! Language models as agents use them: real agents and libraries in sandboxes, a provider behind the gateway that is faithful on the
//! wire, and what reached it afterwards.

pub(crate) mod agents;
mod budgets;
mod clouds;
mod collector;
mod lab;
mod metrics;
mod refused;
mod sdks;
mod secrets;
mod smuggled;
mod socket;
mod streams;
mod telemetry;
mod traces;
mod ways;
