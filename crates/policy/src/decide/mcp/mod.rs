//! The decision on a message to a server of the Model Context Protocol, or from one. Forbids are
//! asked first and win; then every allow of the server; what none of them allows is denied. The
//! first rule that allows it, by name, says on what terms.

pub(crate) mod lack;
mod shape;
mod terms;
pub(crate) mod words;

use std::sync::Arc;

use jiff::Timestamp;
use ringfence_model::mcp::{McpRequest, McpServer, McpVerb, ServerName};
use ringfence_model::{Access, Decision, Effect, Host, ReasonCode, RuleRef, Scheme};

use super::grant::{BarredNetworks, Scope};
use super::{AddressGrant, Bar, Grant, Query, RequestTerms, Verdict, bar};
use crate::compile::{McpRule, McpServer as Server, Rule, Snapshot, limited_terms};
use crate::document::{HOST_NAME, McpFeature, McpTool};
use lack::Lack;
pub use terms::{McpRate, McpSecrets, McpTerms, PinMode};

/// An entry of a list that a server gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum McpEntry<'a> {
    /// A tool, by name.
    Tool(&'a str),
    /// A resource, by URI.
    Resource(&'a str),
    /// A template of resources, by its URI with variables.
    Template(&'a str),
    /// A prompt, by name.
    Prompt(&'a str),
    /// What the server may ask for: the agent's model.
    Sampling,
    /// The agent's user.
    Elicitation,
    /// The agent's folders.
    Roots,
}

/// Why a message is denied.
enum Cause<'a> {
    NoRule,
    Forbidden(&'a McpRule),
    /// By a rule of another section.
    Elsewhere(&'a Rule),
    Lacks(Lack, &'a McpRule),
    /// Two rules that send different credentials.
    Ambiguous(&'a McpRule, &'a McpRule),
}

/// What allows a message.
type Found<'a> = (&'a Server, Vec<&'a McpRule>, Option<&'a RuleRef>);

impl Snapshot {
    /// The servers that some rule is about.
    #[must_use]
    pub fn mcp_servers(&self) -> &[McpServer] {
        self.mcp.named()
    }

    /// The servers that a session can be begun with.
    #[must_use]
    pub fn mcp_open(&self, now: Timestamp) -> Vec<ServerName> {
        let is_open = |server: &&McpServer| self.find_mcp(&greeting(server), now).is_ok();
        let open = self.mcp_servers().iter().filter(is_open);
        open.map(|server| server.name.clone()).collect()
    }

    /// The servers at a host and port that some rule is about. Several may share a host, each at its
    /// own path.
    pub fn mcp_at<'a>(&'a self, host: &'a Host, port: u16) -> impl Iterator<Item = &'a McpServer> {
        let is_there = move |it: &&McpServer| {
            let destination = &it.destination;
            destination.port == port && destination.host == *host
        };
        self.mcp_servers().iter().filter(is_there)
    }

    /// The server of this name, where some rule is about it.
    #[must_use]
    pub fn mcp_named(&self, name: &ServerName) -> Option<&McpServer> {
        self.mcp_servers().iter().find(|it| it.name == *name)
    }

    /// Whether the list that an agent gets shows this entry: some of its use is allowed, and no
    /// forbid takes it.
    #[must_use]
    pub fn mcp_shows(&self, server: &ServerName, entry: McpEntry<'_>, now: Timestamp) -> bool {
        let is_live = |rule: &&McpRule| !rule.has_expired(now);
        let mut allows = self.mcp.allows.about(server).filter(is_live);
        let mut forbids = self.mcp.forbids.about(server).filter(is_live);
        allows.any(|rule| has(rule, entry)) && !forbids.any(|rule| hides(rule, entry))
    }

    /// The schema that the arguments of a tool must match, where every rule that allows it has one,
    /// and there is one alone: it is published, so that a model does not try what would be denied.
    #[must_use]
    pub fn mcp_narrowed(
        &self,
        server: &ServerName,
        tool: &str,
        now: Timestamp,
    ) -> Option<&serde_json::Value> {
        let live = self.mcp.allows.about(server);
        let live = live.filter(|rule| !rule.has_expired(now));
        let mut entries = live.flat_map(|rule| rule.tools.iter());
        let mut of_tool = entries
            .by_ref()
            .filter(|entry| entry.pattern().matches(tool));
        let first = of_tool.next()?.arguments()?;
        of_tool
            .all(|entry| entry.arguments() == Some(first))
            .then(|| first.source())
    }

    pub(crate) fn decide_mcp(&self, request: &McpRequest, now: Timestamp) -> Verdict {
        match self.find_mcp(request, now) {
            Ok(found) => self.allow_mcp(request, &found, now),
            Err(cause) => self.deny_mcp(&cause, request),
        }
    }

    /// The rules that count, by their names, of which the first gives the terms; and the rule, if any,
    /// that wants a person to approve the message.
    fn find_mcp<'a>(
        &'a self,
        request: &McpRequest,
        now: Timestamp,
    ) -> Result<Found<'a>, Cause<'a>> {
        let server = self.mcp.server(&request.server);
        let server = server.filter(|it| {
            it.server.destination == request.destination && it.server.path == request.path
        });
        let server = server.ok_or(Cause::NoRule)?;
        if let Some(rule) = self.mcp_barring(request, now) {
            return Err(Cause::Forbidden(rule));
        }
        if let Some(rule) = self.mcp_barred_elsewhere(request, now) {
            return Err(Cause::Elsewhere(rule));
        }
        let mut covering = Vec::new();
        let mut closest: Option<(Lack, &McpRule)> = None;
        for rule in self.mcp.allows.about(&request.server) {
            match lack::lack(rule, request, now) {
                None => covering.push(rule),
                Some(lack) if closest.as_ref().is_none_or(|(known, _)| lack > *known) => {
                    closest = Some((lack, rule));
                }
                Some(_) => {}
            }
        }
        match closest {
            _ if !covering.is_empty() => {
                // Also one that does not count for how the message is sent.
                let approval = covering.iter().find(|it| lack::needs_approval(it, request));
                let approval = approval.map(|rule| &rule.reference);
                Ok((server, counted(covering)?, approval))
            }
            Some((lack, rule)) => Err(Cause::Lacks(lack, rule)),
            None => Err(Cause::NoRule),
        }
    }

    /// The forbid that takes a message.
    pub(crate) fn mcp_barring(&self, request: &McpRequest, now: Timestamp) -> Option<&McpRule> {
        let mut forbids = self.mcp.forbids.about(&request.server);
        forbids.find(|rule| !rule.has_expired(now) && lack::is_taken(rule, request))
    }

    /// The forbid of the sections `network` and `api` that takes a message. What it asks for beyond
    /// the line of the request cannot be told, and counts against the agent.
    pub(crate) fn mcp_barred_elsewhere(
        &self,
        request: &McpRequest,
        now: Timestamp,
    ) -> Option<&Rule> {
        let server = &self.mcp.server(&request.server)?.server;
        let line = request.to_http(server);
        let queries = [
            Query::to(&server.destination),
            Query::of_request(&line).recorded(),
        ];
        let barring = queries.iter().find_map(|query| {
            let mut forbids = self.forbids.covering(&query.destination.host);
            // Its own rules about the server are asked themselves.
            let barring = forbids
                .find(|rule| rule.service().is_none() && bar(rule, query, now) == Bar::Everything);
            barring.map(|rule| rule.reference.clone())
        });
        self.forbids.named(&barring?)
    }

    fn allow_mcp(
        &self,
        request: &McpRequest,
        (server, rules, approval): &Found<'_>,
        now: Timestamp,
    ) -> Verdict {
        let Some(first) = rules.first() else {
            return self.deny_mcp(&Cause::NoRule, request);
        };
        let terms = RequestTerms {
            credential: first.credential.clone(),
            token_required: rules.iter().any(|rule| rule.token_required),
            mcp: Some(wanting(terms::of(first, rules, request), *approval)),
            ..limited_terms(first.reference.clone())
        };
        let is_plain = server.server.scheme == Scheme::Http;
        Verdict {
            decision: Decision {
                effect: Effect::Allow,
                code: ReasonCode::Allowed,
                reason: words::allowed(first, *approval, request),
                rule: Some(first.reference.clone()),
                generation: self.generation(),
                next_step: None,
                credential: first.credential.clone(),
                access: Some(access(first, request)),
            },
            grant: Some(Grant {
                tls: false,
                http: is_plain,
                opaque: false,
                https: !is_plain,
                terms: vec![Arc::new(terms)],
                git: None,
                llm: None,
                mcp: Some(Arc::clone(&server.server)),
                addresses: self.mcp_addresses(server, now),
                valid_until: rules.iter().filter_map(|rule| rule.expires).min(),
            }),
        }
    }

    fn mcp_addresses(&self, server: &Server, now: Timestamp) -> AddressGrant {
        let destination = &server.server.destination;
        let mut scope = Scope::of(&destination.host, HOST_NAME);
        scope.add(server.addresses.as_ref());
        let is_barred = self.forbids.has_networks();
        let barred = is_barred.then(|| BarredNetworks {
            forbids: self.forbids.clone(),
            port: destination.port,
            now,
        });
        AddressGrant::new(scope, barred)
    }

    fn deny_mcp(&self, cause: &Cause<'_>, request: &McpRequest) -> Verdict {
        let (code, rule, reason, next_step) = told(cause, request);
        Verdict {
            decision: Decision {
                effect: Effect::Deny,
                code,
                reason,
                rule: rule.cloned(),
                generation: self.generation(),
                next_step: Some(next_step),
                credential: None,
                access: None,
            },
            grant: None,
        }
    }
}

/// The terms with the rule that wants the message approved.
fn wanting(terms: Arc<McpTerms>, approval: Option<&RuleRef>) -> Arc<McpTerms> {
    match approval {
        None => terms,
        Some(_) => Arc::new(McpTerms {
            approval: approval.cloned(),
            ..McpTerms::clone(&terms)
        }),
    }
}

/// A session's beginning.
fn greeting(server: &McpServer) -> McpRequest {
    McpRequest {
        destination: server.destination.clone(),
        server: server.name.clone(),
        verb: McpVerb::Greet,
        method: None,
        target: None,
        arguments: None,
        reads_only: None,
        path: server.path.clone(),
        version: None,
        octets: 0,
    }
}

/// Whether an allow lets an entry be used in some way.
fn has(rule: &McpRule, entry: McpEntry<'_>) -> bool {
    match entry {
        McpEntry::Tool(name) => rule.entries(name).next().is_some(),
        McpEntry::Resource(uri) => rule.has_resource(uri),
        McpEntry::Template(template) => rule.resources.iter().any(|it| it.touches(template)),
        McpEntry::Prompt(name) => rule.has_prompt(name),
        McpEntry::Sampling => rule.has_feature(McpFeature::Sampling),
        McpEntry::Elicitation => rule.has_feature(McpFeature::Elicitation),
        McpEntry::Roots => rule.has_feature(McpFeature::Roots),
    }
}

/// Whether a forbid takes all use of an entry.
fn hides(rule: &McpRule, entry: McpEntry<'_>) -> bool {
    rule.is_whole
        || match entry {
            McpEntry::Tool(name) => rule.entries(name).any(|it| it.arguments().is_none()),
            McpEntry::Resource(uri) | McpEntry::Template(uri) => rule.has_resource(uri),
            McpEntry::Prompt(name) => rule.has_prompt(name),
            McpEntry::Sampling => rule.has_feature(McpFeature::Sampling),
            McpEntry::Elicitation => rule.has_feature(McpFeature::Elicitation),
            McpEntry::Roots => rule.has_feature(McpFeature::Roots),
        }
}

/// Whether something is read or written: as the rule says, else as the tool says of itself.
fn access(rule: &McpRule, request: &McpRequest) -> Access {
    let tool = request
        .target
        .as_deref()
        .filter(|_| request.verb == McpVerb::CallTool);
    let stated = tool.and_then(|tool| rule.entries(tool).find_map(McpTool::access));
    stated.unwrap_or_else(|| request.access())
}

/// Code, rule, reason and next step of a denial.
fn told<'a>(
    cause: &Cause<'a>,
    request: &McpRequest,
) -> (ReasonCode, Option<&'a RuleRef>, String, String) {
    match cause {
        Cause::NoRule => (
            ReasonCode::NoRule,
            None,
            words::nothing_allows(request),
            words::after_nothing(request),
        ),
        Cause::Forbidden(rule) => (
            ReasonCode::Forbidden,
            Some(&rule.reference),
            words::forbidden(rule, request),
            words::after_forbid(&rule.reference),
        ),
        Cause::Elsewhere(rule) => (
            ReasonCode::Forbidden,
            Some(&rule.reference),
            format!(
                "rule {} forbids {}",
                rule.reference,
                words::subject(request)
            ),
            words::after_forbid(&rule.reference),
        ),
        Cause::Lacks(lack, rule) => (
            lack.code(),
            Some(&rule.reference),
            format!(
                "rule {} {}",
                rule.reference,
                words::lacking(lack, rule, request)
            ),
            words::after_lack(lack, rule, request),
        ),
        Cause::Ambiguous(one, other) => (
            ReasonCode::CredentialAmbiguous,
            Some(&one.reference),
            format!(
                "rules {} and {} allow {} with different credentials",
                one.reference,
                other.reference,
                words::subject(request)
            ),
            format!(
                "a person can change rule {} or {}, so that one of them is for it",
                one.reference, other.reference
            ),
        ),
    }
}

/// The rules that say how a message is sent: those with a credential before those without.
fn counted(covering: Vec<&McpRule>) -> Result<Vec<&McpRule>, Cause<'_>> {
    let mut rules = covering;
    if rules.iter().any(|rule| rule.credential.is_some()) {
        rules.retain(|rule| rule.credential.is_some());
    }
    let Some((first, rest)) = rules.split_first() else {
        return Ok(rules);
    };
    let other = rest.iter().find(|rule| rule.credential != first.credential);
    match other {
        Some(other) => Err(Cause::Ambiguous(first, other)),
        None => Ok(rules),
    }
}
