//! How the data plane is wired to where policy comes from and events go to. Today that is this
//! machine: files and the local spool.

pub(crate) mod credentials;
mod local;
mod watch;

pub(crate) use credentials::LocalCredentials;
pub(crate) use local::{Link, LocalAudit};
