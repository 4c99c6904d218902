//! Policy: what a person wrote down, read strictly, compiled once, and asked about every
//! action. This crate decides and explains; it does no I/O, reads no clock, resolves no name
//! and starts no task. Time comes in as an argument.
//!
//! - [`document`]: profiles as people write them: parse, check, change, built-in ones.
//! - [`compile`]: profiles become a [`Snapshot`], immutable and indexed by destination.
//! - [`decide`]: one action against one snapshot gives a [`Verdict`].
//! - [`review`]: explain, suggest, test, diff and simulate, all on top of the same decision.

#![forbid(unsafe_code)]

pub mod compile;
pub mod decide;
pub mod document;
mod error;
pub mod limits;
pub mod review;

pub use compile::Snapshot;
pub use decide::{
    AddressGrant, Auth, BudgetScope, BudgetTerms, BudgetWindow, ChangedFile, ChangedFiles,
    CommitSignature, GitDenial, GitLimits, GitTerms, Grant, LlmAsked, LlmSecrets, LlmTerms,
    LoopTerms, McpEntry, McpRate, McpSecrets, McpTerms, PinMode, Precondition, Price, PushFacts,
    PushedCommit, RateTerms, Reading, RequestTerms, Verdict,
};
pub use document::{
    ApiMatch, ApiRule, ApprovalWord, BaseUrl, BuiltinTools, Cidr, CidrError, CommitConditions,
    CommitError, Condition, EmailPattern, FileConditions, FilePattern, FiltersWord, GitMatch,
    GitRule, GitUpstreamTerms, LlmMatch, LlmProviderTerms, LlmRule, McpMatch, McpRule,
    McpServerTerms, MediaPattern, Method, NetworkMatch, NetworkRule, PathPattern, PolicyTest,
    Preset, PresetError, PresetSetting, Profile, Protocol, PushLimits, RefChangeWord, RefPattern,
    Removal, RepoPattern, RepoRegex, RuleId, Schema, SchemaError, SecretsWord, SignerKey, Started,
    TestAction, TokenGrant, VariableName, append_git_upstream, append_llm_provider,
    append_mcp_server, append_rule, json_schema, remove_git_upstream, remove_llm_provider,
    remove_mcp_server,
};
pub use error::{Located, PolicyError};
pub use review::{
    Considered, DecisionChange, Explanation, Observed, PolicyDiff, RuleChange, Simulation,
    TestOutcome, diff, run_tests, simulate,
};
