//! Git over HTTP: at the servers' own addresses, and by short names at `git.ringfence.internal`.
//!
//! A request is read strictly ([`find`], `ringfence-git`), decided on as an action of git, and
//! written anew. What is pushed lies on disk until all of it was looked at; what is fetched streams.

mod advertise;
mod alias;
mod checked;
mod disk;
mod driven;
mod fetch;
mod filtered;
mod find;
mod heard;
mod lfs;
mod limits;
mod proof;
mod push;
mod say;
mod service;
mod shown;
mod spool;
mod status;

pub(crate) use find::{Found, look_up};
pub(crate) use service::Client;
