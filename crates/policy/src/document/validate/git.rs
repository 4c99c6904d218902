//! What the sections `git` and `gitUpstreams` must satisfy beyond their shape.

mod upstreams;

use std::collections::BTreeMap;

use ringfence_model::Access;
use ringfence_model::git::UpstreamKind;

use super::super::outline::Part;
use super::super::{
    CommitConditions, GitMatch, GitRule, Profile, PushLimits, RefChangeWord, RefPattern,
    check_repositories,
};
use super::{Fault, Ids, check_lists, check_text};
use crate::limits::{MOST_PUSH_OBJECTS, MOST_PUSH_REFS};
pub(super) use upstreams::check_upstream_set;
use upstreams::{Upstreams, check_upstreams};

/// Checks both sections of one profile.
pub(super) fn check_git(profile: &Profile) -> Result<(), Fault> {
    let upstreams = check_upstreams(profile)?;
    let mut ids = Ids::default();
    for (index, rule) in profile.git.iter().enumerate() {
        let effect = Part::Key(if rule.is_forbid() { "forbid" } else { "allow" });
        let place = [Part::Key("git"), Part::Item(index), effect];
        check_rule(rule, &upstreams)
            .and_then(|()| ids.add(rule.terms().id.as_ref()))
            .map_err(|fault| fault.below(&place))?;
    }
    Ok(())
}

fn check_rule(rule: &GitRule, upstreams: &Upstreams) -> Result<(), Fault> {
    let terms = rule.terms();
    check_repository(terms, upstreams)?;
    let files = terms.paths.as_ref();
    let allowed = files.and_then(|files| files.allow.as_ref());
    check_lists(&[
        ("refs", terms.refs.as_ref().map(BTreeMap::len)),
        ("readRefs", terms.read_refs.as_ref().map(Vec::len)),
        ("pushOptions", terms.push_options.as_ref().map(Vec::len)),
    ])?;
    let below_paths = |fault: Fault| fault.below(&[Part::Key("paths")]);
    check_lists(&[("allow", allowed.map(Vec::len))]).map_err(below_paths)?;
    // An empty list of denied files is not absent: it denies none.
    let denied = files.and_then(|files| files.deny.as_ref()).map(Vec::len);
    check_lists(&[("deny", denied.filter(|&length| length > 0))]).map_err(below_paths)?;
    if let Some(text) = &terms.reason {
        check_text(text).map_err(|fault| fault.below(&[Part::Key("reason")]))?;
    }
    check_changes(terms)?;
    if rule.is_forbid() {
        check_forbid(terms)
    } else {
        check_allow(terms, upstreams)
    }
}

fn check_repository(terms: &GitMatch, upstreams: &Upstreams) -> Result<(), Fault> {
    let (name, key) = match (&terms.repo, &terms.repo_regex) {
        (Some(_), Some(_)) => {
            let message = "a rule has `repo` or `repoRegex`, not both";
            let help = "write two rules";
            return Err(Fault::new(&[Part::Key("repoRegex")], message, help));
        }
        (None, None) => {
            let message = "the rule has neither `repo` nor `repoRegex`";
            let help = "add `repo: SERVER/PATH`, as in `github/acme/docs`";
            return Err(Fault::new(&[], message, help));
        }
        (Some(pattern), None) => (pattern.upstream(), "repo"),
        (None, Some(regex)) => (regex.upstream(), "repoRegex"),
    };
    let Some(upstream) = upstreams.get(name) else {
        return Err(Fault::new(
            &[Part::Key(key)],
            format!("there is no git server `{name}`"),
            "known are `github`, `gitlab`, `azure-devops`, `bitbucket`, `codeberg` and those of `gitUpstreams` in the same profile",
        ));
    };
    check_repositories(terms, upstream).map_err(|error| {
        let help = match upstream.kind {
            UpstreamKind::AzureDevops => {
                "write it as `azure-devops/ORGANISATION/PROJECT/REPOSITORY`"
            }
            _ => "write it as the server names it, as in `github/acme/docs`",
        };
        Fault::new(&[Part::Key(key)], error.to_string(), help)
    })
}

/// Each word must be one that can happen to such a ref.
fn check_changes(terms: &GitMatch) -> Result<(), Fault> {
    for (pattern, words) in terms.refs.iter().flatten() {
        let at = [Part::Key("refs")];
        if words.is_empty() {
            let message = format!("`{pattern}` has an empty list, which matches nothing");
            let help = "name at least one change, as in `[create, fast-forward]`";
            return Err(Fault::new(&at, message, help));
        }
        if let Some(word) = words.iter().find(|word| !can_happen(**word, pattern)) {
            let word = word.change().as_str();
            let message = format!("`{word}` never happens to `{pattern}`");
            let help = "tags have `tag-create`, `tag-move` and `delete`; other refs have `create`, `fast-forward`, `force` and `delete`";
            return Err(Fault::new(&at, message, help));
        }
    }
    Ok(())
}

fn can_happen(word: RefChangeWord, pattern: &RefPattern) -> bool {
    let is_tag = pattern.namespace() == "tags";
    word == RefChangeWord::Delete || word.is_of_tags() == is_tag
}

fn check_allow(terms: &GitMatch, upstreams: &Upstreams) -> Result<(), Fault> {
    let writes = terms.access == Some(Access::Write);
    let of_writing = [
        ("refs", terms.refs.is_some()),
        ("paths", terms.paths.is_some()),
        ("commits", terms.commits.is_some()),
        ("limits", terms.limits.is_some()),
        ("pushOptions", terms.push_options.is_some()),
        ("secrets", terms.secrets.is_some()),
        ("approval", terms.approval.is_some()),
    ];
    if let Some((name, _)) = of_writing.iter().find(|(_, is_there)| *is_there && !writes) {
        return Err(Fault::new(
            &[Part::Key(name)],
            format!("`{name}` is about pushes, which the rule does not allow"),
            "add `access: write`, or leave it out; `readRefs` limits which refs are read",
        ));
    }
    let upstream = terms.upstream().and_then(|name| upstreams.get(name));
    let of_upstream = upstream.and_then(|upstream| upstream.credential.as_ref());
    if terms.token_required && terms.credential.as_ref().or(of_upstream).is_none() {
        return Err(Fault::new(
            &[Part::Key("tokenRequired")],
            "`tokenRequired` says how a credential is used, and the rule has none",
            "add `credential: NAME`, or leave it out",
        ));
    }
    if let Some(commits) = &terms.commits {
        check_commits(commits).map_err(|fault| fault.below(&[Part::Key("commits")]))?;
    }
    match &terms.limits {
        Some(limits) => check_limits(limits).map_err(|fault| fault.below(&[Part::Key("limits")])),
        None => Ok(()),
    }
}

fn check_commits(commits: &CommitConditions) -> Result<(), Fault> {
    let lists = [
        ("authors", commits.authors.as_ref().map(Vec::len)),
        ("committers", commits.committers.as_ref().map(Vec::len)),
        ("signers", commits.signers.as_ref().map(Vec::len)),
    ];
    if lists.iter().all(|(_, length)| length.is_none()) {
        return Err(Fault::new(
            &[],
            "`commits` asks for nothing",
            "name `authors`, `committers` or `signers`, or leave it out",
        ));
    }
    check_lists(&lists)
}

fn check_limits(limits: &PushLimits) -> Result<(), Fault> {
    let stated = [
        ("packOctets", limits.pack_octets, u64::MAX),
        ("objects", limits.objects, MOST_PUSH_OBJECTS),
        ("inflatedOctets", limits.inflated_octets, u64::MAX),
        ("refs", limits.refs, MOST_PUSH_REFS),
        ("lfsOctets", limits.lfs_octets, u64::MAX),
    ];
    if stated.iter().all(|(_, value, _)| value.is_none()) {
        return Err(Fault::new(
            &[],
            "`limits` has no limit",
            "write one, or leave it out",
        ));
    }
    let is_wrong = |value: Option<u64>, most| value.is_some_and(|value| value == 0 || value > most);
    match stated
        .iter()
        .find(|(_, value, most)| is_wrong(*value, *most))
    {
        Some((name, _, most)) => Err(Fault::new(
            &[Part::Key(name)],
            format!("`{name}` is a number from 1 to {most}"),
            "a push that a rule allows has something in it",
        )),
        None => Ok(()),
    }
}

/// A forbid takes requests away; it says nothing about how they would be sent.
fn check_forbid(terms: &GitMatch) -> Result<(), Fault> {
    let of_allows = [
        ("readRefs", terms.read_refs.is_some()),
        ("credential", terms.credential.is_some()),
        ("tokenRequired", terms.token_required),
        ("paths", terms.paths.is_some()),
        ("commits", terms.commits.is_some()),
        ("limits", terms.limits.is_some()),
        ("pushOptions", terms.push_options.is_some()),
        ("secrets", terms.secrets.is_some()),
        ("approval", terms.approval.is_some()),
    ];
    if let Some((name, _)) = of_allows.iter().find(|(_, is_there)| *is_there) {
        return Err(Fault::new(
            &[Part::Key(name)],
            format!("a forbid has no `{name}`"),
            "leave it out: a forbid is about requests, whatever becomes of them",
        ));
    }
    // Who may write may read: reading is forbidden with writing, or not at all.
    if terms.access == Some(Access::Read) {
        return Err(Fault::new(
            &[Part::Key("access")],
            "a forbid of reading alone would leave writing, which reads as well",
            "leave `access` out to forbid both",
        ));
    }
    if terms.refs.is_some() && terms.access.is_some() {
        return Err(Fault::new(
            &[Part::Key("access")],
            "a forbid with `refs` is about changes of those refs",
            "leave `access` out",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
