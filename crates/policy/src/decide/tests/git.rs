//! Git rules: which repositories, which refs, and what is left to be judged.

mod commits;
mod connections;
mod judged;
mod oracle;
mod repositories;
mod sent;

use ringfence_model::Access;
use ringfence_model::git::{
    GitOperation, GitRequest, GitService, LfsDirection, ObjectFormat, Oid, RefChange, RefName,
    RefUpdate,
};

use super::*;

/// A policy of git rules, one for each line.
fn git(rules: &str) -> Snapshot {
    with("", rules)
}

/// The same with other sections in front.
fn with(others: &str, rules: &str) -> Snapshot {
    let mut yaml = format!("{HEAD}name: p\n{others}\ngit:\n");
    for rule in rules.lines().map(str::trim).filter(|line| !line.is_empty()) {
        writeln!(yaml, "  - {rule}").unwrap();
    }
    Snapshot::compile(Generation(7), &Profile::parse("p.yaml", &yaml).unwrap()).unwrap()
}

fn update(name: &str, change: RefChange) -> RefUpdate {
    let some = |octet| Oid::new(ObjectFormat::Sha1, &[octet; 20]).unwrap();
    let none = Oid::null(ObjectFormat::Sha1);
    RefUpdate {
        name: RefName::new(name).unwrap(),
        old: match change {
            RefChange::Create | RefChange::TagCreate => none,
            _ => some(1),
        },
        new: if change == RefChange::Delete {
            none
        } else {
            some(2)
        },
        change,
    }
}

fn push(updates: &[(&str, RefChange)]) -> GitOperation {
    GitOperation::Push {
        updates: updates
            .iter()
            .map(|(name, change)| update(name, *change))
            .collect(),
        options: Vec::new(),
        atomic: false,
    }
}

/// An unsigned commit of one person.
fn commit(email: &str) -> PushedCommit {
    PushedCommit {
        oid: Oid::new(ObjectFormat::Sha1, &[3; 20]).unwrap(),
        author: Some(email.to_owned()),
        committer: Some(email.to_owned()),
        signature: CommitSignature::Missing,
    }
}

fn fetch() -> GitOperation {
    GitOperation::Fetch {
        wants: 1,
        filter: None,
        shallow: false,
    }
}

fn to(snapshot: &Snapshot, repo: &str, operation: GitOperation) -> Verdict {
    let request = snapshot.git_request(repo, operation).unwrap();
    snapshot.decide(&Action::Git(request), now())
}

fn code(snapshot: &Snapshot, repo: &str, operation: GitOperation) -> ReasonCode {
    to(snapshot, repo, operation).decision.code
}

fn terms(verdict: &Verdict) -> &GitTerms {
    let terms = verdict.grant.as_ref().unwrap().terms.first().unwrap();
    terms.git.as_deref().unwrap()
}

/// Every operation, and whether it writes.
fn operations() -> Vec<GitOperation> {
    let batch = |direction| GitOperation::LfsBatch {
        direction,
        objects: 1,
        octets: 10,
        ref_name: None,
    };
    let transfer = |direction| GitOperation::LfsTransfer {
        direction,
        oid: "a".repeat(64),
        octets: 10,
    };
    vec![
        GitOperation::Discover {
            service: GitService::UploadPack,
        },
        GitOperation::Discover {
            service: GitService::ReceivePack,
        },
        GitOperation::ListRefs {
            prefixes: Vec::new(),
        },
        fetch(),
        GitOperation::Probe,
        push(&[("refs/heads/x", RefChange::Create)]),
        batch(LfsDirection::Download),
        batch(LfsDirection::Upload),
        transfer(LfsDirection::Download),
        transfer(LfsDirection::Upload),
        GitOperation::LfsLocks { query: None },
        GitOperation::LfsVerifyLocks,
        GitOperation::LfsLock {
            path: "a.bin".to_owned(),
        },
        GitOperation::LfsUnlock { id: "1".to_owned() },
    ]
}

#[test]
fn reading_allows_what_reads_and_writing_allows_all() {
    let snapshot = git("allow: {repo: github/acme/docs, access: read}
         allow: {repo: github/acme/web, access: write}
         allow: {repo: github/acme/old}");
    for operation in operations() {
        let reads = operation.access() == Access::Read;
        let expected = if reads {
            ReasonCode::Allowed
        } else {
            ReasonCode::AccessNotAllowed
        };
        for repo in ["github/acme/docs", "github/acme/old"] {
            assert_eq!(
                code(&snapshot, repo, operation.clone()),
                expected,
                "{operation:?}"
            );
        }
        let verdict = to(&snapshot, "github/acme/web", operation.clone());
        assert_eq!(verdict.decision.code, ReasonCode::Allowed, "{operation:?}");
        assert_eq!(verdict.decision.access, Some(operation.access()));
        assert_eq!(
            code(&snapshot, "github/acme/other", operation),
            ReasonCode::NoRule
        );
    }
}

#[test]
fn without_refs_branches_are_made_and_moved_forward_and_nothing_else_happens() {
    let snapshot = git("allow: {repo: github/acme/web, access: write}");
    for change in [RefChange::Create, RefChange::FastForward, RefChange::Update] {
        let operation = push(&[("refs/heads/any/name", change)]);
        assert_eq!(
            code(&snapshot, "github/acme/web", operation),
            ReasonCode::Allowed
        );
    }
    for (name, change, expected) in [
        ("refs/heads/x", RefChange::Delete, ReasonCode::RefNotAllowed),
        ("refs/heads/x", RefChange::Force, ReasonCode::NotFastForward),
        (
            "refs/tags/v1",
            RefChange::TagCreate,
            ReasonCode::RefNotAllowed,
        ),
        (
            "refs/tags/v1",
            RefChange::TagMove,
            ReasonCode::RefNotAllowed,
        ),
        ("refs/tags/v1", RefChange::Delete, ReasonCode::RefNotAllowed),
    ] {
        let operation = push(&[(name, change)]);
        assert_eq!(
            code(&snapshot, "github/acme/web", operation),
            expected,
            "{name} {change:?}"
        );
    }
    for namespace in [
        "for/main",
        "for/refs/heads/main",
        "meta/config",
        "replace/x",
        "notes/commits",
        "pull/1/head",
        "merge-requests/1/head",
        "changes/01/1/1",
        "stash",
        "remotes/origin/main",
        "Heads/x",
        "headsx/y",
        "keep-around/x",
    ] {
        let name = format!("refs/{namespace}");
        for change in [
            RefChange::Create,
            RefChange::Update,
            RefChange::Force,
            RefChange::Delete,
        ] {
            let operation = push(&[(&name, change)]);
            let found = code(&snapshot, "github/acme/web", operation);
            assert_eq!(found, ReasonCode::RefNotAllowed, "{name} {change:?}");
        }
    }
}

#[test]
fn each_change_is_allowed_by_its_own_word() {
    let all = [
        RefChange::Create,
        RefChange::FastForward,
        RefChange::Force,
        RefChange::Delete,
        RefChange::TagCreate,
        RefChange::TagMove,
    ];
    for (pattern, name, word, allowed) in [
        (
            "heads",
            "refs/heads/a/b",
            "create",
            &[RefChange::Create][..],
        ),
        (
            "heads",
            "refs/heads/a/b",
            "fast-forward",
            &[RefChange::FastForward],
        ),
        (
            "heads",
            "refs/heads/a/b",
            "force",
            &[RefChange::FastForward, RefChange::Force],
        ),
        ("heads", "refs/heads/a/b", "delete", &[RefChange::Delete]),
        ("tags", "refs/tags/a/b", "delete", &[RefChange::Delete]),
        (
            "tags",
            "refs/tags/a/b",
            "tag-create",
            &[RefChange::TagCreate],
        ),
        ("tags", "refs/tags/a/b", "tag-move", &[RefChange::TagMove]),
        ("notes", "refs/notes/a", "create", &[RefChange::Create]),
    ] {
        let rule = format!(
            "allow: {{repo: github/a/b, access: write, refs: {{'refs/{pattern}/**': [{word}]}}}}"
        );
        let snapshot = git(&rule);
        for change in all {
            let found = code(&snapshot, "github/a/b", push(&[(name, change)]));
            let expected = allowed.contains(&change);
            assert_eq!(found == ReasonCode::Allowed, expected, "{word} {change:?}");
        }
    }
}

#[test]
fn a_push_is_allowed_by_one_rule_as_a_whole() {
    let snapshot = git(
        "allow: {id: a, repo: github/acme/web, access: write, refs: {'refs/heads/a/**': [create]}}
         allow: {id: b, repo: github/acme/web, access: write, refs: {'refs/heads/b/**': [create], 'refs/tags/b*': [tag-create]}}",
    );
    let of = |names: &[&str]| {
        let updates: Vec<_> = names
            .iter()
            .map(|name| {
                let is_tag = name.starts_with("refs/tags/");
                let change = if is_tag {
                    RefChange::TagCreate
                } else {
                    RefChange::Create
                };
                (*name, change)
            })
            .collect();
        code(&snapshot, "github/acme/web", push(&updates))
    };
    assert_eq!(of(&["refs/heads/a/x"]), ReasonCode::Allowed);
    assert_eq!(
        of(&["refs/heads/b/x", "refs/tags/b1", "refs/heads/b/y"]),
        ReasonCode::Allowed
    );
    assert_eq!(
        of(&["refs/heads/a/x", "refs/heads/b/x"]),
        ReasonCode::RefNotAllowed
    );
    assert_eq!(
        of(&["refs/heads/b/x", "refs/heads/main"]),
        ReasonCode::RefNotAllowed
    );
    assert_eq!(
        of(&["refs/heads/main", "refs/heads/b/x"]),
        ReasonCode::RefNotAllowed
    );
}

#[test]
fn an_unknown_and_a_forbidden_repository_are_refused_in_the_same_words() {
    let snapshot = git("allow: {repo: 'github/acme/*', access: write}
         forbid: {repo: 'github/acme/secret*', reason: not for agents}");
    let shown = |repo: &str, operation: GitOperation| {
        let decision = to(&snapshot, repo, operation).decision;
        let text = serde_json::to_string(&decision).unwrap();
        text.replace("acme/secret", "REPO")
            .replace("other/thing", "REPO")
    };
    for operation in operations() {
        assert_eq!(
            shown("github/acme/secret", operation.clone()),
            shown("github/other/thing", operation.clone())
        );
        for repo in [
            "github/acme/SECRET-x",
            "github/acme/secret.wiki",
            "github/acme/secret.git",
        ] {
            assert_eq!(
                code(&snapshot, repo, operation.clone()),
                ReasonCode::NoRule,
                "{repo}"
            );
        }
    }
}

#[test]
fn a_forbid_of_writing_leaves_reading_and_says_so() {
    let snapshot = git("allow: {repo: 'github/acme/*', access: write}
         forbid: {id: frozen, repo: github/acme/old, access: write, reason: it is frozen}");
    assert_eq!(
        code(&snapshot, "github/acme/old", fetch()),
        ReasonCode::Allowed
    );
    let operation = push(&[("refs/heads/x", RefChange::Create)]);
    let decision = to(&snapshot, "github/acme/old", operation).decision;
    assert_eq!(decision.code, ReasonCode::Forbidden);
    assert_eq!(
        decision.reason,
        "rule p/git/frozen forbids git push to github/acme/old: create refs/heads/x: it is frozen"
    );
    // Where reading is not allowed either, the words would tell that the repository is there.
    let hidden = git("forbid: {repo: github/acme/old, access: write}");
    let operation = push(&[("refs/heads/x", RefChange::Create)]);
    assert_eq!(
        code(&hidden, "github/acme/old", operation),
        ReasonCode::NoRule
    );
}

#[test]
fn a_forbid_of_refs_takes_changes_of_them_in_any_case() {
    let snapshot = git(
        "allow: {repo: github/acme/web, access: write, refs: {'refs/heads/**': [create, force, delete]}}
         forbid: {repo: 'github/**', refs: {'refs/heads/main': [create, force, delete], 'refs/heads/rel/**': [fast-forward, force]}}",
    );
    for (name, change, expected) in [
        ("refs/heads/main", RefChange::Create, ReasonCode::Forbidden),
        ("refs/heads/MAIN", RefChange::Create, ReasonCode::Forbidden),
        ("refs/heads/main", RefChange::Force, ReasonCode::Forbidden),
        (
            "refs/heads/main",
            RefChange::FastForward,
            ReasonCode::Allowed,
        ),
        ("refs/heads/main", RefChange::Update, ReasonCode::Allowed),
        ("refs/heads/rel/1", RefChange::Update, ReasonCode::Forbidden),
        ("refs/heads/rel/1", RefChange::Create, ReasonCode::Allowed),
        ("refs/heads/x", RefChange::Delete, ReasonCode::Allowed),
    ] {
        let found = code(&snapshot, "github/acme/web", push(&[(name, change)]));
        assert_eq!(found, expected, "{name} {change:?}");
    }
    let two = push(&[
        ("refs/heads/x", RefChange::Create),
        ("refs/heads/main", RefChange::Delete),
    ]);
    assert_eq!(
        code(&snapshot, "github/acme/web", two),
        ReasonCode::Forbidden
    );
    assert_eq!(
        code(&snapshot, "github/acme/web", fetch()),
        ReasonCode::Allowed
    );
    assert_eq!(
        code(&snapshot, "github/acme/web", GitOperation::Probe),
        ReasonCode::Allowed
    );
}

#[test]
fn a_rule_that_has_expired_does_not_count() {
    let snapshot = git(
        "allow: {id: gone, repo: github/a/gone, expires: '2026-06-01T00:00:00Z'}
         allow: {id: soon, repo: github/a/soon, expires: '2026-06-02T00:00:00Z'}
         forbid: {repo: github/a/soon, expires: '2026-06-01T00:00:00Z'}",
    );
    let gone = to(&snapshot, "github/a/gone", fetch());
    assert_eq!(gone.decision.code, ReasonCode::RuleExpired);
    let soon = to(&snapshot, "github/a/soon", fetch());
    assert_eq!(soon.decision.code, ReasonCode::Allowed);
    let until = soon.grant.unwrap().valid_until.unwrap();
    assert_eq!(until.to_string(), "2026-06-02T00:00:00Z");
}

#[test]
fn every_refusal_says_what_is_allowed_and_what_to_do() {
    let snapshot = git(
        "allow: {id: docs, repo: github/acme/docs}
         allow: {id: web, repo: 'github/acme/{web,api}', access: write, refs: {'refs/heads/agent/**': [create, fast-forward]}, limits: {refs: 2}, pushOptions: [ci.skip]}
         allow: {id: gone, repo: github/acme/gone, expires: '2020-01-01T00:00:00Z'}
         forbid: {repo: github/acme/web, refs: {'refs/heads/agent/frozen': [fast-forward, force]}}",
    );
    let with_option = |option: &str| GitOperation::Push {
        updates: vec![update("refs/heads/agent/x", RefChange::Create)],
        options: vec![option.to_owned()],
        atomic: false,
    };
    let create = |name| push(&[(name, RefChange::Create)]);
    let tried = [
        ("github/acme/docs", GitOperation::Probe),
        ("github/acme/web", create("refs/heads/main")),
        (
            "github/acme/web",
            push(&[("refs/heads/main", RefChange::Update)]),
        ),
        (
            "github/acme/web",
            push(&[("refs/heads/agent/x", RefChange::Delete)]),
        ),
        (
            "github/acme/web",
            push(&[("refs/heads/agent/x", RefChange::Force)]),
        ),
        (
            "github/acme/web",
            push(&[("refs/heads/agent/frozen", RefChange::Update)]),
        ),
        (
            "github/acme/web",
            push(&[("refs/tags/v1", RefChange::TagCreate)]),
        ),
        ("github/acme/web", with_option("merge_request.create")),
        (
            "github/acme/web",
            push(&[("refs/heads/agent/1", RefChange::Create); 3]),
        ),
        ("github/acme/gone", fetch()),
        ("github/acme/nothing", fetch()),
        ("gitlab/acme/web", GitOperation::Probe),
    ];
    let mut report = String::new();
    for (repo, operation) in tried {
        let decision = to(&snapshot, repo, operation).decision;
        let next = decision.next_step.unwrap();
        writeln!(report, "{}: {}\n  {next}", decision.code, decision.reason).unwrap();
    }
    insta::assert_snapshot!(report);
}
