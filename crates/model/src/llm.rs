//! Requests to language models in the terms of policy: which provider, which model, what the
//! provider would do by itself, and, in hindsight, what it cost and what came into the context.
//! How a provider says all this on the wire is read elsewhere, strictly; here are the words.

mod facts;
mod feature;
mod money;
mod provider;
mod request;

pub use facts::{
    ClientTrace, ContextItem, ContextKind, LlmFacts, LlmFailure, Purpose, TextDigest, TokenUsage,
    ToolCall,
};
pub use feature::{HostedFeature, HostedFeatureError};
pub use money::{Money, MoneyError};
pub use provider::{LlmProvider, ProviderError, ProviderKind, ProviderName};
pub use request::{LlmEndpoint, LlmRequest};
