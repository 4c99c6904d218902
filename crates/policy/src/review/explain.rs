//! Why may X, why may X not: the decision with every rule that is about its destination.

use std::fmt;

use jiff::Timestamp;
use ringfence_model::git::{GitOperation, GitRequest};
use ringfence_model::llm::LlmRequest;
use ringfence_model::mcp::McpRequest;
use ringfence_model::{Action, Decision, RuleRef};
use serde::{Deserialize, Serialize};

use crate::compile::{GitRule, LlmRule, McpRule, Protocols, Rule, Snapshot};
use crate::decide::words::{Subject, missed};
use crate::decide::{Bar, Fit, Query, bar, fit, git, llm, mcp};
use crate::error::quoted;

/// A decision and how it came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// What was asked about.
    pub action: Action,
    /// The decision.
    pub decision: Decision,
    /// The rules whose host or network covers the destination, forbids first.
    pub considered: Vec<Considered>,
    /// How many rules are about other destinations.
    pub other_rules: usize,
}

/// What one rule says to the action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Considered {
    /// The rule.
    pub rule: RuleRef,
    /// Whether it matches.
    pub matches: bool,
    /// In words, for example "is for example.org on port 443, not on 22".
    pub because: String,
}

impl Snapshot {
    /// Explains the decision about `action`.
    #[must_use]
    pub fn explain(&self, action: &Action, now: Timestamp) -> Explanation {
        if let Action::Git(request) = action {
            return self.explain_git(action, request, now);
        }
        if let Action::Llm(request) = action {
            return self.explain_llm(action, request, now);
        }
        if let Action::Mcp(request) = action {
            return self.explain_mcp(action, request, now);
        }
        let query = Query::of(action);
        let host = &query.destination.host;
        let mut considered: Vec<_> = self
            .forbids
            .covering(host)
            .map(|rule| consider_forbid(rule, &query, now))
            .collect();
        considered.sort_by(|a, b| a.rule.cmp(&b.rule));
        let mut allows: Vec<_> = self
            .allows
            .covering(host)
            .map(|rule| consider_allow(rule, &query, now))
            .collect();
        allows.sort_by(|a, b| a.rule.cmp(&b.rule));
        considered.append(&mut allows);
        Explanation {
            other_rules: self.rule_count().saturating_sub(considered.len()),
            action: action.clone(),
            decision: self.decide(action, now).decision,
            considered,
        }
    }
}

impl Snapshot {
    /// The rules of the repository's server, forbids first.
    fn explain_git(&self, action: &Action, request: &GitRequest, now: Timestamp) -> Explanation {
        let upstream = request.repo.upstream();
        let forbids = self.git.forbids.of(upstream);
        let allows = self.git.allows.of(upstream);
        let considered: Vec<_> = forbids
            .chain(allows)
            .map(|rule| consider_git(rule, request, now))
            .collect();
        Explanation {
            other_rules: self.rule_count().saturating_sub(considered.len()),
            action: action.clone(),
            decision: self.decide(action, now).decision,
            considered,
        }
    }
}

impl Snapshot {
    /// The rules of the provider, forbids first.
    fn explain_llm(&self, action: &Action, request: &LlmRequest, now: Timestamp) -> Explanation {
        let forbids = self.llm.forbids.about(&request.provider);
        let allows = self.llm.allows.about(&request.provider);
        let considered: Vec<_> = forbids
            .chain(allows)
            .map(|rule| {
                let (matches, because) = llm_words(rule, request, now);
                Considered {
                    rule: rule.reference.clone(),
                    matches,
                    because,
                }
            })
            .collect();
        Explanation {
            other_rules: self.rule_count().saturating_sub(considered.len()),
            action: action.clone(),
            decision: self.decide(action, now).decision,
            considered,
        }
    }
}

impl Snapshot {
    /// The rules of the server, forbids first.
    fn explain_mcp(&self, action: &Action, request: &McpRequest, now: Timestamp) -> Explanation {
        let forbids = self.mcp.forbids.about(&request.server);
        let allows = self.mcp.allows.about(&request.server);
        let considered: Vec<_> = forbids
            .chain(allows)
            .map(|rule| {
                let (matches, because) = mcp_words(rule, request, now);
                Considered {
                    rule: rule.reference.clone(),
                    matches,
                    because,
                }
            })
            .collect();
        Explanation {
            other_rules: self.rule_count().saturating_sub(considered.len()),
            action: action.clone(),
            decision: self.decide(action, now).decision,
            considered,
        }
    }
}

fn mcp_words(rule: &McpRule, request: &McpRequest, now: Timestamp) -> (bool, String) {
    let subject = mcp::words::subject(request);
    if !rule.is_forbid {
        return match mcp::lack::lack(rule, request, now) {
            None => (true, format!("allows {subject}")),
            Some(lack) => (false, mcp::words::lacking(&lack, rule, request)),
        };
    }
    match (rule.expires, mcp::lack::is_taken(rule, request)) {
        (Some(expires), _) if rule.has_expired(now) => {
            (false, format!("was for {} until {expires}", rule.server))
        }
        (_, true) => (true, format!("forbids {subject}")),
        (_, false) => {
            let about = mcp::words::about(rule, request.verb);
            (false, format!("is for {about}"))
        }
    }
}

fn llm_words(rule: &LlmRule, request: &LlmRequest, now: Timestamp) -> (bool, String) {
    let subject = llm::words::subject(request);
    if !rule.is_forbid {
        return match llm::lack::lack(rule, request, now) {
            None => (true, format!("allows {subject}")),
            Some(lack) => (false, llm::words::lacking(&lack, rule)),
        };
    }
    match (rule.expires, llm::lack::is_taken(rule, request)) {
        (Some(expires), _) if rule.has_expired(now) => {
            let models = llm::words::models(rule);
            (false, format!("was for {models} until {expires}"))
        }
        (_, true) => (true, format!("forbids {subject}")),
        (_, false) => (false, llm::words::others(rule, request)),
    }
}

fn consider_git(rule: &GitRule, request: &GitRequest, now: Timestamp) -> Considered {
    let (matches, because) = git_words(rule, request, now);
    Considered {
        rule: rule.reference.clone(),
        matches,
        because,
    }
}

fn git_words(rule: &GitRule, request: &GitRequest, now: Timestamp) -> (bool, String) {
    let subject = git::words::subject(request);
    if !rule.repos.matches(request.repo.path()) {
        let repo = quoted(&request.repo.to_string());
        return (false, format!("is for {}, not for {repo}", rule.written));
    }
    if rule.is_forbid {
        return match (rule.expires, git::lack::is_taken(rule, &request.operation)) {
            (Some(expires), _) if rule.has_expired(now) => {
                (false, format!("was for {} until {expires}", rule.written))
            }
            (_, true) => (true, format!("forbids {subject}")),
            (_, false) => (false, "is for other changes of it".to_owned()),
        };
    }
    match git::lack::lack(rule, &request.operation, now) {
        None => {
            let is_push = matches!(request.operation, GitOperation::Push { .. });
            let later = match rule.commits.as_ref().filter(|_| is_push) {
                Some(_) => {
                    ", if its commits are as `commits` says, which is known when they are there"
                }
                None => "",
            };
            (true, format!("allows {subject}{later}"))
        }
        Some(lack) => (false, git::words::lacking(&lack, rule)),
    }
}

fn consider_forbid(rule: &Rule, query: &Query<'_>, now: Timestamp) -> Considered {
    let subject = Subject(query);
    let (matches, because) = match bar(rule, query, now) {
        Bar::Everything => (true, format!("forbids {subject}")),
        Bar::Unread(None) => (
            true,
            format!("forbids what cannot be read on {}", query.destination),
        ),
        Bar::Unread(Some(miss)) | Bar::Nothing(miss) => (false, missed(miss, rule, query)),
    };
    Considered {
        rule: rule.reference.clone(),
        matches,
        because,
    }
}

fn consider_allow(rule: &Rule, query: &Query<'_>, now: Timestamp) -> Considered {
    let (matches, because) = match fit(rule, query, now) {
        Fit::Covers(offered) => {
            let subject = Subject(query);
            (true, format!("allows {subject} as {}", names(offered)))
        }
        Fit::Misses(miss) => (false, missed(miss, rule, query)),
    };
    Considered {
        rule: rule.reference.clone(),
        matches,
        because,
    }
}

fn names(protocols: Protocols) -> String {
    let known = [
        (Protocols::TLS | Protocols::TUNNEL, "TLS"),
        (Protocols::HTTPS, "HTTPS that is read"),
        (Protocols::HTTP, "plain HTTP"),
        (Protocols::OPAQUE, "other bytes"),
    ];
    let names: Vec<_> = known
        .into_iter()
        .filter_map(|(protocol, name)| protocols.has(protocol).then_some(name))
        .collect();
    names.join(" or ")
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Decision {
            effect,
            code,
            reason,
            ..
        } = &self.decision;
        writeln!(f, "{effect} ({code}): {reason}")?;
        for Considered {
            rule,
            matches,
            because,
        } in &self.considered
        {
            let mark = if *matches {
                "applies"
            } else {
                "does not apply"
            };
            writeln!(f, "  {rule} {mark}: {because}")?;
        }
        writeln!(
            f,
            "  {} rules are about other destinations",
            self.other_rules
        )?;
        match &self.decision.next_step {
            Some(step) => writeln!(f, "next: {step}"),
            None => Ok(()),
        }
    }
}
