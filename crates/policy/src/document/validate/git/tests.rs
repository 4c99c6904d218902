use super::*;

fn refused(body: &str) -> String {
    let yaml = format!("apiVersion: ringfence/v1\nkind: Profile\nname: p\n{body}\n");
    match Profile::parse("p.yaml", &yaml) {
        Ok(_) => panic!("{body} was taken"),
        Err(error) => error.to_string(),
    }
}

fn rule(rule: &str) -> String {
    refused(&format!("git:\n  - {rule}"))
}

fn server(fields: &str) -> String {
    refused(&format!("gitUpstreams:\n  - {{{fields}}}"))
}

#[test]
fn rules_that_say_two_things_or_nothing_are_refused() {
    for (line, part) in [
        ("allow: {}", "neither `repo` nor `repoRegex`"),
        (
            "allow: {repo: github/a/b, repoRegex: github/a/b}",
            "not both",
        ),
        ("allow: {repo: nowhere/a/b}", "no git server `nowhere`"),
        (
            "allow: {repo: github/a}",
            "not the path of a repository on github",
        ),
        (
            "allow: {repo: github/a/b/c}",
            "not the path of a repository on github",
        ),
        (
            "allow: {repo: 'github/*'}",
            "not the path of a repository on github",
        ),
        (
            "allow: {repo: 'github/{a/b,c}'}",
            "not the path of a repository on github",
        ),
        ("allow: {repo: github/a/%2e%2e}", "ambiguously"),
        (
            "allow: {repo: https://github.com/a/b}",
            "1 to 32 lower-case",
        ),
        ("allow: {repoRegex: 'github/('}", "not a regular expression"),
        (
            "allow: {repo: github/a/b, access: all}",
            "unknown word `all`",
        ),
        (
            "allow: {repo: github/a/b, refs: {refs/heads/x: [create]}}",
            "`refs` is about pushes",
        ),
        (
            "allow: {repo: github/a/b, access: read, paths: {deny: []}}",
            "`paths` is about pushes",
        ),
        (
            "allow: {repo: github/a/b, approval: required}",
            "`approval` is about pushes",
        ),
        (
            "allow: {repo: github/a/b, secrets: block}",
            "`secrets` is about pushes",
        ),
        (
            "allow: {repo: github/a/b, access: write, refs: {}}",
            "`refs` is an empty list",
        ),
        (
            "allow: {repo: github/a/b, access: write, refs: {refs/heads/x: []}}",
            "has an empty list",
        ),
        (
            "allow: {repo: github/a/b, access: write, refs: {main: [create]}}",
            "named in full",
        ),
        (
            "allow: {repo: github/a/b, access: write, refs: {'refs/*/x': [create]}}",
            "written out",
        ),
        (
            "allow: {repo: github/a/b, access: write, refs: {'refs/**': [create]}}",
            "named in full",
        ),
        (
            "allow: {repo: github/a/b, access: write, refs: {refs/heads/x: [push]}}",
            "unknown word `push`",
        ),
        (
            "allow: {repo: github/a/b, access: write, refs: {refs/heads/x: [update]}}",
            "unknown word `update`",
        ),
        (
            "allow: {repo: github/a/b, access: write, refs: {refs/heads/x: [tag-create]}}",
            "never happens",
        ),
        (
            "allow: {repo: github/a/b, access: write, refs: {'refs/tags/*': [create]}}",
            "never happens",
        ),
        (
            "allow: {repo: github/a/b, access: write, refs: {'refs/tags/*': [force]}}",
            "never happens",
        ),
        ("allow: {repo: github/a/b, access: write, refs: null}", ""),
        (
            "allow: {repo: github/a/b, access: write, limits: {}}",
            "has no limit",
        ),
        (
            "allow: {repo: github/a/b, access: write, limits: {objects: 0}}",
            "from 1 to",
        ),
        (
            "allow: {repo: github/a/b, access: write, limits: {objects: 4000001}}",
            "from 1 to 4000000",
        ),
        (
            "allow: {repo: github/a/b, access: write, limits: {refs: 1025}}",
            "from 1 to 1024",
        ),
        (
            "allow: {repo: github/a/b, access: write, limits: {packOctets: 1GiB}}",
            "whole number",
        ),
        (
            "allow: {repo: github/a/b, access: write, paths: {allow: []}}",
            "`allow` is an empty list",
        ),
        (
            "allow: {repo: github/a/b, access: write, paths: {deny: [/x]}}",
            "no slash at its ends",
        ),
        (
            "allow: {repo: github/a/b, commits: {authors: [a@b.test]}}",
            "`commits` is about pushes",
        ),
        (
            "allow: {repo: github/a/b, access: write, commits: {}}",
            "asks for nothing",
        ),
        (
            "allow: {repo: github/a/b, access: write, commits: {committers: []}}",
            "`committers` is an empty list",
        ),
        (
            "allow: {repo: github/a/b, access: write, commits: {authors: [acme.test]}}",
            "one `@` with something on both sides",
        ),
        (
            "allow: {repo: github/a/b, access: write, commits: {authors: ['*']}}",
            "one `@` with something on both sides",
        ),
        (
            "allow: {repo: github/a/b, access: write, commits: {signers: [ssh-rsa AAAA]}}",
            "a signer is the public part of a key",
        ),
        (
            "allow: {repo: github/a/b, access: write, commits: {signed: required}}",
            "signed",
        ),
        (
            "forbid: {repo: github/a/b, commits: {authors: [a@b.test]}}",
            "a forbid has no `commits`",
        ),
        (
            "allow: {repo: github/a/b, access: write, pushOptions: []}",
            "`pushOptions` is an empty list",
        ),
        (
            "allow: {repo: github/a/b, readRefs: []}",
            "`readRefs` is an empty list",
        ),
        (
            "allow: {repo: github/a/b, tokenRequired: true}",
            "the rule has none",
        ),
        ("allow: {repo: github/a/b, approval: yes}", ""),
        (
            "forbid: {repo: github/a/b, access: read}",
            "would leave writing",
        ),
        (
            "forbid: {repo: github/a/b, access: write, refs: {refs/heads/x: [force]}}",
            "leave `access` out",
        ),
        (
            "forbid: {repo: github/a/b, credential: x}",
            "a forbid has no `credential`",
        ),
        (
            "forbid: {repo: github/a/b, paths: {deny: [x]}}",
            "a forbid has no `paths`",
        ),
        (
            "forbid: {repo: github/a/b, readRefs: [refs/heads/x]}",
            "a forbid has no `readRefs`",
        ),
        (
            "allow: {id: a, repo: github/a/b}\n  - allow: {id: a, repo: github/a/c}",
            "two rules with the id `a`",
        ),
        ("allow: {host: github.com}", "unknown field `host`"),
    ] {
        let error = rule(line);
        let error = error.replace('\n', " ");
        let help = Profile::parse(
            "p.yaml",
            &format!("apiVersion: ringfence/v1\nkind: Profile\nname: p\ngit:\n  - {line}\n"),
        );
        let help = help.unwrap_err().help.unwrap_or_default();
        assert!(
            error.contains(part) || help.contains(part),
            "{line}: {error} / {help}"
        );
    }
}

#[test]
fn an_error_has_its_place_in_the_text() {
    let error = rule("allow: {repo: nowhere/a/b}");
    assert!(error.starts_with("p.yaml:5:19: "), "{error}");
}

#[test]
fn servers_that_cannot_be_told_apart_are_refused() {
    for (fields, part) in [
        (
            "name: github, kind: github, host: ghe.test",
            "already a git server `github`",
        ),
        (
            "name: Corp, kind: gitea, host: a.test",
            "1 to 32 lower-case",
        ),
        (
            "name: mine, kind: github, host: github.com",
            "the git server `github` already",
        ),
        (
            "name: mine, kind: gitea, host: www.github.com",
            "the git server `github` already",
        ),
        (
            "name: mine, kind: gitea, host: x.visualstudio.com",
            "`azure-devops` already",
        ),
        (
            "name: corp, kind: gitea, host: git.ringfence.internal",
            "Ringfence itself",
        ),
        (
            "name: a, kind: gitea, host: a.test}\n  - {name: a, kind: gitea, host: b.test",
            "already a git server `a`",
        ),
        (
            "name: a, kind: gitea, host: a.test}\n  - {name: b, kind: ssh, host: a.test, port: 443, hostKeys: ['k AAAA']",
            "the git server `a` already",
        ),
    ] {
        let error = server(fields);
        assert!(error.contains(part), "{fields}: {error}");
    }
}

#[test]
fn servers_that_cannot_be_reached_are_refused() {
    for (fields, part) in [
        ("kind: gitea, host: 192.0.2.1", "address"),
        ("kind: mercurial, host: a.test", "unknown word `mercurial`"),
        ("kind: ssh, host: a.test", "needs its `hostKeys`"),
        ("kind: ssh, host: a.test, hostKeys: [AAAA]", "kind and key"),
        (
            "kind: ssh, host: a.test, hostKeys: ['ssh-rsa AAAA root@x']",
            "kind and key",
        ),
        (
            "kind: ssh, host: a.test, hostKeys: ['k AAAA'], scheme: https",
            "`scheme` has no meaning",
        ),
        (
            "kind: gitea, host: a.test, hostKeys: ['k AAAA']",
            "`hostKeys` has no meaning",
        ),
        (
            "kind: gitea, host: a.test, basePath: scm",
            "a base path is as in",
        ),
        (
            "kind: gitea, host: a.test, basePath: /scm/",
            "a base path is as in",
        ),
        (
            "kind: gitea, host: a.test, basePath: /a/../b",
            "a base path is as in",
        ),
        (
            "kind: gitea, host: a.test, basePath: '/a%2fb'",
            "a base path is as in",
        ),
        (
            "kind: gitea, host: a.test, addresses: [0.0.0.0/0]",
            "every address",
        ),
        (
            "kind: gitea, host: host.ringfence.internal, addresses: [10.0.0.0/8]",
            "loopback",
        ),
        ("kind: gitea, host: a.test, port: 0", "a port is a number"),
    ] {
        let error = server(&format!("name: corp, {fields}"));
        assert!(error.contains(part), "{fields}: {error}");
    }
}

#[test]
fn two_profiles_describe_one_server_alike() {
    let head = "apiVersion: ringfence/v1\nkind: Profile\n";
    let two = |one: &str, other: &str| {
        let yaml = format!(
            "{head}name: p\ngitUpstreams: [{{{one}}}]\n---\n{head}name: q\ngitUpstreams: [{{{other}}}]\n"
        );
        Profile::parse("p.yaml", &yaml)
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    let corp = "name: corp, kind: gitea, host: git.corp.test";
    assert_eq!(two(corp, corp), Ok(()));
    assert_eq!(two(corp, "name: own, kind: gitea, host: own.test"), Ok(()));
    let error = two(corp, "name: corp, kind: gitea, host: evil.test").unwrap_err();
    assert!(
        error.contains("describes the git server `corp` otherwise"),
        "{error}"
    );
    let error = two(corp, "name: alias, kind: gitea, host: git.corp.test").unwrap_err();
    assert!(error.contains("calls this git server `corp`"), "{error}");
}

#[test]
fn a_test_names_a_repository_that_there_is_and_one_thing_to_do() {
    for (test, part) in [
        ("{repo: nowhere/a/b, fetch: true}", "no such repository"),
        ("{repo: github/a, fetch: true}", "no such repository"),
        ("{repo: github/a/b}", "either `fetch: true` or `push: REF`"),
        (
            "{repo: github/a/b, fetch: true, push: refs/heads/x}",
            "either",
        ),
        ("{repo: github/a/b, fetch: true, change: create}", "either"),
        ("{repo: github/a/b, push: main}", "named in full"),
    ] {
        let error = refused(&format!("tests:\n  - deny: {{git: {test}}}"));
        assert!(error.contains(part), "{test}: {error}");
    }
}
