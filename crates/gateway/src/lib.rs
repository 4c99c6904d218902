//! The data plane: the only way out of a sandbox.
//!
//! One pipeline serves every protocol: a connection arrives on a listener that is the agent's
//! identity, an [`Action`](ringfence_model::Action) is formed, [`Gateway::decide`] asks the
//! policy and opens the audit event, and only the [`Permit`] that it returns leads to a dialled
//! upstream. Protocol knowledge beyond TLS hellos, HTTP/1, SOCKS5 and DNS lives in the crate
//! above, behind [`Handler`].

mod config;
mod dial;
mod forward;
pub mod http;
pub mod intercept;
pub mod limits;
mod listen;
mod outbound;
pub mod peek;
mod pipeline;
pub mod relay;
mod stream;
mod tls;
pub mod wire;

pub use config::{Config, ConfigError, DialConfig, HostTarget, Hosts, UpstreamProxy};
pub use dial::{DialError, Dialled};
pub use forward::UpstreamPool;
pub use limits::Limits;
pub use listen::{Arrival, Capture, Handler, Incoming, Listeners, ServeError};
pub use outbound::{Outbound, OutboundError, OwnRequest, OwnResponse, OwnUrl};
pub use pipeline::{
    Admission, Answer, Audit, AuditError, ClientCertificate, CredentialError, Credentials, Failure,
    Gateway, Identity, Injection, Material, Meter, Need, NoCredentials, Permit, Place, Refusal,
    Reserved, Session, SigV4, Stopped, TOKEN_OCTETS, TOKEN_PREFIX, TokenEntry, TokenFault, Tokens,
    Transport, without_tokens,
};
pub use ringfence_policy::Reading;
pub use stream::Buffered;
pub use tls::TlsError;

#[cfg(test)]
mod testing;
