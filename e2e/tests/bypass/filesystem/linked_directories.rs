//! A protected name that is a link: the link can be replaced, and what it leads to can be written, unless both are covered.

use std::os::unix::fs::symlink;

use ringfence_e2e::Host;

use super::tree;

#[test]
fn a_linked_editor_directory_is_protected() {
    let host = Host::new();
    host.file("settings/tasks.json", "{}\n");
    symlink("settings", host.project().join(".vscode")).unwrap();
    symlink("nowhere", host.project().join(".envrc")).unwrap();
    let before = tree(host.project());
    let ended = host.run().sh(
        "echo smuggled > .vscode/tasks.json; echo smuggled > .vscode/new; echo smuggled > .envrc
         rm -f .vscode && mkdir .vscode && echo smuggled > .vscode/tasks.json
         rm -f .envrc; echo smuggled > .envrc; ln -sfn /tmp .vscode; true",
    );
    assert_eq!(ended.code, 0, "{ended}");
    assert_eq!(tree(host.project()), before, "{ended}");
}

#[test]
fn a_linked_repository_is_protected() {
    let host = Host::new();
    host.file("real/config", "[core]\n");
    host.file("real/hooks/pre-commit", "#!/bin/sh\n");
    symlink("real", host.project().join(".git")).unwrap();
    let before = tree(host.project());
    let ended = host.run().sh(
        "echo smuggled > .git/hooks/pre-commit; echo smuggled > real/hooks/post-checkout; echo smuggled >> real/config
         rm -f .git && mkdir -p .git/hooks && echo smuggled > .git/hooks/pre-commit; true",
    );
    assert_eq!(ended.code, 0, "{ended}");
    assert_eq!(tree(host.project()), before, "{ended}");
}

#[test]
fn a_link_to_the_outside_leads_nowhere() {
    let host = Host::new();
    host.home_file("private/secret", "from-the-caller\n");
    symlink(host.home().join("private"), host.project().join("way-out")).unwrap();
    symlink("../private/secret", host.project().join("file")).unwrap();
    let ended = host
        .run()
        .sh("cat way-out/secret file; echo x > way-out/new; ls /proc/self/root$HOME; true");
    assert!(!ended.stdout.contains("from-the-caller"), "{ended}");
    assert!(!ended.stdout.contains("private"), "{ended}");
    assert_eq!(tree(&host.home().join("private")).len(), 1);
}
