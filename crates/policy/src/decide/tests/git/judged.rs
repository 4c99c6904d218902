//! What is decided when all of a push is known.

use super::commits::{ED25519, bringing};
use super::*;

fn facts(updates: &[(&str, RefChange)]) -> PushFacts {
    PushFacts {
        updates: updates
            .iter()
            .map(|(name, change)| update(name, *change))
            .collect(),
        pack_octets: 10,
        objects: 3,
        inflated_octets: 30,
        files: ChangedFiles::Known(Vec::new()),
        ..PushFacts::default()
    }
}

pub(super) fn forward() -> PushFacts {
    facts(&[("refs/heads/x", RefChange::FastForward)])
}

pub(super) fn changing(path: &[u8], names_filter: bool) -> PushFacts {
    PushFacts {
        files: ChangedFiles::Known(vec![
            ChangedFile {
                path: b"src/main.rs".to_vec(),
                names_filter: false,
            },
            ChangedFile {
                path: path.to_vec(),
                names_filter,
            },
        ]),
        ..forward()
    }
}

pub(super) fn judged(rule: &str, facts: &PushFacts) -> Result<(), GitDenial> {
    let snapshot = git(rule);
    let verdict = to(&snapshot, "github/a/b", GitOperation::Probe);
    terms(&verdict).judge(facts)
}

pub(super) fn code_of(rule: &str, facts: &PushFacts) -> ReasonCode {
    let denial = judged(rule, facts).err();
    denial.map_or(ReasonCode::Allowed, |denial| denial.code)
}

/// An allow of writing with more to it.
pub(super) fn write(more: &str) -> String {
    format!("allow: {{repo: github/a/b, access: write{more}}}")
}

#[test]
fn a_change_is_what_was_proven_of_it() {
    let plain = write("");
    let forced = write(", refs: {'refs/heads/**': [force]}");
    let forward_forbidden =
        format!("{forced}\nforbid: {{repo: github/a/b, refs: {{refs/heads/x: [fast-forward]}}}}");
    let force_forbidden =
        format!("{forced}\nforbid: {{repo: github/a/b, refs: {{refs/heads/x: [force]}}}}");
    for (rules, change, expected) in [
        (&plain, RefChange::FastForward, ReasonCode::Allowed),
        (&plain, RefChange::Create, ReasonCode::Allowed),
        (&plain, RefChange::Force, ReasonCode::NotFastForward),
        (&plain, RefChange::Update, ReasonCode::NotFastForward),
        (&plain, RefChange::Delete, ReasonCode::RefNotAllowed),
        (&forced, RefChange::Force, ReasonCode::Allowed),
        (&forced, RefChange::Update, ReasonCode::Allowed),
        (&forced, RefChange::FastForward, ReasonCode::Allowed),
        (
            &forward_forbidden,
            RefChange::FastForward,
            ReasonCode::Forbidden,
        ),
        (&forward_forbidden, RefChange::Force, ReasonCode::Allowed),
        (&forward_forbidden, RefChange::Update, ReasonCode::Forbidden),
        (
            &force_forbidden,
            RefChange::FastForward,
            ReasonCode::Allowed,
        ),
        (&force_forbidden, RefChange::Force, ReasonCode::Forbidden),
        (&force_forbidden, RefChange::Update, ReasonCode::Forbidden),
    ] {
        let found = code_of(rules, &facts(&[("refs/heads/x", change)]));
        assert_eq!(found, expected, "{rules} {change:?}");
    }
    let moved = judged(
        &plain,
        &facts(&[
            ("refs/heads/y", RefChange::FastForward),
            ("refs/heads/x", RefChange::Force),
        ]),
    );
    assert_eq!(
        moved.unwrap_err().ref_name.unwrap().as_str(),
        "refs/heads/x"
    );
}

#[test]
fn one_rule_has_to_allow_all_of_a_push() {
    let rules = "allow: {id: ci, repo: github/a/b, access: write, refs: {refs/heads/ci: [fast-forward]}, paths: {deny: []}}
        allow: {id: any, repo: github/a/b, access: write, refs: {'refs/heads/**': [fast-forward]}}";
    let workflow = b".github/workflows/ci.yml";
    let to_ci = PushFacts {
        updates: facts(&[("refs/heads/ci", RefChange::FastForward)]).updates,
        ..changing(workflow, false)
    };
    assert_eq!(code_of(rules, &to_ci), ReasonCode::Allowed);
    let denial = judged(rules, &changing(workflow, false)).unwrap_err();
    assert_eq!(denial.code, ReasonCode::ContentRefused);
    assert_eq!(denial.rule.0, "p/git/any");
    let both = PushFacts {
        updates: facts(&[
            ("refs/heads/ci", RefChange::FastForward),
            ("refs/heads/x", RefChange::FastForward),
        ])
        .updates,
        ..changing(workflow, false)
    };
    assert_eq!(code_of(rules, &both), ReasonCode::ContentRefused);
}

#[test]
fn files_that_run_something_are_denied_unless_the_rule_says_otherwise() {
    let plain = write("");
    for (path, expected) in [
        (&b".github/workflows/ci.yml"[..], ReasonCode::ContentRefused),
        (b".github/workflows", ReasonCode::ContentRefused),
        (b".GitHub/Workflows/ci.yml", ReasonCode::ContentRefused),
        (b".github/actions/x/action.yml", ReasonCode::ContentRefused),
        (b".gitea/workflows/a.yml", ReasonCode::ContentRefused),
        (b".forgejo/workflows/a.yml", ReasonCode::ContentRefused),
        (b".gitlab-ci.yml", ReasonCode::ContentRefused),
        (b".gitmodules", ReasonCode::ContentRefused),
        (b".lfsconfig", ReasonCode::ContentRefused),
        (b"azure-pipelines.yml", ReasonCode::ContentRefused),
        (b"azure-pipelines-release.yml", ReasonCode::ContentRefused),
        (b"bitbucket-pipelines.yml", ReasonCode::ContentRefused),
        (b".circleci/config.yml", ReasonCode::ContentRefused),
        (b"Jenkinsfile", ReasonCode::ContentRefused),
        (b"jenkinsfile", ReasonCode::ContentRefused),
        (b".github/CODEOWNERS", ReasonCode::Allowed),
        (b"docs/.gitmodules", ReasonCode::Allowed),
        (b".gitattributes", ReasonCode::Allowed),
        (b"src/\xff\xfe", ReasonCode::Allowed),
    ] {
        let shown = String::from_utf8_lossy(path);
        assert_eq!(code_of(&plain, &changing(path, false)), expected, "{shown}");
        let snapshot = git(&plain);
        let verdict = to(&snapshot, "github/a/b", GitOperation::Probe);
        let minds = expected != ReasonCode::Allowed;
        assert_eq!(terms(&verdict).minds(path), minds, "{shown}");
    }
    for (more, path, expected) in [
        (
            "{deny: []}",
            ".github/workflows/ci.yml",
            ReasonCode::Allowed,
        ),
        (
            "{deny: ['secrets/**']}",
            ".github/workflows/ci.yml",
            ReasonCode::Allowed,
        ),
        (
            "{deny: ['secrets/**']}",
            "Secrets/x",
            ReasonCode::ContentRefused,
        ),
        (
            "{allow: ['docs/**', src/main.rs]}",
            "docs/a.md",
            ReasonCode::Allowed,
        ),
        (
            "{allow: ['docs/**', src/main.rs]}",
            "lib/a.rs",
            ReasonCode::ContentRefused,
        ),
        (
            "{allow: ['docs/**']}",
            "docs/a.md",
            ReasonCode::ContentRefused,
        ),
        ("{allow: ['**']}", ".gitmodules", ReasonCode::ContentRefused),
    ] {
        let rule = write(&format!(", paths: {more}"));
        assert_eq!(
            code_of(&rule, &changing(path.as_bytes(), false)),
            expected,
            "{more} {path}"
        );
    }
}

#[test]
fn filters_are_denied_where_the_list_of_files_is_the_default() {
    for (more, expected) in [
        ("", ReasonCode::ContentRefused),
        (", paths: {deny: []}", ReasonCode::Allowed),
        (
            ", paths: {deny: [], filters: deny}",
            ReasonCode::ContentRefused,
        ),
        (", paths: {filters: allow}", ReasonCode::Allowed),
        (", paths: {allow: ['**']}", ReasonCode::ContentRefused),
    ] {
        assert_eq!(
            code_of(&write(more), &changing(b"a/.gitattributes", true)),
            expected,
            "{more}"
        );
        assert_eq!(
            code_of(&write(more), &changing(b"a/.gitattributes", false)),
            ReasonCode::Allowed
        );
    }
}

#[test]
fn a_push_whose_files_are_not_known_passes_no_rule_that_looks_at_them() {
    let unknown = PushFacts {
        files: ChangedFiles::Unknown,
        ..forward()
    };
    assert_eq!(code_of(&write(""), &unknown), ReasonCode::ContentRefused);
    assert_eq!(
        code_of(&write(", paths: {deny: [x]}"), &unknown),
        ReasonCode::ContentRefused
    );
    assert_eq!(
        code_of(&write(", paths: {deny: [], allow: ['**']}"), &unknown),
        ReasonCode::ContentRefused
    );
    assert_eq!(
        code_of(&write(", paths: {deny: []}"), &unknown),
        ReasonCode::Allowed
    );
    assert_eq!(PushFacts::default().files, ChangedFiles::Unknown);
}

#[test]
fn a_push_is_as_large_as_its_rule_lets_it_be() {
    let rule = write(", limits: {packOctets: 10, objects: 3, inflatedOctets: 30, refs: 2}");
    let fits = facts(&[
        ("refs/heads/x", RefChange::Create),
        ("refs/heads/y", RefChange::Create),
    ]);
    assert_eq!(code_of(&rule, &fits), ReasonCode::Allowed);
    let mut third = fits.clone();
    third
        .updates
        .push(update("refs/heads/z", RefChange::Create));
    for larger in [
        PushFacts {
            pack_octets: 11,
            ..fits.clone()
        },
        PushFacts {
            objects: 4,
            ..fits.clone()
        },
        PushFacts {
            inflated_octets: 31,
            ..fits.clone()
        },
        third,
    ] {
        assert_eq!(
            code_of(&rule, &larger),
            ReasonCode::LimitReached,
            "{larger:?}"
        );
        assert_eq!(code_of(&write(""), &larger), ReasonCode::Allowed);
    }
    let by_default = GitLimits::default();
    for larger in [
        PushFacts {
            pack_octets: by_default.pack_octets + 1,
            ..forward()
        },
        PushFacts {
            objects: by_default.objects + 1,
            ..forward()
        },
        PushFacts {
            inflated_octets: by_default.inflated_octets + 1,
            ..forward()
        },
    ] {
        assert_eq!(code_of(&write(""), &larger), ReasonCode::LimitReached);
    }
    let two = format!("{rule}\n{}", write(", limits: {packOctets: 5, objects: 9}"));
    let limits = terms(&to(&git(&two), "github/a/b", GitOperation::Probe)).limits();
    assert_eq!(
        (limits.pack_octets, limits.objects, limits.refs),
        (10, 9, by_default.refs)
    );
}

#[test]
fn push_options_are_those_that_the_rule_names() {
    let rule = write(", pushOptions: [ci.skip, 'merge_request.label=*']");
    for (option, expected) in [
        ("ci.skip", ReasonCode::Allowed),
        ("merge_request.label=x", ReasonCode::Allowed),
        ("merge_request.create", ReasonCode::ConditionNotMet),
        ("ci.skip2", ReasonCode::ConditionNotMet),
        ("CI.SKIP", ReasonCode::ConditionNotMet),
        ("", ReasonCode::ConditionNotMet),
    ] {
        let given = PushFacts {
            options: vec!["ci.skip".to_owned(), option.to_owned()],
            ..forward()
        };
        assert_eq!(code_of(&rule, &given), expected, "{option}");
        assert_eq!(code_of(&write(""), &given), ReasonCode::ConditionNotMet);
    }
    assert_eq!(code_of(&write(""), &forward()), ReasonCode::Allowed);
}

#[test]
fn secrets_are_refused_unless_they_are_observed_and_own_ones_always() {
    let found = PushFacts {
        findings: 2,
        ..forward()
    };
    let own = PushFacts {
        own_secrets: 1,
        ..forward()
    };
    for (more, of_found) in [
        ("", ReasonCode::ContentRefused),
        (", secrets: block", ReasonCode::ContentRefused),
        (", secrets: observe", ReasonCode::Allowed),
    ] {
        assert_eq!(code_of(&write(more), &found), of_found, "{more}");
        assert_eq!(
            code_of(&write(more), &own),
            ReasonCode::ContentRefused,
            "{more}"
        );
    }
}

#[test]
fn a_push_waits_for_its_approval_when_all_else_is_right() {
    let rule = write(", approval: required");
    assert_eq!(code_of(&rule, &forward()), ReasonCode::ApprovalNeeded);
    let approved = PushFacts {
        is_approved: true,
        ..forward()
    };
    assert_eq!(code_of(&rule, &approved), ReasonCode::Allowed);
    // What a person approves is what would go on.
    let forced = facts(&[("refs/heads/x", RefChange::Force)]);
    assert_eq!(code_of(&rule, &forced), ReasonCode::NotFastForward);
    let forced = PushFacts {
        is_approved: true,
        ..forced
    };
    assert_eq!(code_of(&rule, &forced), ReasonCode::NotFastForward);
}

#[test]
fn every_refusal_of_a_push_says_what_is_wrong_with_it_in_one_line() {
    let rule = write(&format!(
        ", id: web, limits: {{packOctets: 100}}, approval: required, \
         commits: {{authors: ['*@acme.test', bot@ci.test], committers: ['*@acme.test'], signers: ['{ED25519}']}}"
    ));
    let of = |author: Option<&str>, committer: Option<&str>, signature| {
        bringing(&[PushedCommit {
            author: author.map(str::to_owned),
            committer: committer.map(str::to_owned),
            signature,
            ..commit("")
        }])
    };
    let (ours, odd) = (Some("a@acme.test"), Some("a\u{1b}[31m@evil.test"));
    let fingerprint = "SHA256:abc".to_owned();
    let by = CommitSignature::By {
        key: "ssh-ed25519 AAAA".to_owned(),
        fingerprint,
    };
    let mut report = String::new();
    for pushed in [
        facts(&[("refs/heads/x", RefChange::Force)]),
        facts(&[("refs/heads/x", RefChange::Update)]),
        facts(&[("refs/tags/v1", RefChange::TagMove)]),
        PushFacts {
            pack_octets: 101,
            ..forward()
        },
        PushFacts {
            files: ChangedFiles::Unknown,
            ..forward()
        },
        changing(b".github/workflows/\x1b[31mred\n.yml", false),
        changing(b".gitattributes", true),
        PushFacts {
            own_secrets: 1,
            ..forward()
        },
        PushFacts {
            findings: 3,
            ..forward()
        },
        forward(),
        of(odd, ours, CommitSignature::Missing),
        of(None, ours, CommitSignature::Missing),
        of(ours, odd, CommitSignature::Missing),
        of(ours, None, CommitSignature::Missing),
        of(ours, ours, CommitSignature::Missing),
        of(ours, ours, CommitSignature::Unchecked),
        of(ours, ours, CommitSignature::Wrong),
        of(ours, ours, by),
        bringing(&[]),
    ] {
        let denial = judged(&rule, &pushed).unwrap_err();
        assert!(!denial.reason.contains(char::is_control));
        writeln!(
            report,
            "{}: {}\n  {}",
            denial.code, denial.reason, denial.next_step
        )
        .unwrap();
    }
    insta::assert_snapshot!(report);
}
