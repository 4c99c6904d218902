//! Why may X, why may X not: the decision with every rule that is about its destination.

use std::fmt;

use jiff::Timestamp;
use ringfence_model::{Action, Decision, RuleRef};
use serde::{Deserialize, Serialize};

use crate::compile::{Protocols, Rule, Snapshot};
use crate::decide::words::{Subject, missed};
use crate::decide::{Bar, Fit, Query, bar, fit};

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
