//! What differs between two policies: in their rules, and in what they decide.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;

use jiff::Timestamp;
use ringfence_model::{Action, Generation, RuleRef};
use serde::{Deserialize, Serialize};

use super::DecisionChange;
use crate::compile::{Snapshot, reference};
use crate::document::{NetworkRule, Profile};
use crate::error::PolicyError;

/// The differences between two sets of profiles. A rule that only moved is no difference.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyDiff {
    /// Rules that only the later policy has.
    pub added: Vec<RuleChange>,
    /// Rules that only the earlier policy has.
    pub removed: Vec<RuleChange>,
    /// Rules of the same id, or else of the same effect and destination, that read otherwise.
    pub changed: Vec<RuleChange>,
    /// Sample actions that are decided otherwise.
    pub decisions: Vec<DecisionChange>,
}

/// A rule of one policy or of both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleChange {
    /// Its name, in the later policy where it is there.
    pub rule: RuleRef,
    /// How it read.
    pub before: Option<NetworkRule>,
    /// How it reads.
    pub after: Option<NetworkRule>,
}

/// Compares two sets of profiles, and what they decide about `samples` as of `now`.
///
/// # Errors
/// When one of the sets is not valid.
pub fn diff(
    before: &[Profile],
    after: &[Profile],
    samples: &[Action],
    now: Timestamp,
) -> Result<PolicyDiff, PolicyError> {
    let old = Snapshot::compile(Generation(1), before)?;
    let new = Snapshot::compile(Generation(2), after)?;
    Ok(PolicyDiff {
        decisions: changed_decisions(&old, &new, samples, now),
        ..changed_rules(before, after)
    })
}

fn changed_decisions(
    old: &Snapshot,
    new: &Snapshot,
    samples: &[Action],
    now: Timestamp,
) -> Vec<DecisionChange> {
    let change = |action: &Action| {
        let before = old.decide(action, now).decision.effect;
        let after = new.decide(action, now).decision;
        (before != after.effect).then(|| DecisionChange {
            action: action.clone(),
            count: 1,
            before,
            after,
        })
    };
    samples.iter().filter_map(change).collect()
}

fn changed_rules(before: &[Profile], after: &[Profile]) -> PolicyDiff {
    let (old, new) = without_common(named_rules(before), named_rules(after));
    let mut diff = PolicyDiff::default();
    let mut earlier: BTreeMap<String, VecDeque<RuleChange>> = BTreeMap::new();
    for (key, rule, before) in old {
        earlier.entry(key).or_default().push_back(RuleChange {
            rule,
            before: Some(before.clone()),
            after: None,
        });
    }
    for (key, rule, after) in new {
        let partner = earlier.get_mut(&key).and_then(VecDeque::pop_front);
        let list = if partner.is_some() {
            &mut diff.changed
        } else {
            &mut diff.added
        };
        list.push(RuleChange {
            rule,
            before: partner.and_then(|partner| partner.before),
            after: Some(after.clone()),
        });
    }
    diff.removed = earlier.into_values().flatten().collect();
    diff.removed.sort_by(|a, b| a.rule.cmp(&b.rule));
    diff
}

/// What makes two rules the same rule in two versions, its name, and the rule.
type Named<'a> = (String, RuleRef, &'a NetworkRule);

fn named_rules(profiles: &[Profile]) -> Vec<Named<'_>> {
    profiles.iter().flat_map(rules_of).collect()
}

fn rules_of(profile: &Profile) -> impl Iterator<Item = Named<'_>> {
    let rules = profile.network.iter().enumerate();
    rules.map(|(index, rule)| {
        let name = reference(profile, index, rule);
        (identity(profile, rule), name, rule)
    })
}

fn identity(profile: &Profile, rule: &NetworkRule) -> String {
    let terms = rule.terms();
    let name = &profile.name;
    match (&terms.id, &terms.host, &terms.cidr) {
        (Some(id), ..) => format!("{name} id {id}"),
        (None, Some(host), _) => format!("{name} {} host {host}", rule.is_forbid()),
        (None, None, Some(cidr)) => format!("{name} {} cidr {cidr}", rule.is_forbid()),
        (None, None, None) => format!("{name} nothing"),
    }
}

/// Takes away the rules that read the same in both, one for one.
fn without_common<'a>(
    old: Vec<Named<'a>>,
    new: Vec<Named<'a>>,
) -> (Vec<Named<'a>>, Vec<Named<'a>>) {
    let mut counts: HashMap<(String, String), usize> = HashMap::new();
    let key = |(identity, _, rule): &Named<'a>| (identity.clone(), rule.to_line());
    for rule in &old {
        *counts.entry(key(rule)).or_default() += 1;
    }
    let mut take = |rule: &Named<'a>| match counts.get_mut(&key(rule)) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    };
    let new: Vec<_> = new.into_iter().filter(|rule| !take(rule)).collect();
    // What is left in the counts was not in the new policy.
    let old = old.into_iter().filter(|rule| take(rule)).collect();
    (old, new)
}

impl fmt::Display for PolicyDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in self.removed.iter().chain(&self.added).chain(&self.changed) {
            write!(f, "{change}")?;
        }
        for change in &self.decisions {
            let (before, after) = (change.before, &change.after);
            let action = &change.action;
            writeln!(
                f,
                "{action}: {before} becomes {}: {}",
                after.effect, after.reason
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for RuleChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(before) = &self.before {
            writeln!(f, "- {}: {}", self.rule, before.to_line())?;
        }
        match &self.after {
            Some(after) => writeln!(f, "+ {}: {}", self.rule, after.to_line()),
            None => Ok(()),
        }
    }
}
