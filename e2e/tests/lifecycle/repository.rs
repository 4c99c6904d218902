//! A git repository as a workspace: git works as always, and what the person's own git would run or trust stays private.

use std::fs;
use std::process::Command;

use ringfence_e2e::Host;
use ringfence_testkit::process::{command, run};

/// A machine whose project is a repository with one commit and a bare origin.
fn repository() -> Host {
    let host = Host::new();
    host.home_file(
        ".gitconfig",
        "[user]\n\tname = Ann Example\n\temail = ann@acme.test\n",
    );
    host.file("README", "read me\n");
    let origin = host.home().join("origin.git").display().to_string();
    git(&host, &["init", "-q", "-b", "main"]);
    git(&host, &["add", "README"]);
    git(&host, &["commit", "-q", "-m", "first"]);
    git(&host, &["clone", "-q", "--bare", ".", &origin]);
    git(&host, &["remote", "add", "origin", &origin]);
    host
}

/// The person's own git, outside.
fn git(host: &Host, arguments: &[&str]) -> String {
    let mut git: Command = command("git");
    host.user().run_as(&mut git).current_dir(host.project());
    let output = run(git.args(arguments)).unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn commits_branches_and_merges_are_there_afterwards() {
    let host = repository();
    let ended = host.run().sh(
        "set -e
         git checkout -q -b topic; echo more >> README; git commit -qam second
         git checkout -q main; git merge -q --no-ff -m merged topic; git branch -q -d topic
         git tag v1; echo stashed >> README; git stash -q; git stash pop -q; git checkout -q README
         git worktree add -q /tmp/tree; git -C /tmp/tree commit -q --allow-empty -m there; git worktree remove /tmp/tree
         git gc -q; git fsck",
    );
    assert_eq!(ended.code, 0, "{ended}");
    assert_eq!(
        git(&host, &["log", "--format=%s %an", "--first-parent", "v1"]),
        "merged Ann Example\nfirst Ann Example\n"
    );
    assert_eq!(git(&host, &["status", "--porcelain"]), "");
    git(&host, &["fsck", "--strict"]);
}

#[test]
fn an_empty_placeholder_is_not_committed() {
    let host = repository();
    let ended = host
        .run()
        .sh("echo new > file; git status --porcelain; git add -A; git commit -qm all");
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (0, "?? file\n"),
        "{ended}"
    );
    assert_eq!(
        git(&host, &["show", "--format=", "--name-only", "HEAD"]),
        "file\n"
    );
}

#[test]
fn the_configuration_can_be_changed_and_stays_private() {
    let host = repository();
    let before = fs::read(host.project().join(".git/config")).unwrap();
    let ended = host.run().sh("set -e
         git config alias.x '!touch /tmp/ran'; git x; test -e /tmp/ran
         git remote add up https://up.test/x.git; git remote -v | grep -c up.test
         git config --unset alias.x; git config core.fsmonitor /tmp/evil
         git checkout -q -b topic origin/main 2>/dev/null || git checkout -q -b topic --track main
         git branch -m topic renamed; git config branch.renamed.merge");
    assert_eq!(ended.code, 0, "{ended}");
    assert_eq!(ended.stdout, "2\nrefs/heads/main\n");
    assert_eq!(
        fs::read(host.project().join(".git/config")).unwrap(),
        before
    );
    assert!(ended.stderr.contains(".git/config"), "{ended}");
}

#[test]
fn hooks_work_inside_and_are_not_there_outside() {
    let host = repository();
    let before = fs::read_dir(host.project().join(".git/hooks"))
        .unwrap()
        .count();
    let ended = host.run().sh("set -e
         printf '#!/bin/sh\\necho hooked\\n' > .git/hooks/pre-commit; chmod +x .git/hooks/pre-commit
         git commit --allow-empty -qm hooked");
    assert_eq!(ended.code, 0, "{ended}");
    assert!(ended.stderr.contains("hooked"), "{ended}");
    assert_eq!(
        fs::read_dir(host.project().join(".git/hooks"))
            .unwrap()
            .count(),
        before
    );
    assert_eq!(git(&host, &["log", "--format=%s", "-1"]), "hooked\n");
    let outside = git(&host, &["commit", "--allow-empty", "-m", "outside"]);
    assert!(!outside.contains("hooked"), "{outside}");
}

#[test]
fn the_repository_cannot_be_moved_away() {
    let host = repository();
    let ended = host
        .run()
        .sh("mv .git other; rm -rf .git; mkdir -p .git/hooks; ls -A .git | grep -c config");
    assert!(host.project().join(".git/config").exists());
    assert!(host.project().join(".git/hooks").is_dir());
    assert!(!host.project().join("other").exists(), "{ended}");
}
