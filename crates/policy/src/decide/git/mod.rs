//! The decision on a git request. Forbids are asked first and win; then every allow of the
//! repository; what none of them allows is denied. A push is allowed by one rule as a whole, and
//! [`GitTerms::judge`] decides on the rest of it when that is known.

mod commits;
mod entry;
mod judge;
pub(crate) mod lack;
mod limits;
mod shape;
mod terms;
pub(crate) mod words;

use std::sync::Arc;

use jiff::Timestamp;
use ringfence_model::git::{
    GitOperation, GitRequest, GitUpstream, RepoError, RepoId, UpstreamKind,
};
use ringfence_model::{
    Access, CredentialName, Decision, Destination, Effect, Host, ReasonCode, RuleRef, Scheme,
};

use super::grant::{BarredNetworks, Scope};
use super::{AddressGrant, Bar, Grant, Query, RequestTerms, Verdict, bar};
use crate::compile::{GitRule, Rule, Server, Snapshot, limited_terms};
use crate::document::HOST_NAME;
pub use commits::{CommitSignature, PushedCommit};
use lack::Lack;
pub use limits::GitLimits;
pub use terms::{ChangedFile, ChangedFiles, GitDenial, GitTerms, PushFacts};

/// Why a git request is denied.
enum Cause<'a> {
    NoRule,
    Forbidden(&'a GitRule),
    /// By a rule of another section.
    Elsewhere(&'a Rule),
    Lacks(Lack, &'a GitRule),
    /// Two rules that send different credentials.
    Ambiguous(&'a GitRule, &'a GitRule),
}

impl Snapshot {
    /// The git servers that some rule names.
    #[must_use]
    pub fn git_upstreams(&self) -> &[GitUpstream] {
        self.git.named()
    }

    /// The git server at a host and port, where some rule names it. One that is reached over SSH
    /// is at the port of HTTPS for an agent, unless another one is.
    #[must_use]
    pub fn git_at(&self, host: &Host, port: u16) -> Option<&GitUpstream> {
        let destination = Destination {
            host: host.clone(),
            port,
        };
        let is_there = |server: &&Server| server.is_spoken_at(&destination);
        let is_ssh = |server: &&Server| server.upstream.kind == UpstreamKind::Ssh;
        let found = self.git.named_servers().filter(is_there).min_by_key(is_ssh);
        found.map(|server| server.upstream.as_ref())
    }

    /// The request that does `operation` to a repository, which is named as in rules:
    /// `github/acme/docs`.
    ///
    /// # Errors
    /// Where there is no such server, or the server has no such repository.
    pub fn git_request(
        &self,
        repo: &str,
        operation: GitOperation,
    ) -> Result<GitRequest, RepoError> {
        let (server, repo) = self.git.repository(repo)?;
        Ok(GitRequest {
            destination: server.upstream.destination.clone(),
            repo,
            operation,
        })
    }

    pub(crate) fn decide_git(&self, request: &GitRequest, now: Timestamp) -> Verdict {
        match self.find_git(request, now) {
            Ok((server, rules)) => self.allow_git(request, server, &rules, now),
            Err(cause) => self.deny_git(&cause, request),
        }
    }

    /// The rules that count, by their names, the first of which the decision names.
    fn find_git<'a>(
        &'a self,
        request: &'a GitRequest,
        now: Timestamp,
    ) -> Result<(&'a Server, Vec<&'a Arc<GitRule>>), Cause<'a>> {
        let repo = &request.repo;
        let server = self.git.server(repo.upstream());
        let server = server.filter(|server| server.is_at(&request.destination));
        let server = server.ok_or(Cause::NoRule)?;
        let allows = self.git.allows.about(repo);
        let forbids = self.git_forbids(repo, now);
        let taken = forbids
            .iter()
            .find(|rule| lack::is_taken(rule, &request.operation));
        if let Some(rule) = taken {
            let is_known = is_readable(&allows, &forbids, now);
            return Err(if is_known {
                Cause::Forbidden(rule)
            } else {
                Cause::NoRule
            });
        }
        if let Some(rule) = self.barred_elsewhere(request, &server.upstream, now) {
            return Err(Cause::Elsewhere(rule));
        }
        let mut covering = Vec::new();
        let mut closest: Option<(Lack, &Arc<GitRule>)> = None;
        for rule in allows {
            match lack::lack(rule, &request.operation, now) {
                None => covering.push(rule),
                Some(lack) if closest.as_ref().is_none_or(|(known, _)| lack > *known) => {
                    closest = Some((lack, rule));
                }
                Some(_) => {}
            }
        }
        match closest {
            _ if !covering.is_empty() => Ok((server, counted(covering, request)?)),
            Some((lack, rule)) => Err(Cause::Lacks(lack, rule)),
            None => Err(Cause::NoRule),
        }
    }

    /// Whether a forbid of another section takes a git request.
    pub(crate) fn is_git_barred(&self, request: &GitRequest, now: Timestamp) -> bool {
        let server = self.git.server(request.repo.upstream());
        server.is_none_or(|server| {
            let barred = self.barred_elsewhere(request, &server.upstream, now);
            barred.is_some()
        })
    }

    fn git_forbids(&self, repo: &RepoId, now: Timestamp) -> Vec<&Arc<GitRule>> {
        let mut forbids = self.git.forbids.about(repo);
        forbids.retain(|rule| !rule.has_expired(now));
        forbids
    }

    /// The forbid of the sections `network` and `api` that takes a git request. What it asks for
    /// beyond the line of the request cannot be told, and counts against the agent.
    fn barred_elsewhere(
        &self,
        request: &GitRequest,
        upstream: &GitUpstream,
        now: Timestamp,
    ) -> Option<&Rule> {
        let places = shape::places(request, upstream);
        let lines = shape::lines(request, upstream);
        let of_places = places.iter().map(Query::to);
        let of_lines = lines.iter().map(|line| Query::of_request(line).recorded());
        let barring = of_places.chain(of_lines).find_map(|query| {
            let mut forbids = self.forbids.covering(&query.destination.host);
            let barring = forbids.find(|rule| bar(rule, &query, now) == Bar::Everything);
            barring.map(|rule| rule.reference.clone())
        });
        self.forbids.named(&barring?)
    }

    fn allow_git(
        &self,
        request: &GitRequest,
        server: &Server,
        rules: &[&Arc<GitRule>],
        now: Timestamp,
    ) -> Verdict {
        let Some(first) = rules.first() else {
            return self.deny_git(&Cause::NoRule, request);
        };
        let terms = GitTerms {
            repo: request.repo.clone(),
            rules: rules.iter().map(|rule| Arc::clone(rule)).collect(),
            forbids: self
                .git_forbids(&request.repo, now)
                .into_iter()
                .filter(|rule| !rule.changes.is_empty())
                .cloned()
                .collect(),
        };
        let terms = RequestTerms {
            credential: first.credential.clone(),
            // One rule of several may be the one that lets a push through in the end.
            token_required: rules.iter().any(|rule| rule.token_required),
            git: Some(Arc::new(terms)),
            ..limited_terms(first.reference.clone())
        };
        let is_plain = server.upstream.scheme == Scheme::Http;
        Verdict {
            decision: Decision {
                effect: Effect::Allow,
                code: ReasonCode::Allowed,
                reason: words::allowed(first, request),
                rule: Some(first.reference.clone()),
                generation: self.generation(),
                next_step: None,
                credential: first.credential.clone(),
                access: Some(request.operation.access()),
            },
            grant: Some(Grant {
                tls: false,
                http: is_plain,
                opaque: server.upstream.kind == UpstreamKind::Ssh,
                https: !is_plain && server.upstream.kind != UpstreamKind::Ssh,
                terms: vec![Arc::new(terms)],
                git: Some(Arc::clone(&server.upstream)),
                llm: None,
                mcp: None,
                addresses: self.git_addresses(server, now),
                valid_until: rules.iter().filter_map(|rule| rule.expires).min(),
            }),
        }
    }

    fn git_addresses(&self, server: &Server, now: Timestamp) -> AddressGrant {
        let destination = &server.upstream.destination;
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

    fn deny_git(&self, cause: &Cause<'_>, request: &GitRequest) -> Verdict {
        let (code, rule, reason, next_step) = told(cause, request);
        Verdict {
            decision: Decision {
                effect: Effect::Deny,
                code,
                reason,
                rule,
                generation: self.generation(),
                next_step: Some(next_step),
                credential: None,
                access: None,
            },
            grant: None,
        }
    }
}

/// Code, rule, reason and next step of a denial.
fn told(cause: &Cause<'_>, request: &GitRequest) -> (ReasonCode, Option<RuleRef>, String, String) {
    match cause {
        Cause::NoRule => (
            ReasonCode::NoRule,
            None,
            words::nothing_allows(request),
            words::after_nothing(request),
        ),
        Cause::Forbidden(rule) => (
            ReasonCode::Forbidden,
            Some(rule.reference.clone()),
            words::forbidden(rule, request),
            words::after_forbid(rule),
        ),
        Cause::Elsewhere(rule) => (
            ReasonCode::Forbidden,
            Some(rule.reference.clone()),
            format!(
                "rule {} forbids {}",
                rule.reference,
                words::subject(request)
            ),
            format!(
                "a forbid wins over every allow: a person can change rule {}",
                rule.reference
            ),
        ),
        Cause::Lacks(lack, rule) => (
            lack.code(),
            Some(rule.reference.clone()),
            format!("rule {} {}", rule.reference, words::lacking(lack, rule)),
            words::after_lack(lack, rule),
        ),
        Cause::Ambiguous(one, other) => (
            ReasonCode::CredentialAmbiguous,
            Some(one.reference.clone()),
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

/// Whether the agent may read the repository, and so may know that there are rules about it.
fn is_readable(allows: &[&Arc<GitRule>], forbids: &[&Arc<GitRule>], now: Timestamp) -> bool {
    let is_open = allows.iter().any(|rule| !rule.has_expired(now));
    is_open
        && !forbids
            .iter()
            .any(|rule| lack::is_access_taken(rule, Access::Read))
}

/// The rules that say how a request is sent: those with a credential before those without, and for
/// reading with several credentials those that are for reading alone.
fn counted<'a>(
    covering: Vec<&'a Arc<GitRule>>,
    request: &GitRequest,
) -> Result<Vec<&'a Arc<GitRule>>, Cause<'a>> {
    let mut rules = covering;
    if rules.iter().any(|rule| rule.credential.is_some()) {
        rules.retain(|rule| rule.credential.is_some());
    }
    let is_read = request.operation.access() == Access::Read;
    let for_reading = |rule: &&Arc<GitRule>| rule.access == Some(Access::Read);
    if is_read && differing(&rules).is_some() && rules.iter().any(for_reading) {
        rules.retain(|rule| for_reading(rule));
    }
    match differing(&rules) {
        Some((one, other)) => Err(Cause::Ambiguous(one, other)),
        None => Ok(rules),
    }
}

/// The first two rules with different credentials.
fn differing<'a>(rules: &[&'a Arc<GitRule>]) -> Option<(&'a GitRule, &'a GitRule)> {
    let credential =
        |rule: &'a Arc<GitRule>| -> Option<&'a CredentialName> { rule.credential.as_ref() };
    let (first, rest) = rules.split_first()?;
    let other = rest
        .iter()
        .find(|rule| credential(rule) != credential(first))?;
    Some((first, other))
}
