//! The vocabulary of Ringfence: the nouns that every other crate, the API, the command line
//! and the database use, each with one name. This crate does no I/O and reads no clock.
//!
//! # Glossary
//!
//! | word | meaning |
//! |---|---|
//! | agent | a workload identity that policy is about |
//! | sandbox | one confined running instance of an agent |
//! | workspace | the tenant boundary that agents and profiles live in |
//! | gateway | the data plane: the only way out of a sandbox |
//! | profile | a named bundle of grants, limits and mounts |
//! | rule | one allow or forbid inside a profile |
//! | action | what an agent tries, protocol-neutral |
//! | decision | allow or deny of one action, with the rule and the reason |
//! | permit | the value that proves an allow (it lives in the gateway) |
//! | refusal | a denial in the protocol's own words |
//! | event | the audit record of one action |
//! | denial | events grouped by destination, agent and reason |
//! | credential | a real upstream secret, sealed in the store, never in a sandbox |
//! | token | a scoped stand-in for a credential, bound to one sandbox, that the agent holds |
//! | upstream | the real system behind a permit |

mod action;
mod address;
mod content;
mod decision;
mod event;
pub mod git;
mod host;
mod ids;
pub mod limits;
pub mod llm;
pub mod mcp;
mod secret;
mod told;
mod trace;

pub use action::{Action, ActionKind, Connect, Entry, HttpRequest, Scheme};
pub use address::{AddressClass, classify};
pub use content::{Access, Content, GraphqlField, GraphqlKind, GraphqlOperation};
pub use decision::{Decision, Effect, Generation, ReasonCode, RuleRef};
pub use event::{Closing, Event, Notice, NoticeKind, Outcome, RECORD_VERSION, Record, Upstream};
pub use host::{Destination, Host, HostError, HostName, HostPattern};
pub use ids::{
    AgentName, CredentialName, EventId, NameError, ProfileName, RunId, SandboxId, TokenId,
    WorkspaceName,
};
pub use secret::Secret;
pub use told::{OTEL_SERVICE, Told, ToldSpan};
pub use trace::{SpanId, TraceError, TraceId, TraceParent, traceparent};
