//! The data plane: the only way out of a sandbox.
//!
//! One pipeline serves every protocol: a connection arrives on a listener that is the agent's
//! identity, an [`Action`](ringfence_model::Action) is formed, [`Gateway::decide`] asks the
//! policy and opens the audit event, and only the [`Permit`] that it returns leads to a dialled
//! upstream. Protocol knowledge beyond TLS hellos, HTTP/1, SOCKS5 and DNS lives in the crate
//! above, behind [`Handler`].

mod calm;
mod config;
mod dial;
mod forward;
pub mod http;
pub mod intercept;
pub mod limits;
mod listen;
mod local;
mod outbound;
pub mod peek;
mod pipeline;
pub mod relay;
mod stream;
mod tls;
pub mod wire;

pub use config::{Config, ConfigError, DialConfig, HostTarget, Hosts, UpstreamProxy};
pub use dial::{DialError, Dialled};
pub use forward::{GitQuestion, Unanswered, UpstreamPool, UpstreamTasks, sign_own};
pub use limits::Limits;
pub use listen::{Arrival, Capture, Handler, Incoming, Listeners, ServeError};
pub use outbound::{Outbound, OutboundError, OwnRequest, OwnResponse, OwnUrl};
pub use pipeline::{
    Admission, Answer, Approval, Approvals, Audit, AuditError, ClientCertificate, CredentialError,
    Credentials, Failure, Gateway, GitNote, Identity, Injection, Material, Meter, Need,
    NoApprovals, NoCredentials, NoteHold, Permit, Place, Refusal, Reserved, Session, SigV4,
    Stopped, TOKEN_OCTETS, TOKEN_PREFIX, TokenEntry, TokenFault, Tokens, Transport, without_tokens,
};
pub use ringfence_policy::Reading;

/// What policy says about git, for its adapter.
pub mod git {
    pub use crate::forward::{LfsHref, Unusable};
    pub use ringfence_policy::{ChangedFile, ChangedFiles, GitDenial, GitTerms, PushFacts};
}

pub use stream::Buffered;
pub use tls::TlsError;

#[cfg(test)]
mod testing;
