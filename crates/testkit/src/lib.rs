//! What the end-to-end tests stand on: a certificate authority, real servers on 127.0.0.1, recorders, and an unprivileged user.
//!
//! Everything here is started by a test, lives in that test's [`Workdir`] and ends with it. Nothing here ships.

pub mod api;
pub mod ca;
pub mod git;
pub mod github;
pub mod http;
pub mod issuer;
pub mod lfs;
pub mod llm;
pub mod mcp;
pub mod nginx;
pub mod poll;
pub mod port;
pub mod postgres;
pub mod process;
pub mod redis;
pub mod ssh;
pub mod tcp;
pub mod udp;
pub mod user;
pub mod workdir;

pub use ca::Ca;
pub use user::User;
pub use workdir::Workdir;
