//! The data plane: the only way out of a sandbox.
//!
//! One pipeline serves every protocol: a connection arrives on a listener that is the agent's
//! identity, an [`Action`](ringfence_model::Action) is formed, [`Gateway::decide`] asks the
//! policy and opens the audit event, and only the [`Permit`] that it returns leads to a dialled
//! upstream. Protocol knowledge beyond TLS, HTTP, SOCKS5, DNS and the handshake of SSH lives in the
//! crate above, behind [`Handler`].

mod calm;
mod config;
mod dial;
mod forward;
pub mod http;
mod inbound;
pub mod intercept;
pub mod limits;
mod listen;
mod local;
mod outbound;
pub mod peek;
mod pipeline;
pub mod relay;
pub mod ssh;
mod stream;
mod tls;
pub mod wire;

pub use config::{Config, ConfigError, DialConfig, HostTarget, Hosts, UpstreamProxy};
pub use dial::{DialError, Dialled};
pub use forward::{GitQuestion, Unanswered, UpstreamPool, UpstreamTasks, sign_own};
pub use inbound::{OwnAnswer, OwnQuestion, serve_own};
pub use limits::Limits;
pub use listen::{Arrival, Capture, Handler, Incoming, Listeners, ServeError};
pub use outbound::{Outbound, OutboundError, OwnRequest, OwnResponse, OwnUrl};
pub use pipeline::{
    Admission, Answer, Approval, Approvals, Audit, AuditError, Budgets, Charge, ClientCertificate,
    CredentialError, Credentials, Denied, Failure, Gateway, GitNote, HeldCall, Hosted,
    HostedAnswer, Identity, Injection, Material, McpView, Meter, Need, NoApprovals, NoBudgets,
    NoCredentials, NoHosted, NoPins, NotAsked, NotReserved, NoteHold, Permit, PinKind, PinState,
    Pins, PinsUnavailable, Place, PolicyChanges, Ports, Proposal, Refusal, Reservation, Reserved,
    SeenDefinition, SeenDefinitions, Session, Settle, SigV4, SshKey, Stopped, TOKEN_OCTETS,
    TOKEN_PREFIX, Taken, TokenEntry, TokenFault, Tokens, Transport, without_tokens,
};
pub use ringfence_policy::Reading;

/// What policy says about git, for its adapter.
pub mod git {
    pub use crate::forward::{LfsHref, Unusable};
    pub use ringfence_policy::{
        ChangedFile, ChangedFiles, CommitSignature, GitDenial, GitTerms, PushFacts, PushedCommit,
    };
}

/// What policy says about language models, for their adapter, and their WebSockets.
pub mod llm {
    pub use crate::forward::{Conversation, Heard, Over, Socket, Text};
    pub use ringfence_policy::{
        BudgetScope, BudgetTerms, BudgetWindow, LlmSecrets, LlmTerms, LoopTerms, Price, RateTerms,
    };
}

/// What policy says about servers of the Model Context Protocol, for their adapter.
pub mod mcp {
    pub use ringfence_policy::{McpEntry, McpRate, McpSecrets, McpTerms, PinMode};
}

pub use stream::Buffered;
pub use tls::TlsError;

#[cfg(test)]
mod testing;
