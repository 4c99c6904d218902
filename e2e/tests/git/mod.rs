//! Git as agents use it: real clients in sandboxes, a real server behind the gateway, and what is upstream afterwards.

mod approval;
mod clients;
mod commits;
mod concurrent;
mod config;
mod contents;
mod foreign;
mod forge;
mod hidden;
mod hostile;
mod large;
mod lfs;
mod paths;
mod push;
mod raw;
mod read;
mod record;
mod refs;
mod room;
mod said;
mod ssh;
