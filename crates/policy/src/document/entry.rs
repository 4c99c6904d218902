//! A rule of any section, for what treats all of them alike: differences and suggestions.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    ApiRule, GitRule, GitUpstreamTerms, LlmProviderTerms, LlmRule, McpRule, McpServerTerms,
    NetworkRule, RuleId,
};

/// A rule with the section that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProfileRule {
    /// Of the section `network`.
    Network(Box<NetworkRule>),
    /// Of the section `api`.
    Api(Box<ApiRule>),
    /// Of the section `git`.
    Git(Box<GitRule>),
    /// A server of the section `gitUpstreams`, which the rules of `git` rest on.
    GitUpstream(Box<GitUpstreamTerms>),
    /// Of the section `llm`.
    Llm(Box<LlmRule>),
    /// A provider of the section `llmProviders`, which the rules of `llm` rest on.
    LlmProvider(Box<LlmProviderTerms>),
    /// Of the section `mcp`.
    Mcp(Box<McpRule>),
    /// A server of the section `mcpServers`, which the rules of `mcp` rest on.
    McpServer(Box<McpServerTerms>),
}

impl ProfileRule {
    /// The rule as one line of its section, without the `- ` of the list.
    #[must_use]
    pub fn to_line(&self) -> String {
        match self {
            Self::Network(rule) => rule.to_line(),
            Self::Api(rule) => rule.to_line(),
            Self::Git(rule) => rule.to_line(),
            Self::GitUpstream(terms) => terms.to_line(),
            Self::Llm(rule) => rule.to_line(),
            Self::LlmProvider(terms) => terms.to_line(),
            Self::Mcp(rule) => rule.to_line(),
            Self::McpServer(terms) => terms.to_line(),
        }
    }

    /// The name of its section.
    #[must_use]
    pub const fn section(&self) -> &'static str {
        match self {
            Self::Network(_) => "network",
            Self::Api(_) => "api",
            Self::Git(_) => "git",
            Self::GitUpstream(_) => "gitUpstreams",
            Self::Llm(_) => "llm",
            Self::LlmProvider(_) => "llmProviders",
            Self::Mcp(_) => "mcp",
            Self::McpServer(_) => "mcpServers",
        }
    }

    /// Whether it forbids.
    #[must_use]
    pub fn is_forbid(&self) -> bool {
        match self {
            Self::Network(rule) => rule.is_forbid(),
            Self::Api(rule) => rule.is_forbid(),
            Self::Git(rule) => rule.is_forbid(),
            Self::Llm(rule) => rule.is_forbid(),
            Self::Mcp(rule) => rule.is_forbid(),
            Self::GitUpstream(_) | Self::LlmProvider(_) | Self::McpServer(_) => false,
        }
    }

    pub(crate) fn id(&self) -> Option<&RuleId> {
        match self {
            Self::Network(rule) => rule.terms().id.as_ref(),
            Self::Api(rule) => rule.terms().id.as_ref(),
            Self::Git(rule) => rule.terms().id.as_ref(),
            Self::Llm(rule) => rule.terms().id.as_ref(),
            Self::Mcp(rule) => rule.terms().id.as_ref(),
            Self::GitUpstream(_) | Self::LlmProvider(_) | Self::McpServer(_) => None,
        }
    }

    /// The effect of the rule and what it is about.
    pub(crate) fn subject(&self) -> String {
        let effect = if self.is_forbid() { "forbid" } else { "allow" };
        match self {
            Self::Api(rule) => format!("{effect} requests to host {}", rule.terms().host),
            Self::Git(rule) => format!("{effect} git {}", rule.terms().repositories()),
            Self::GitUpstream(terms) => format!("git server {}", terms.name),
            Self::Llm(rule) => format!("{effect} {}", rule.terms().subject()),
            Self::LlmProvider(terms) => format!("provider {}", terms.name),
            Self::Mcp(rule) => format!("{effect} {}", rule.terms().subject()),
            Self::McpServer(terms) => format!("server {}", terms.name),
            Self::Network(rule) => match (&rule.terms().host, rule.terms().cidr) {
                (Some(host), _) => format!("{effect} host {host}"),
                (None, Some(cidr)) => format!("{effect} cidr {cidr}"),
                (None, None) => effect.to_owned(),
            },
        }
    }
}

impl fmt::Display for ProfileRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_line())
    }
}
