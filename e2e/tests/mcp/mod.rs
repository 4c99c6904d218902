//! Servers of the Model Context Protocol as agents use them: the official conformance suite, the official clients and a coding agent in
//! sandboxes, and a server that lies, leaks and never ends.

mod agents;
mod approval;
mod bounds;
mod clients;
mod conformance;
mod frames;
mod hosted;
mod lab;
mod login;
mod matrix;
mod own;
mod pins;
mod policy;
mod readers;
mod secrets;
mod sessions;
mod stray;
mod tools;
pub(crate) mod tools_desk;
mod trace;
