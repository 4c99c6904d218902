//! The narrowest git rule that would allow a git request: this repository, these changes of refs.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ringfence_model::git::{GitOperation, GitRequest, RefChange, RefUpdate};
use ringfence_model::{CredentialName, RuleRef};

use crate::compile::{GitRule as Compiled, Snapshot};
use crate::decide::git::lack;
use crate::document::{GitMatch, GitRule, ProfileRule, RefChangeWord, RefPattern, TextPattern};

impl Snapshot {
    /// None where the request is allowed, or where a rule that names it would not help.
    pub(super) fn suggest_git(&self, request: &GitRequest, now: Timestamp) -> Option<ProfileRule> {
        if self.decide_git(request, now).decision.is_allow() {
            return None;
        }
        let server = self.git.server(request.repo.upstream())?;
        let access = request.operation.access();
        let terms = GitMatch {
            repo: request.repo.to_string().parse().ok(),
            access: Some(access),
            refs: refs(&request.operation)?,
            credential: self.credential_for(request),
            push_options: options(&request.operation)?,
            ..GitMatch::default()
        };
        let rule = GitRule::Allow(Box::new(terms));
        let compiled = Compiled::of(RuleRef(String::new()), &rule, &server.upstream)?;
        let forbids = self.git.forbids.about(&request.repo);
        let is_forbidden = forbids
            .iter()
            .any(|rule| !rule.has_expired(now) && lack::is_taken(rule, &request.operation));
        let helps = lack::lack(&compiled, &request.operation, now).is_none();
        let is_elsewhere = self.is_git_barred(request, now);
        (helps && !is_forbidden && !is_elsewhere).then(|| ProfileRule::Git(Box::new(rule)))
    }

    /// The credential of the rules that are about the repository, where all have the same.
    fn credential_for(&self, request: &GitRequest) -> Option<CredentialName> {
        let rules = self.git.allows.about(&request.repo);
        let (first, rest) = rules.split_first()?;
        let is_one = rest.iter().all(|rule| rule.credential == first.credential);
        first.credential.clone().filter(|_| is_one)
    }
}

/// The options of a push. None where one is not written as a pattern for itself.
fn options(operation: &GitOperation) -> Option<Option<Vec<TextPattern>>> {
    let GitOperation::Push { options, .. } = operation else {
        return Some(None);
    };
    let exact = |option: &String| option.parse().ok().filter(|_| !option.contains('*'));
    let options: Vec<_> = options.iter().map(exact).collect::<Option<_>>()?;
    Some((!options.is_empty()).then_some(options))
}

/// The refs of a push with what happens to each. None where one has a name that no pattern has.
fn refs(operation: &GitOperation) -> Option<Option<BTreeMap<RefPattern, Vec<RefChangeWord>>>> {
    let GitOperation::Push { updates, .. } = operation else {
        return Some(None);
    };
    let mut refs: BTreeMap<RefPattern, Vec<RefChangeWord>> = BTreeMap::new();
    for RefUpdate { name, change, .. } in updates {
        let word = match change {
            RefChange::Update => RefChangeWord::FastForward,
            known => RefChangeWord::of(*known)?,
        };
        // Braces and stars are not in the names of refs that are suggested: a pattern has others.
        let pattern = name.as_str();
        if pattern.contains(['{', '}', '*']) {
            return None;
        }
        refs.entry(pattern.parse().ok()?).or_default().push(word);
    }
    Some(Some(refs))
}
