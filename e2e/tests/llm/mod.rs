//! Language models as agents use them: real agents and libraries in sandboxes, a provider behind the gateway that is faithful on the
//! wire, and what reached it afterwards.

mod agents;
mod budgets;
mod collector;
mod lab;
mod refused;
mod secrets;
mod streams;
mod traces;
mod ways;
