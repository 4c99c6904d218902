//! Whose commits a push may bring.

use super::judged::{changing, code_of, forward, judged, write};
use super::*;

pub(super) const ED25519: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUm";

pub(super) fn bringing(commits: &[PushedCommit]) -> PushFacts {
    PushFacts {
        commits: Some(commits.to_vec()),
        ..forward()
    }
}

#[test]
fn commits_are_of_those_whom_the_rule_names() {
    let authors = write(", commits: {authors: ['*@acme.test', bot@ci.test]}");
    let both = write(", commits: {authors: ['*@acme.test'], committers: [bot@ci.test]}");
    let (ours, bot, evil) = (
        commit("Anna@ACME.test"),
        commit("bot@ci.test"),
        commit("a@evil.test"),
    );
    let by_bot = PushedCommit {
        committer: bot.committer.clone(),
        ..ours.clone()
    };
    let nobody = PushedCommit {
        author: None,
        ..ours.clone()
    };
    for (rule, commits, expected) in [
        (&authors, vec![], ReasonCode::Allowed),
        (
            &authors,
            vec![ours.clone(), bot.clone()],
            ReasonCode::Allowed,
        ),
        (
            &authors,
            vec![ours.clone(), evil.clone()],
            ReasonCode::ContentRefused,
        ),
        (&authors, vec![nobody], ReasonCode::ContentRefused),
        (&both, vec![by_bot], ReasonCode::Allowed),
        (&both, vec![ours.clone()], ReasonCode::ContentRefused),
        (&both, vec![bot], ReasonCode::ContentRefused),
        (&write(""), vec![evil.clone()], ReasonCode::Allowed),
    ] {
        assert_eq!(
            code_of(rule, &bringing(&commits)),
            expected,
            "{rule} {commits:?}"
        );
    }
    // Nobody looked at them.
    assert_eq!(code_of(&authors, &forward()), ReasonCode::ContentRefused);
    assert_eq!(PushFacts::default().commits, None);
}

#[test]
fn commits_are_signed_by_those_whom_the_rule_names() {
    let rule = write(&format!(", commits: {{signers: ['{ED25519} anna']}}"));
    let by = |key: &str| CommitSignature::By {
        key: key.to_owned(),
        fingerprint: "SHA256:x".to_owned(),
    };
    for (signature, expected) in [
        (by(ED25519), ReasonCode::Allowed),
        (
            by(&ED25519.replace("JCUm", "JCUn")),
            ReasonCode::ContentRefused,
        ),
        (
            by(ED25519.trim_end_matches("JCUm")),
            ReasonCode::ContentRefused,
        ),
        (CommitSignature::Missing, ReasonCode::ContentRefused),
        (CommitSignature::Unchecked, ReasonCode::ContentRefused),
        (CommitSignature::Wrong, ReasonCode::ContentRefused),
    ] {
        let signed = PushedCommit {
            signature: signature.clone(),
            ..commit("a@acme.test")
        };
        assert_eq!(
            code_of(&rule, &bringing(std::slice::from_ref(&signed))),
            expected,
            "{signature:?}"
        );
        assert_eq!(
            code_of(&write(""), &bringing(&[signed])),
            ReasonCode::Allowed
        );
    }
}

#[test]
fn of_each_rule_one_commit_that_it_refuses_is_kept() {
    let rules = "allow: {repo: github/a/b, access: write, commits: {authors: ['*@acme.test']}}
        allow: {repo: github/a/b, access: write, commits: {committers: ['*@evil.test']}}";
    let verdict = to(&git(rules), "github/a/b", GitOperation::Probe);
    let terms = terms(&verdict);
    assert!(terms.minds_commits() && !terms.minds_signers());
    let (ours, evil) = (commit("a@acme.test"), commit("a@evil.test"));
    let mut kept = Vec::new();
    for commit in [&ours, &ours, &evil, &evil, &ours] {
        if terms.refuses_anew(commit, &kept) {
            kept.push(commit.clone());
        }
    }
    assert_eq!(kept, [ours, evil]);
    assert_eq!(code_of(rules, &bringing(&kept)), ReasonCode::ContentRefused);
    assert_eq!(code_of(rules, &bringing(&kept[..1])), ReasonCode::Allowed);
}

#[test]
fn a_secret_is_told_before_what_may_hold_it() {
    let rule = write(", commits: {authors: ['*@acme.test']}");
    let pushed = PushFacts {
        own_secrets: 1,
        commits: Some(vec![commit("s3cr3t@evil.test")]),
        ..changing(b".github/workflows/s3cr3t", false)
    };
    let denial = judged(&rule, &pushed).unwrap_err();
    assert!(!denial.reason.contains("s3cr3t"), "{}", denial.reason);
}
