//! How allowed git requests are sent, and what may be seen and stored by them.

use super::*;

#[test]
fn a_request_is_sent_with_the_credential_of_its_rule_or_of_its_server() {
    let snapshot = with(
        "gitUpstreams: [{name: corp, kind: gitea, host: git.corp.test, credential: corp-git}]",
        "allow: {repo: corp/a/b}
         allow: {repo: corp/a/own, credential: own, tokenRequired: true}
         allow: {id: ro, repo: 'github/acme/*', credential: ro}
         allow: {id: rw, repo: github/acme/web, access: write, credential: rw}
         allow: {id: x, repo: github/b/two, credential: x}
         allow: {id: y, repo: 'github/b/*', credential: y}
         allow: {id: z, repo: 'github/b/**'}
         allow: {repo: github/c/none}",
    );
    for (repo, operation, credential, rule) in [
        ("corp/a/b", fetch(), Some("corp-git"), "p/git/1"),
        ("corp/a/own", fetch(), Some("own"), "p/git/2"),
        ("github/acme/web", fetch(), Some("ro"), "p/git/ro"),
        (
            "github/acme/web",
            GitOperation::Probe,
            Some("rw"),
            "p/git/rw",
        ),
        ("github/b/one", fetch(), Some("y"), "p/git/y"),
        ("github/c/none", fetch(), None, "p/git/8"),
    ] {
        let verdict = to(&snapshot, repo, operation);
        let decision = &verdict.decision;
        assert_eq!(
            decision
                .credential
                .as_ref()
                .map(ToString::to_string)
                .as_deref(),
            credential
        );
        assert_eq!(decision.rule.as_ref().unwrap().0, rule);
        let sent = verdict.grant.as_ref().unwrap().terms.first().unwrap();
        assert_eq!(sent.credential, decision.credential);
        assert_eq!(sent.token_required, repo == "corp/a/own");
    }
    let two = to(&snapshot, "github/b/two", fetch()).decision;
    assert_eq!(two.code, ReasonCode::CredentialAmbiguous);
    assert_eq!(
        two.reason,
        "rules p/git/x and p/git/y allow git fetch github/b/two with different credentials"
    );
}

#[test]
fn refs_that_may_be_read_are_those_of_all_rules_together() {
    let snapshot = git(
        "allow: {repo: github/acme/web, readRefs: [refs/heads/main, 'refs/tags/**']}
         allow: {repo: github/acme/web, readRefs: ['refs/heads/agent/*']}
         allow: {repo: github/acme/all}
         allow: {repo: github/acme/all, readRefs: [refs/heads/main]}",
    );
    let verdict = to(&snapshot, "github/acme/web", fetch());
    let web = terms(&verdict);
    assert!(!web.reads_all_refs());
    for (name, expected) in [
        ("refs/heads/main", true),
        ("refs/tags/v1", true),
        ("refs/heads/agent/x", true),
        ("refs/heads/agent/x/y", false),
        ("refs/heads/main2", false),
        ("refs/pull/1/head", false),
    ] {
        assert_eq!(
            web.may_read(&RefName::new(name).unwrap()),
            expected,
            "{name}"
        );
    }
    assert!(terms(&to(&snapshot, "github/acme/all", fetch())).reads_all_refs());
}

#[test]
fn lfs_objects_follow_the_refs_that_they_are_for() {
    let snapshot = git(
        "allow: {repo: github/a/b, access: write, refs: {'refs/heads/agent/**': [create], 'refs/heads/old': [delete]}, limits: {lfsOctets: 100}}",
    );
    let batch = |objects, octets, name: Option<&str>| GitOperation::LfsBatch {
        direction: LfsDirection::Upload,
        objects,
        octets,
        ref_name: name.map(str::to_owned),
    };
    for (operation, expected) in [
        (batch(1, 100, None), ReasonCode::Allowed),
        (
            batch(1, 100, Some("refs/heads/agent/x")),
            ReasonCode::Allowed,
        ),
        (
            batch(1, 1, Some("refs/heads/main")),
            ReasonCode::RefNotAllowed,
        ),
        (
            batch(1, 1, Some("refs/heads/old")),
            ReasonCode::RefNotAllowed,
        ),
        (batch(1, 1, Some("not a ref")), ReasonCode::RefNotAllowed),
        (batch(1, 101, None), ReasonCode::LimitReached),
        (batch(2, 200, None), ReasonCode::Allowed),
        (batch(2, 201, None), ReasonCode::LimitReached),
        (batch(u32::MAX, u64::MAX, None), ReasonCode::LimitReached),
    ] {
        assert_eq!(
            code(&snapshot, "github/a/b", operation.clone()),
            expected,
            "{operation:?}"
        );
    }
    let transfer = |direction, octets| GitOperation::LfsTransfer {
        direction,
        oid: "a".repeat(64),
        octets,
    };
    let large = transfer(LfsDirection::Upload, 101);
    assert_eq!(
        code(&snapshot, "github/a/b", large),
        ReasonCode::LimitReached
    );
    let read = transfer(LfsDirection::Download, 101);
    assert_eq!(code(&snapshot, "github/a/b", read), ReasonCode::Allowed);
}

#[test]
fn terms_do_not_change_when_a_rule_is_only_called_otherwise() {
    let one = git("allow: {repo: github/a/b, access: write, refs: {refs/heads/x: [create]}}");
    let moved = git("allow: {repo: github/c/d}
         allow: {repo: 'github/a/*', access: write, refs: {refs/heads/x: [create]}}");
    let other = git("allow: {repo: github/a/b, access: write, refs: {refs/heads/x: [force]}}");
    let of = |snapshot: &Snapshot| {
        let verdict = to(snapshot, "github/a/b", GitOperation::Probe);
        terms(&verdict).clone()
    };
    assert_eq!(of(&one), of(&moved));
    assert_ne!(of(&one), of(&other));
}
