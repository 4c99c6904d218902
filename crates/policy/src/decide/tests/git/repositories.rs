//! Which repositories a rule is about, however it and they are spelt.

use super::*;

fn is_allowed(rule: &str, repo: &str) -> bool {
    let upstreams =
        "gitUpstreams: [{name: corp, kind: generic-https, host: git.corp.test, basePath: /scm}]";
    let snapshot = with(upstreams, &format!("allow: {{{rule}}}"));
    code(&snapshot, repo, fetch()) == ReasonCode::Allowed
}

#[test]
fn a_repository_is_the_same_however_it_is_spelt() {
    for (rule, repo, expected) in [
        ("repo: github/acme/docs", "github/acme/docs", true),
        ("repo: github/acme/docs.git", "github/ACME/Docs", true),
        ("repo: github/Acme/DOCS", "github/acme/docs.git", true),
        ("repo: github/acme/docs", "github/acme/docs.wiki", false),
        ("repo: github/acme/docs", "github/acme/docs2", false),
        ("repo: github/acme/docs", "gitlab/acme/docs", false),
        ("repo: 'github/acme/{web,api}.git'", "github/acme/API", true),
        (
            "repo: 'github/acme/{web,api}.git'",
            "github/acme/docs",
            false,
        ),
        ("repo: 'github/Acme/W*'", "github/acme/web", true),
        ("repo: 'github/acme/*.git'", "github/acme/web", true),
        ("repo: 'github/acme/*'", "github/acmes/web", false),
        ("repo: 'gitlab/acme/*'", "gitlab/acme/a/b", false),
        ("repo: 'gitlab/acme/**'", "gitlab/acme/a/b", true),
        ("repo: 'github/**'", "github/any/thing", true),
        ("repo: 'github/**'", "gitlab/any/thing", false),
        ("repo: corp/Team/Web", "corp/Team/Web", true),
        ("repo: corp/Team/Web", "corp/team/web", false),
        ("repo: 'corp/Team/W*'", "corp/Team/web", false),
        (
            "repo: azure-devops/org/My%20Project/repo",
            "azure-devops/Org/my project/_git/repo",
            true,
        ),
        (
            "repo: 'azure-devops/org/My%20Project/*'",
            "azure-devops/org/my project/any",
            true,
        ),
        (
            "repo: 'azure-devops/org/web/*'",
            "azure-devops/org/_git/web",
            true,
        ),
        (
            "repoRegex: 'github/acme/(web|API)-[0-9]+'",
            "github/acme/api-7",
            true,
        ),
        (
            "repoRegex: 'github/acme/(web|api)-[0-9]+'",
            "github/acme/api-7x",
            false,
        ),
        ("repoRegex: 'github/acme/web'", "github/evil/acme", false),
        ("repoRegex: 'corp/Team/.*'", "corp/team/x", false),
        ("repoRegex: 'corp/Team/.*'", "corp/Team/x/y", true),
    ] {
        assert_eq!(is_allowed(rule, repo), expected, "{rule} {repo}");
    }
}

#[test]
fn a_forbid_takes_every_spelling_and_the_wiki() {
    let upstreams = "gitUpstreams: [{name: corp, kind: generic-https, host: git.corp.test}]";
    let snapshot = with(
        upstreams,
        "allow: {repo: 'corp/**'}
         allow: {repo: 'github/**'}
         forbid: {repo: corp/Team/Secret}
         forbid: {repo: 'corp/hidden/S*'}
         forbid: {repoRegex: 'github/acme/priv.*'}",
    );
    for (repo, expected) in [
        ("corp/Team/Secret", ReasonCode::NoRule),
        ("corp/team/SECRET", ReasonCode::NoRule),
        ("corp/Team/Secret.wiki", ReasonCode::NoRule),
        ("corp/hidden/s1", ReasonCode::NoRule),
        ("corp/hidden/x", ReasonCode::Allowed),
        ("corp/Team/Secrets", ReasonCode::Allowed),
        ("github/acme/Private", ReasonCode::NoRule),
        ("github/acme/public", ReasonCode::Allowed),
    ] {
        assert_eq!(code(&snapshot, repo, fetch()), expected, "{repo}");
    }
}

#[test]
fn what_is_no_repository_of_the_server_is_not_asked_about() {
    let snapshot = git("allow: {repo: 'github/**'}");
    for repo in [
        "github",
        "github/",
        "github/acme",
        "github/a/b/c",
        "nowhere/a/b",
        "github/a/../b",
        "GitHub/a/b",
    ] {
        assert!(snapshot.git_request(repo, fetch()).is_err(), "{repo}");
    }
}

#[test]
fn a_path_that_no_identity_has_costs_no_more_than_its_length() {
    let snapshot = git("allow: {repo: 'gitlab/**/a/**/a/**/b'}
         allow: {repoRegex: 'gitlab/(a|a/)*b'}");
    let started = std::time::Instant::now();
    // Longer than any repository: the record may hold it all the same.
    let long = format!("gitlab/{}", "a/".repeat(500) + "c");
    let repo: ringfence_model::git::RepoId = serde_json::from_value(long.into()).unwrap();
    let request = GitRequest {
        destination: "gitlab.com:443".parse().unwrap(),
        repo,
        operation: fetch(),
    };
    for _ in 0..100 {
        let verdict = snapshot.decide(&Action::Git(request.clone()), now());
        assert_eq!(verdict.decision.code, ReasonCode::NoRule);
    }
    assert!(started.elapsed() < std::time::Duration::from_secs(10));
    assert!(
        snapshot
            .git_request(&format!("gitlab/{}", "a/".repeat(5_000)), fetch())
            .is_err()
    );
}
