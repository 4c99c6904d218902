//! One compiled MCP rule: defaults filled in, patterns in the form in which they are asked.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ringfence_model::mcp::{McpServer, ServerName};
use ringfence_model::{CredentialName, HostPattern, RuleRef};

use crate::decide::{McpRate, McpSecrets, McpTerms, PinMode};
use crate::document::{
    McpFeature, McpMatch, McpRule as Document, McpSecretsWord, McpTool, NamePattern, PinWord,
    Profile, RateWord, Recheck, UriPattern,
};

/// An MCP rule as the decision sees it.
#[derive(Debug)]
pub(crate) struct McpRule {
    pub(crate) reference: RuleRef,
    pub(crate) is_forbid: bool,
    pub(crate) server: ServerName,
    /// Whether it names nothing of the server: a forbid is about all of it then.
    pub(crate) is_whole: bool,
    pub(crate) tools: Vec<McpTool>,
    pub(crate) resources: Vec<UriPattern>,
    pub(crate) prompts: Vec<NamePattern>,
    pub(crate) features: Vec<McpFeature>,
    pub(crate) elicitation_hosts: Vec<HostPattern>,
    pub(crate) token_required: bool,
    /// Whether a person has to approve each call that it allows.
    pub(crate) needs_approval: bool,
    /// Its own, or that of the server.
    pub(crate) credential: Option<CredentialName>,
    pub(crate) expires: Option<Timestamp>,
    pub(crate) reason: Option<String>,
    pub(crate) terms: Arc<McpTerms>,
}

impl McpRule {
    pub(crate) fn of(reference: RuleRef, rule: &Document, server: Option<&McpServer>) -> Self {
        let terms = rule.terms();
        let is_forbid = rule.is_forbid();
        let of_server = server.and_then(|it| it.credential.as_ref());
        let of_server = of_server.filter(|_| !is_forbid);
        let usual: &[McpFeature] = if is_forbid { &[] } else { &McpFeature::USUAL };
        let features = terms.features.clone();
        Self {
            is_forbid,
            server: terms.server.clone(),
            is_whole: terms.is_whole(),
            tools: terms.tools.clone().unwrap_or_default(),
            resources: terms.resources.clone().unwrap_or_default(),
            prompts: terms.prompts.clone().unwrap_or_default(),
            features: features.unwrap_or_else(|| usual.to_vec()),
            elicitation_hosts: terms.elicitation_hosts.clone().unwrap_or_default(),
            token_required: terms.token_required,
            needs_approval: terms.approval.is_some(),
            credential: terms.credential.as_ref().or(of_server).cloned(),
            expires: terms.expires,
            reason: terms.reason.clone(),
            terms: Arc::new(mcp_terms(reference.clone(), terms)),
            reference,
        }
    }

    pub(crate) fn has_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// The entries about a tool. A forbid takes a name in whatever case.
    pub(crate) fn entries<'a>(&'a self, tool: &'a str) -> impl Iterator<Item = &'a McpTool> {
        self.tools.iter().filter(move |entry| {
            let pattern = entry.pattern();
            if self.is_forbid {
                pattern.matches_folded(tool)
            } else {
                pattern.matches(tool)
            }
        })
    }

    pub(crate) fn has_resource(&self, uri: &str) -> bool {
        self.resources.iter().any(|pattern| {
            if self.is_forbid {
                pattern.matches_folded(uri)
            } else {
                pattern.matches(uri)
            }
        })
    }

    pub(crate) fn has_prompt(&self, name: &str) -> bool {
        self.prompts.iter().any(|pattern| {
            if self.is_forbid {
                pattern.matches_folded(name)
            } else {
                pattern.matches(name)
            }
        })
    }

    pub(crate) fn has_feature(&self, feature: McpFeature) -> bool {
        self.features.contains(&feature)
    }
}

fn mcp_terms(rule: RuleRef, terms: &McpMatch) -> McpTerms {
    McpTerms {
        rule,
        pin: match terms.pin {
            Some(PinWord::FirstUse) | None => PinMode::FirstUse,
            Some(PinWord::Review) => PinMode::Review,
            Some(PinWord::Off) => PinMode::Off,
        },
        recheck: terms.recheck.map_or(Some(Recheck::USUAL), Recheck::time),
        secrets: match terms.secrets {
            Some(McpSecretsWord::Block) => McpSecrets::Block,
            Some(McpSecretsWord::Redact) | None => McpSecrets::Redact,
            Some(McpSecretsWord::Observe) => McpSecrets::Observe,
        },
        capture: terms.capture,
        approval: None,
        rate: terms.rate.map(|rate| McpRate {
            requests: rate.requests,
            per: Duration::from_secs(match rate.per {
                RateWord::Second => 1,
                RateWord::Minute => 60,
                RateWord::Hour => 60 * 60,
                RateWord::Day => 24 * 60 * 60,
            }),
        }),
    }
}

/// `profile/mcp/id`, or the position from 1 where the rule has no id.
pub(crate) fn mcp_reference(profile: &Profile, index: usize, rule: &Document) -> RuleRef {
    let name = &profile.name;
    RuleRef(match &rule.terms().id {
        Some(id) => format!("{name}/mcp/{id}"),
        None => format!("{name}/mcp/{}", index + 1),
    })
}

/// `profile/mcpServers/name`.
pub(crate) fn server_reference(profile: &Profile, name: &ServerName) -> RuleRef {
    RuleRef(format!("{}/mcpServers/{name}", profile.name))
}
