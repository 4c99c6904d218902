//! Profiles as people write them: the types of the document language, and what reads, checks,
//! writes and describes them. A [`Profile`] from [`Profile::parse`] has been checked.

mod allow;
mod api;
mod append;
mod builtin;
mod cidr;
mod condition;
mod entry;
mod flow;
mod git;
mod help;
mod json_schema;
mod llm;
mod mcp;
mod method;
mod outline;
mod parse;
mod path;
mod preset;
mod removal;
mod rule;
mod schema;
mod tests_section;
mod text;
mod tokens;
mod validate;

use std::collections::BTreeMap;

use ringfence_model::{CredentialName, ProfileName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::PolicyError;

pub use api::{
    ApiMatch, ApiRule, AuthWord, ContentConditions, EqualValues, FollowTerms, GraphqlConditions,
    GraphqlFieldConditions, GraphqlKinds, HeaderCondition, HeaderConditions, Others,
    ParamCondition, PreconditionTerms, QueryConditions, ResponseConditions,
};
pub(crate) use api::{is_selection, selects};
pub use append::{
    append_git_upstream, append_llm_provider, append_mcp_server, append_rule, remove_git_upstream,
    remove_llm_provider, remove_mcp_server,
};
pub use cidr::{Cidr, CidrError};
pub(crate) use condition::Needs;
pub use condition::{Condition, ConditionError};
pub use entry::ProfileRule;
pub use git::{
    ApprovalWord, CommitConditions, CommitError, EmailPattern, FileConditions, FilePattern,
    FiltersWord, GitMatch, GitPatternError, GitRule, GitUpstreamTerms, GlobError, PushLimits,
    RefChangeWord, RefPattern, RepoPattern, RepoRegex, SecretsWord, SignerKey,
};
pub(crate) use git::{Glob, canonical_glob, check_repositories, folds_case};
pub use json_schema::{Schema, SchemaError};
pub(crate) use llm::builtin_provider;
pub use llm::{
    BaseUrl, BaseUrlError, BudgetScopeWord, BudgetWindowWord, Dollars, HostedTerms, LlmBudget,
    LlmFallback, LlmLoops, LlmMatch, LlmPrice, LlmProviderTerms, LlmRate, LlmRule, LlmSecretsWord,
    RateWord,
};
pub use mcp::{
    BuiltinTools, McpFeature, McpMatch, McpRate, McpRule, McpSecretsWord, McpServerTerms, McpTool,
    McpToolTerms, NamePattern, PinWord, Recheck, RecheckError, Started, UriPattern,
};
pub use method::{Method, MethodError};
pub use path::{PathError, PathPattern};
pub(crate) use path::{check_canonical, check_path, has_parameters, unscoped, without_parameters};
pub use preset::{Preset, PresetError, PresetSetting};
pub use removal::{Removal, RemovalError};
pub use rule::{NetworkMatch, NetworkRule, Protocol, RuleId, RuleIdError};
pub use schema::json_schema;
pub use tests_section::{
    ConnectTest, GitTest, GraphqlTest, GraphqlTestField, HttpTest, HttpUrl, LlmTest, McpTest,
    PolicyTest, TestAction, TestError,
};
pub use text::{HeaderName, MediaPattern, Pointer, StatusRange, Target, TextError, TextPattern};
pub use tokens::{TokenGrant, VariableError, VariableName};
pub(crate) use validate::{HOST_NAME, check, check_set, is_control_plane};

/// A named bundle of grants. What no rule allows is denied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Profile {
    /// The version of the document language.
    pub api_version: ApiVersion,
    /// What the document describes.
    pub kind: Kind,
    /// The name: 1 to 64 lower-case letters, digits, `-`, `_` or `.`.
    #[schemars(with = "String", regex(pattern = "^[a-z0-9][a-z0-9._-]{0,63}$"))]
    pub name: ProfileName,
    /// What the profile is for, in a sentence.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "rule::present"
    )]
    #[schemars(with = "String")]
    pub description: Option<String>,
    /// Which destinations may be reached. No rule, or no list at all, allows nothing.
    /// The order does not matter, and a forbid wins over every allow.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub network: Vec<NetworkRule>,
    /// Which requests to HTTP APIs may be sent, and with which credential. The gateway reads
    /// every request to their hosts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub api: Vec<ApiRule>,
    /// Which git repositories may be read and written, and which of their refs may change. The
    /// gateway reads every request to their servers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub git: Vec<GitRule>,
    /// Git servers that rules can name, beside `github`, `gitlab`, `azure-devops`, `bitbucket` and
    /// `codeberg`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub git_upstreams: Vec<GitUpstreamTerms>,
    /// Which models of which providers may be asked, what the providers may do by themselves, and
    /// what it may cost. The gateway reads every request to their hosts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub llm: Vec<LlmRule>,
    /// Providers that rules can name, beside `anthropic`, `openai`, `gemini`, `openrouter`,
    /// `mistral` and `groq`; and credentials for those.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub llm_providers: Vec<LlmProviderTerms>,
    /// Which servers of the Model Context Protocol may be asked for what. The gateway reads every
    /// message to and from them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mcp: Vec<McpRule>,
    /// Servers of the Model Context Protocol that rules can name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mcp_servers: Vec<McpServerTerms>,
    /// The tokens that the agent gets in place of credentials.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<TokenGrant>,
    /// Variables that are set for the agent.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<VariableName, String>,
    /// Actions with the decision that this profile must give.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tests: Vec<PolicyTest>,
}

/// The version of the document language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ApiVersion {
    /// The first version.
    #[serde(rename = "ringfence/v1")]
    V1,
}

/// What a document describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Kind {
    /// A profile.
    Profile,
}

impl Profile {
    /// A profile with these rules and no tests; not yet checked.
    #[must_use]
    pub const fn new(name: ProfileName, network: Vec<NetworkRule>) -> Self {
        Self {
            api_version: ApiVersion::V1,
            kind: Kind::Profile,
            name,
            description: None,
            network,
            api: Vec::new(),
            git: Vec::new(),
            git_upstreams: Vec::new(),
            llm: Vec::new(),
            llm_providers: Vec::new(),
            mcp: Vec::new(),
            mcp_servers: Vec::new(),
            tokens: Vec::new(),
            environment: BTreeMap::new(),
            tests: Vec::new(),
        }
    }

    /// How many rules it has, in all sections.
    pub(crate) const fn rule_count(&self) -> usize {
        self.network.len() + self.api.len() + self.git.len() + self.llm.len() + self.mcp.len()
    }

    /// The credentials that its rules, its git servers and its providers name.
    pub fn rule_credentials(&self) -> impl Iterator<Item = &CredentialName> {
        let api = self.api.iter().map(|rule| &rule.terms().credential);
        let git = self.git.iter().map(|rule| &rule.terms().credential);
        let servers = self.git_upstreams.iter().map(|terms| &terms.credential);
        let llm = self.llm.iter().map(|rule| &rule.terms().credential);
        let providers = self.llm_providers.iter().map(|terms| &terms.credential);
        let of_git = git.chain(servers);
        let mcp = self.mcp.iter().map(|rule| &rule.terms().credential);
        let mcp_servers = self.mcp_servers.iter().map(|terms| &terms.credential);
        let of_llm = llm.chain(providers);
        let of_mcp = mcp.chain(mcp_servers);
        api.chain(of_git).chain(of_llm).chain(of_mcp).flatten()
    }

    /// Reads and checks every document in `yaml`. `source_name` is for errors only.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place. Never panics; text size, depth and
    /// count are bounded by [`crate::limits`], and YAML aliases are refused.
    pub fn parse(source_name: &str, yaml: &str) -> Result<Vec<Self>, PolicyError> {
        parse::profiles(source_name, yaml)
    }

    /// The tokens that the agent gets.
    #[must_use]
    pub fn tokens(&self) -> &[TokenGrant] {
        &self.tokens
    }

    /// The variables that are set for the agent, by name.
    pub fn environment(&self) -> impl Iterator<Item = (&str, &str)> {
        let variables = self.environment.iter();
        variables.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The rule that `--allow` and `ringfence allow` mean: `HOST`, `HOST:PORT`, `ADDRESS:PORT`,
    /// `CIDR` or `CIDR:PORT`. Without a port, 443 and 80.
    ///
    /// # Errors
    /// When the text is none of these, or names what no rule may.
    pub fn from_allow(spec: &str) -> Result<NetworkRule, PolicyError> {
        allow::rule(spec)
    }

    /// The built-in profile of that name.
    #[must_use]
    pub fn builtin(name: &str) -> Option<Self> {
        builtin::profile(name)
    }

    /// The document of that built-in profile, as a start for one's own.
    #[must_use]
    pub fn builtin_source(name: &str) -> Option<&'static str> {
        builtin::source(name)
    }

    /// The names of the built-in profiles.
    #[must_use]
    pub const fn builtin_names() -> &'static [&'static str] {
        builtin::NAMES
    }
}
