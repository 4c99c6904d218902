//! Language models: at the providers' own addresses, and by short names at
//! `llm.ringfence.internal`.
//!
//! A request is read strictly (`ringfence-llm`), decided on as a request to a model, and sent on as
//! it was written, but for what its rule changes. Its answer streams through as it comes, and is
//! read beside that: what it took, which tools the model called, what is new in the context.

mod find;
mod hints;
mod limits;
mod memory;
mod models;
mod read;
pub(crate) mod redact;
mod sent;
mod service;
mod spend;
mod taken;
pub(crate) mod throttle;
mod watched;
mod words;

pub(crate) use find::{Found, look_up};
pub(crate) use redact::clean;
pub(crate) use service::Client;
