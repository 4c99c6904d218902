//! Decisions on git requests in words, each in one line: git prints them behind `remote:`, and in
//! the brackets of `[remote rejected]`.

use ringfence_model::Access;
use ringfence_model::git::{GitRequest, RefChange, RefUpdate, RepoId};

use super::commits::CommitFault;
use super::judge::Fault;
use super::lack::Lack;
use crate::compile::GitRule;
use crate::decide::words::List;
use crate::document::{EmailPattern, RefPattern};
use crate::error::quoted;

/// What was wanted: `git fetch github/acme/docs`.
pub(crate) fn subject(request: &GitRequest) -> String {
    quoted(&request.to_string())
}

pub(super) fn allowed(rule: &GitRule, request: &GitRequest) -> String {
    format!("rule {} allows {}", rule.reference, subject(request))
}

/// Says the same of a repository that no rule names and of one that a rule forbids: the difference
/// would tell the agent which repositories there are.
pub(super) fn nothing_allows(request: &GitRequest) -> String {
    let verb = request.operation.verb();
    format!(
        "no rule allows git {verb} {}",
        quoted(&request.repo.to_string())
    )
}

pub(super) fn after_nothing(request: &GitRequest) -> String {
    let access = match request.operation.access() {
        Access::Read => "read",
        Access::Write => "write",
    };
    let repo = quoted(&request.repo.to_string());
    format!(
        "a person can add to `git` of a profile: - allow: {{repo: \"{repo}\", access: {access}}}"
    )
}

pub(super) fn forbidden(rule: &GitRule, request: &GitRequest) -> String {
    because(
        format!("rule {} forbids {}", rule.reference, subject(request)),
        rule,
    )
}

pub(super) fn forbids_change(rule: &GitRule, update: &RefUpdate) -> String {
    let what = format!("{} {}", change(update.change), quoted(update.name.as_str()));
    because(format!("rule {} forbids to {what}", rule.reference), rule)
}

fn because(start: String, rule: &GitRule) -> String {
    match &rule.reason {
        Some(reason) => format!("{start}: {}", quoted(reason)),
        None => start,
    }
}

pub(super) fn after_forbid(rule: &GitRule) -> String {
    let rule = &rule.reference;
    format!("a forbid wins over every allow: a person can change rule {rule}")
}

/// What a rule with a lack does allow, and what was wanted.
pub(crate) fn lacking(lack: &Lack, rule: &GitRule) -> String {
    let repos = &rule.written;
    match lack {
        Lack::Access => format!("lets {repos} be read, not written"),
        Lack::TooManyRefs(count) => format!(
            "lets one push change {} refs, not {count}",
            rule.limits.refs
        ),
        Lack::Ref(name, wanted) => {
            let name = quoted(name.as_str());
            format!("{}, not to {} {name}", granted(rule), change(*wanted))
        }
        Lack::NotForward(name, RefChange::Update) => format!(
            "lets {} move forward, which cannot be proven of this push",
            quoted(name.as_str())
        ),
        Lack::NotForward(name, _) => format!(
            "lets {} move forward, and this push moves it elsewhere",
            quoted(name.as_str())
        ),
        Lack::LfsRef(name) => format!("{}, not to change {}", granted(rule), quoted(name)),
        Lack::LfsSize => format!(
            "lets an LFS object have {} octets at most",
            rule.limits.lfs_octets
        ),
        Lack::Option(option) => format!("does not allow the push option \"{}\"", quoted(option)),
        Lack::Expired => match rule.expires {
            Some(expires) => format!("was for {repos} until {expires}"),
            None => format!("is for {repos}"),
        },
    }
}

/// What a rule lets happen to refs.
fn granted(rule: &GitRule) -> String {
    let Some(first) = rule.changes.first() else {
        return "lets no ref change".to_owned();
    };
    let alike = rule.changes.iter().filter(|it| it.words == first.words);
    let patterns: Vec<&RefPattern> = alike.map(|it| &it.refs.written).collect();
    let words = first.words.iter().map(|word| change(word.change()));
    let words: Vec<_> = words.collect();
    let more = if patterns.len() < rule.changes.len() {
        " and other changes of other refs"
    } else {
        ""
    };
    format!("allows to {} {}{more}", words.join(", "), List(&patterns))
}

const fn change(change: RefChange) -> &'static str {
    match change {
        RefChange::Create => "create",
        RefChange::FastForward => "fast-forward",
        RefChange::Force => "force",
        RefChange::Update => "update",
        RefChange::Delete => "delete",
        RefChange::TagCreate => "create the tag",
        RefChange::TagMove => "move the tag",
    }
}

pub(super) fn after_lack(lack: &Lack, rule: &GitRule) -> String {
    let rule = &rule.reference;
    match lack {
        Lack::Access => format!("a person can set `access: write` in rule {rule}"),
        Lack::Ref(name, wanted) => {
            let word = match wanted {
                RefChange::Update => RefChange::FastForward.as_str(),
                other => other.as_str(),
            };
            let name = quoted(name.as_str());
            format!("a person can add `\"{name}\": [{word}]` to `refs` of rule {rule}")
        }
        Lack::NotForward(..) => format!(
            "rebase on the remote branch, or a person can add `force` to `refs` of rule {rule}"
        ),
        Lack::LfsRef(_) => format!("a person can change `refs` of rule {rule}"),
        Lack::TooManyRefs(_) => {
            format!("push fewer refs at a time, or a person can set `limits` in rule {rule}")
        }
        Lack::LfsSize => format!("a person can set `limits` in rule {rule}"),
        Lack::Option(_) => format!("a person can set `pushOptions` in rule {rule}"),
        Lack::Expired => format!("a person can set `expires` in rule {rule}"),
    }
}

/// What in a push a rule does not let through.
pub(super) fn faulty(fault: &Fault, rule: &GitRule, repo: &RepoId) -> String {
    let reference = &rule.reference;
    match fault {
        Fault::Lack(lack) => format!("rule {reference} {}", lacking(lack, rule)),
        Fault::TooLarge(what, has, most) => {
            format!("the push has {has} {what}, and rule {reference} allows {most}")
        }
        Fault::FilesUnknown => format!(
            "it cannot be told which files the push changes, and rule {reference} denies some"
        ),
        Fault::File(path, Some(pattern)) => {
            format!("the push changes {path}, and rule {reference} denies {pattern}")
        }
        Fault::File(path, None) => format!(
            "the push changes {path}, which is not among the files that rule {reference} allows"
        ),
        Fault::Filter(path) => {
            format!("the push changes {path} to name a filter, which rule {reference} denies")
        }
        Fault::CommitsUnknown => format!(
            "it cannot be told whose commits the push brings, and rule {reference} asks for it"
        ),
        Fault::Commit(oid, fault) => format!("commit {oid} {}", unlike(fault, rule)),
        Fault::OwnSecrets => "the push holds a credential or token of this gateway".to_owned(),
        Fault::Findings(count) => {
            format!("the push holds {count} of what looks like a secret")
        }
        Fault::Approval => {
            format!("rule {reference} wants a person to approve this push to {repo}")
        }
    }
}

/// How a commit is, and how a rule wants it.
fn unlike(fault: &CommitFault, rule: &GitRule) -> String {
    let reference = &rule.reference;
    let conditions = rule.commits.as_ref();
    let of = |patterns: Option<&Vec<EmailPattern>>| {
        let patterns: Vec<&EmailPattern> = patterns.into_iter().flatten().collect();
        List(&patterns).to_string()
    };
    let authors = || of(conditions.and_then(|it| it.authors.as_ref()));
    let committers = || of(conditions.and_then(|it| it.committers.as_ref()));
    match fault {
        CommitFault::Author(Some(email)) => format!(
            "is by {}, and rule {reference} allows commits by {}",
            quoted(email),
            authors()
        ),
        CommitFault::Committer(Some(email)) => format!(
            "was committed by {}, and rule {reference} allows {} to commit",
            quoted(email),
            committers()
        ),
        CommitFault::Author(None) => {
            format!("has no author's address that can be read, and rule {reference} asks for one")
        }
        CommitFault::Committer(None) => {
            format!(
                "has no committer's address that can be read, and rule {reference} asks for one"
            )
        }
        CommitFault::Unsigned => {
            format!("is not signed, and rule {reference} asks for a signature")
        }
        CommitFault::Unchecked => format!(
            "is not signed by an SSH key alone, and rule {reference} asks for such a signature"
        ),
        CommitFault::WrongSignature => "has a signature that is not one of this commit".to_owned(),
        CommitFault::Signer(fingerprint) => format!(
            "is signed by {}, which is not among the signers of rule {reference}",
            quoted(fingerprint)
        ),
    }
}

pub(super) fn after_fault(fault: &Fault, rule: &GitRule) -> String {
    let reference = &rule.reference;
    match fault {
        Fault::Lack(lack) => after_lack(lack, rule),
        Fault::TooLarge(..) => {
            format!("push less at a time, or a person can set `limits` in rule {reference}")
        }
        Fault::FilesUnknown | Fault::File(..) | Fault::Filter(_) => {
            format!("push without it, or a person can change `paths` of rule {reference}")
        }
        Fault::CommitsUnknown | Fault::Commit(..) => format!(
            "make the commits of the push anew, or a person can change `commits` of rule {reference}"
        ),
        Fault::OwnSecrets => "take it out of every commit of the push".to_owned(),
        Fault::Findings(_) => format!(
            "take it out of every commit of the push, or a person can set `secrets: observe` in rule {reference}"
        ),
        Fault::Approval => "a person can approve it; then push the same again".to_owned(),
    }
}
