//! The data plane: the only way out of a sandbox.
//!
//! One pipeline serves every protocol: a connection arrives on a listener that is the agent's
//! identity, an [`Action`](ringfence_model::Action) is formed, [`Gateway::decide`] asks the
//! policy and opens the audit event, and only the [`Permit`] that it returns leads to a dialled
//! upstream. Protocol knowledge beyond TLS hellos, HTTP/1, SOCKS5 and DNS lives in the crate
//! above, behind [`Handler`].

mod config;
mod dial;
pub mod http;
pub mod limits;
mod listen;
pub mod peek;
mod pipeline;
pub mod relay;
mod stream;
pub mod wire;

pub use config::{Config, ConfigError, DialConfig, HostTarget, Hosts, UpstreamProxy};
pub use dial::{DialError, Dialled};
pub use limits::Limits;
pub use listen::{Arrival, Capture, Handler, Incoming, Listeners, ServeError};
pub use pipeline::{
    Audit, AuditError, Failure, Gateway, Identity, Meter, Permit, Place, Refusal, Session, Stopped,
    Transport,
};
pub use stream::Buffered;

#[cfg(test)]
mod testing;
