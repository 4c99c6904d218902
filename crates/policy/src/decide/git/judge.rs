//! The second half of the decision on a push: when its objects have been read and its changes
//! proven, whether one rule allows all of it.

use std::sync::Arc;

use ringfence_model::ReasonCode;
use ringfence_model::git::{Oid, RefUpdate};

use super::commits::{self, CommitFault, PushedCommit};
use super::lack::{self, Lack, Proof};
use super::terms::{ChangedFiles, GitDenial, GitTerms, PushFacts};
use super::words;
use crate::compile::GitRule;
use crate::error::quoted;

/// What a rule does not let through in a push whose refs it lets change, from the farthest to the
/// closest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    Lack(Lack),
    /// A bound, in words, and what the push has.
    TooLarge(&'static str, u64, u64),
    // Secrets come before names of files and people, which are told and may hold one.
    /// Credentials or tokens of this gateway.
    OwnSecrets,
    /// What looks like a secret.
    Findings(u64),
    /// Which files it changes could not be told.
    FilesUnknown,
    /// A file, and the pattern that denies it; none where it is not among those that are allowed.
    File(String, Option<String>),
    /// Filters in a `.gitattributes`.
    Filter(String),
    /// Nobody looked at its commits.
    CommitsUnknown,
    /// A commit, and what is wrong with it.
    Commit(Oid, CommitFault),
    Approval,
}

pub(super) fn judge(terms: &GitTerms, facts: &PushFacts) -> Result<(), GitDenial> {
    for rule in &terms.forbids {
        if let Some(update) = lack::taken(rule, &facts.updates, Proof::Failed) {
            return Err(forbidden(rule, update));
        }
    }
    let mut closest: Option<(Fault, &Arc<GitRule>)> = None;
    for rule in &terms.rules {
        let Some(fault) = fault(rule, facts) else {
            return Ok(());
        };
        if closest.as_ref().is_none_or(|(known, _)| fault > *known) {
            closest = Some((fault, rule));
        }
    }
    match closest {
        Some((fault, rule)) => Err(denial(&fault, rule, terms)),
        // Terms have rules; without any, nothing allows it.
        None => Err(nobody(terms)),
    }
}

fn fault(rule: &GitRule, facts: &PushFacts) -> Option<Fault> {
    lack::push(rule, &facts.updates, &facts.options, Proof::Failed)
        .map(Fault::Lack)
        .or_else(|| too_large(rule, facts))
        .or_else(|| (facts.own_secrets > 0).then_some(Fault::OwnSecrets))
        .or_else(|| {
            let counts = facts.findings > 0 && !rule.observes_secrets;
            counts.then_some(Fault::Findings(facts.findings))
        })
        .or_else(|| files(rule, &facts.files))
        .or_else(|| commits(rule, facts.commits.as_deref()))
        .or_else(|| (rule.needs_approval && !facts.is_approved).then_some(Fault::Approval))
}

fn too_large(rule: &GitRule, facts: &PushFacts) -> Option<Fault> {
    let limits = &rule.limits;
    [
        ("octets of pack", facts.pack_octets, limits.pack_octets),
        ("objects", facts.objects, limits.objects),
        (
            "inflated octets",
            facts.inflated_octets,
            limits.inflated_octets,
        ),
    ]
    .into_iter()
    .find(|(_, has, most)| has > most)
    .map(|(what, has, most)| Fault::TooLarge(what, has, most))
}

fn files(rule: &GitRule, changed: &ChangedFiles) -> Option<Fault> {
    if !rule.files.matter() {
        return None;
    }
    let ChangedFiles::Known(changed) = changed else {
        return Some(Fault::FilesUnknown);
    };
    changed.iter().find_map(|file| {
        let shown = || quoted(&String::from_utf8_lossy(&file.path));
        if let Some(pattern) = rule.files.denying(&file.path) {
            return Some(Fault::File(shown(), Some(pattern.to_string())));
        }
        if !rule.files.are_allowed(&file.path) {
            return Some(Fault::File(shown(), None));
        }
        (file.names_filter && rule.files.denies_filters).then(|| Fault::Filter(shown()))
    })
}

fn commits(rule: &GitRule, pushed: Option<&[PushedCommit]>) -> Option<Fault> {
    let conditions = rule.commits.as_ref()?;
    let Some(pushed) = pushed else {
        return Some(Fault::CommitsUnknown);
    };
    pushed.iter().find_map(|commit| {
        let fault = commits::fault(conditions, commit)?;
        Some(Fault::Commit(commit.oid, fault))
    })
}

impl Fault {
    const fn code(&self) -> ReasonCode {
        match self {
            Self::Lack(lack) => lack.code(),
            Self::TooLarge(..) => ReasonCode::LimitReached,
            Self::FilesUnknown
            | Self::File(..)
            | Self::Filter(_)
            | Self::CommitsUnknown
            | Self::Commit(..)
            | Self::OwnSecrets
            | Self::Findings(_) => ReasonCode::ContentRefused,
            Self::Approval => ReasonCode::ApprovalNeeded,
        }
    }
}

fn denial(fault: &Fault, rule: &GitRule, terms: &GitTerms) -> GitDenial {
    let ref_name = match fault {
        Fault::Lack(Lack::Ref(name, _) | Lack::NotForward(name, _)) => Some(name.clone()),
        _ => None,
    };
    GitDenial {
        ref_name,
        code: fault.code(),
        reason: words::faulty(fault, rule, &terms.repo),
        rule: rule.reference.clone(),
        next_step: words::after_fault(fault, rule),
    }
}

fn forbidden(rule: &GitRule, update: &RefUpdate) -> GitDenial {
    GitDenial {
        ref_name: Some(update.name.clone()),
        code: ReasonCode::Forbidden,
        reason: words::forbids_change(rule, update),
        rule: rule.reference.clone(),
        next_step: words::after_forbid(rule),
    }
}

fn nobody(terms: &GitTerms) -> GitDenial {
    GitDenial {
        ref_name: None,
        code: ReasonCode::NoRule,
        reason: format!("no rule allows git push to {}", terms.repo),
        rule: ringfence_model::RuleRef(String::new()),
        next_step: "a person can write a rule".to_owned(),
    }
}
