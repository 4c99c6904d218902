//! What the person's own tools would run or trust: git hooks and configuration, editor tasks, agent settings, existing or not.

use std::fs;

use ringfence_e2e::Host;

use super::tree;

#[test]
fn existing_ones_are_written_inside_only() {
    let host = Host::new();
    for (path, content) in [
        (".git/HEAD", "ref: refs/heads/main\n"),
        (".git/config", "[core]\n"),
        (".git/hooks/pre-commit", "#!/bin/sh\n"),
        (".vscode/tasks.json", "{}\n"),
        (".mcp.json", "{}\n"),
        (".envrc", "use nix\n"),
    ] {
        host.file(path, content);
    }
    let before = tree(host.project());
    let ended = host.run().sh(
        "set -e; for f in .git/config .git/hooks/pre-commit .vscode/tasks.json .mcp.json .envrc; do
           echo smuggled >> $f; grep -q smuggled $f; done
         echo x > .git/hooks/post-checkout; chmod +x .git/hooks/post-checkout; rm .vscode/tasks.json
         echo x > .git/config.worktree; mkdir .claude/commands; echo x > .claude/commands/y",
    );
    assert_eq!(ended.code, 0, "{ended}");
    assert_eq!(tree(host.project()), before);
    assert!(ended.stderr.contains("kept apart"), "{ended}");
    let diff = host.ringfence(&["overlay", "diff", "--json"]);
    for path in [
        ".git/config",
        "hooks/post-checkout",
        ".vscode/tasks.json",
        ".mcp.json",
        ".envrc",
        ".claude/commands/y",
    ] {
        assert!(diff.stdout.contains(path), "{path}: {diff}");
    }
}

#[test]
fn missing_ones_cannot_be_made_and_leave_no_trace() {
    let host = Host::new();
    host.file("readme", "hello\n");
    let before = tree(host.project());
    let ended = host.run().sh(
        "mkdir -p .git/hooks; echo x > .git/hooks/pre-commit; echo x > .git/config
         for d in .vscode .idea .husky .claude .cursor .devcontainer; do mkdir -p $d; echo x > $d/file; done
         for f in .mcp.json .envrc; do echo x > $f; done
         ls -A",
    );
    assert_eq!(ended.code, 0, "{ended}");
    assert!(ended.stdout.contains(".mcp.json"), "{ended}");
    assert_eq!(tree(host.project()), before);
}

#[test]
fn what_is_made_in_place_of_one_stays_inside() {
    let host = Host::new();
    host.file(".git/config", "[core]\n");
    let before = tree(host.project());
    let elsewhere = host.home_file("elsewhere/tasks.json", "{}\n");
    let ended = host.run().sh(
        "rm -rf .vscode .mcp.json .git/config .git/hooks; ln -s /tmp/x .vscode; ln -s /tmp/x .mcp.json; rmdir .git/hooks
         mv .vscode x; mv .mcp.json x; echo x > fresh; mv -f fresh .mcp.json; mv -fT fresh .vscode; rm -f fresh x; true",
    );
    assert_eq!(ended.code, 0, "{ended}");
    assert_eq!(tree(host.project()), before, "{ended}");
    assert_eq!(fs::read_to_string(elsewhere).unwrap(), "{}\n");
}
