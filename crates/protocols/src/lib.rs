//! The protocols that agents speak, one folder each. An adapter classifies what came into an
//! action, lets the gateway decide and carry it, and puts a refusal into the protocol's own
//! words. It has no way out of its own: what is dialled, the gateway dials, with a permit.

#![forbid(unsafe_code)]

pub mod api;
pub mod egress;
mod git;
pub mod hosted;
mod llm;
mod mcp;
mod otlp;
