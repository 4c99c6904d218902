//! What differs between two policies: in their rules, and in what they decide.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;

use jiff::Timestamp;
use ringfence_model::{Action, Generation, RuleRef};
use serde::{Deserialize, Serialize};

use super::DecisionChange;
use crate::compile::{
    Snapshot, api_reference, git_reference, llm_reference, mcp_reference, network_reference,
    provider_reference, server_reference, upstream_reference,
};
use crate::document::{Profile, ProfileRule};
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
    pub before: Option<ProfileRule>,
    /// How it reads.
    pub after: Option<ProfileRule>,
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
        let before = old.decide_recorded(action, now).decision.effect;
        let after = new.decide_recorded(action, now).decision;
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
    let partners = partners(before, after);
    let (old, new) = without_common(
        named_rules(before, &BTreeMap::new()),
        named_rules(after, &partners),
    );
    let mut diff = PolicyDiff::default();
    let (old, new) = pair(old, new, &mut diff.changed, |named| named.identity.clone());
    let (old, new) = pair(old, new, &mut diff.changed, |named| {
        format!("{} {}", named.profile, named.rule.subject())
    });
    diff.removed = old.iter().map(|named| named.change(true)).collect();
    diff.added = new.iter().map(|named| named.change(false)).collect();
    diff.removed.sort_by(|a, b| a.rule.cmp(&b.rule));
    diff
}

/// The profile that each of `after` is compared with: the one of the same name; where as many are
/// left on both sides, the one at the same place among them, because a new version of a profile may
/// have a new name.
fn partners<'a>(before: &'a [Profile], after: &'a [Profile]) -> BTreeMap<&'a str, &'a str> {
    let names = |profiles: &'a [Profile], others: &'a [Profile]| -> Vec<&'a str> {
        let is_left = |profile: &&Profile| others.iter().all(|other| other.name != profile.name);
        let left = profiles.iter().filter(is_left);
        left.map(|profile| profile.name.as_str()).collect()
    };
    let (old, new) = (names(before, after), names(after, before));
    if old.len() == new.len() {
        new.into_iter().zip(old).collect()
    } else {
        BTreeMap::new()
    }
}

/// A rule with what makes it the same rule in two versions.
struct Named<'a> {
    /// The name of its profile, in the earlier policy where that has one to compare with.
    profile: &'a str,
    /// Profile and id, or else destination.
    identity: String,
    reference: RuleRef,
    rule: ProfileRule,
}

impl Named<'_> {
    fn change(&self, is_before: bool) -> RuleChange {
        let rule = Some(self.rule.clone());
        let (before, after) = if is_before {
            (rule, None)
        } else {
            (None, rule)
        };
        RuleChange {
            rule: self.reference.clone(),
            before,
            after,
        }
    }
}

fn named_rules<'a>(
    profiles: &'a [Profile],
    partners: &BTreeMap<&'a str, &'a str>,
) -> Vec<Named<'a>> {
    let mut named = Vec::new();
    for profile in profiles {
        let own = profile.name.as_str();
        let compared = partners.get(own).copied().unwrap_or(own);
        for (reference, rule) in rules(profile) {
            let what = match rule.id() {
                Some(id) => format!("{} id {id}", rule.section()),
                None => rule.subject(),
            };
            named.push(Named {
                profile: compared,
                identity: format!("{compared} {what}"),
                reference,
                rule,
            });
        }
    }
    named
}

/// The rules of all sections of a profile, with their names.
fn rules(profile: &Profile) -> impl Iterator<Item = (RuleRef, ProfileRule)> {
    let network = profile.network.iter().enumerate().map(|(index, rule)| {
        let reference = network_reference(profile, index, rule);
        (reference, ProfileRule::Network(Box::new(rule.clone())))
    });
    let api = profile.api.iter().enumerate().map(|(index, rule)| {
        let reference = api_reference(profile, index, rule);
        (reference, ProfileRule::Api(Box::new(rule.clone())))
    });
    let git = profile.git.iter().enumerate().map(|(index, rule)| {
        let reference = git_reference(profile, index, rule);
        (reference, ProfileRule::Git(Box::new(rule.clone())))
    });
    let servers = profile.git_upstreams.iter().map(|terms| {
        let reference = upstream_reference(profile, terms);
        (reference, ProfileRule::GitUpstream(Box::new(terms.clone())))
    });
    let llm = profile.llm.iter().enumerate().map(|(index, rule)| {
        let reference = llm_reference(profile, index, rule);
        (reference, ProfileRule::Llm(Box::new(rule.clone())))
    });
    let providers = profile.llm_providers.iter().map(|terms| {
        let reference = provider_reference(profile, &terms.name);
        (reference, ProfileRule::LlmProvider(Box::new(terms.clone())))
    });
    let mcp = profile.mcp.iter().enumerate().map(|(index, rule)| {
        let reference = mcp_reference(profile, index, rule);
        (reference, ProfileRule::Mcp(Box::new(rule.clone())))
    });
    let mcp_servers = profile.mcp_servers.iter().map(|terms| {
        let reference = server_reference(profile, &terms.name);
        (reference, ProfileRule::McpServer(Box::new(terms.clone())))
    });
    let (of_git, of_llm) = (git.chain(servers), llm.chain(providers));
    let of_mcp = mcp.chain(mcp_servers);
    network.chain(api).chain(of_git).chain(of_llm).chain(of_mcp)
}

/// Moves the rules that are the same by `key` to `changed`, and gives what is left.
fn pair<'a>(
    old: Vec<Named<'a>>,
    new: Vec<Named<'a>>,
    changed: &mut Vec<RuleChange>,
    key: impl Fn(&Named<'_>) -> String,
) -> (Vec<Named<'a>>, Vec<Named<'a>>) {
    let mut earlier: BTreeMap<String, VecDeque<Named<'a>>> = BTreeMap::new();
    for named in old {
        earlier.entry(key(&named)).or_default().push_back(named);
    }
    let mut left = Vec::new();
    for named in new {
        match earlier.get_mut(&key(&named)).and_then(VecDeque::pop_front) {
            Some(partner) => changed.push(RuleChange {
                before: Some(partner.rule.clone()),
                ..named.change(false)
            }),
            None => left.push(named),
        }
    }
    (earlier.into_values().flatten().collect(), left)
}

/// Takes away the rules that read the same in both, one for one.
fn without_common<'a>(
    old: Vec<Named<'a>>,
    new: Vec<Named<'a>>,
) -> (Vec<Named<'a>>, Vec<Named<'a>>) {
    let mut counts: HashMap<(&'a str, &'static str, String), usize> = HashMap::new();
    let key = |named: &Named<'a>| {
        let rule = &named.rule;
        (named.profile, rule.section(), rule.to_line())
    };
    for named in &old {
        *counts.entry(key(named)).or_default() += 1;
    }
    let mut take = |named: &Named<'a>| match counts.get_mut(&key(named)) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    };
    let new: Vec<_> = new.into_iter().filter(|named| !take(named)).collect();
    // What is left in the counts was not in the new policy.
    let old = old.into_iter().filter(|named| take(named)).collect();
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

/// `-` and `+` for a rule of one policy; `~` for one of both, with how it read and how it reads.
impl fmt::Display for RuleChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rule = &self.rule;
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => {
                writeln!(f, "~ {rule}: {}", before.to_line())?;
                writeln!(f, "  now: {}", after.to_line())
            }
            (Some(before), None) => writeln!(f, "- {rule}: {}", before.to_line()),
            (None, Some(after)) => writeln!(f, "+ {rule}: {}", after.to_line()),
            (None, None) => Ok(()),
        }
    }
}
