//! SSH toward git servers. The server is the one whose key is pinned, always: there is no way to
//! skip that, and no key is learnt. A connection runs one program and opens nothing else.

mod algorithms;
mod connect;
mod error;
mod identity;
mod pinned;
mod remote;
mod tether;

pub(crate) use connect::{Connection, Server};
pub use error::{SshError, SshKeyError};
pub(crate) use identity::SshIdentity;
pub use identity::check_ssh_key;
pub use pinned::check_host_key;
pub(crate) use remote::{Input, InputError, Program, Remote};
