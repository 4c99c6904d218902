//! Git's formats, read strictly and written anew: what a client and a server say to each other,
//! and the packs that they send. Pure: this crate opens no connection and decides nothing.
//!
//! - [`wire`]: packet lines, advertisements, requests, push commands, reports.
//! - [`pack`]: a pack in a file: its objects, checked and bounded; which commits and paths are new.

#![forbid(unsafe_code)]

pub mod limits;
pub mod pack;
pub mod wire;
