//! Throwing changes away.

use std::fs;

use super::{change, project, tree};

#[test]
fn discarding_leaves_the_project_as_it_was() {
    let host = project();
    let before = tree::of(host.project());
    change(&host);
    let discarded = host.ringfence(&["overlay", "discard"]);
    assert_eq!(discarded.code, 0, "{discarded}");
    assert_eq!(tree::of(host.project()), before);
    let runs = fs::read_dir(host.data().join("runs")).unwrap();
    assert_eq!(
        runs.filter(|entry| entry.as_ref().unwrap().path().is_dir())
            .count(),
        0
    );
}

#[test]
fn private_copies_of_protected_files_are_taken_over_on_request() {
    let host = project();
    host.file(".mcp.json", "{}\n");
    let ended = host.run().sh(
        "echo '{\"servers\": 1}' > .mcp.json; mkdir -p .vscode; echo '{}' > .vscode/settings.json",
    );
    assert_eq!(ended.code, 0, "{ended}");
    assert_eq!(
        fs::read_to_string(host.project().join(".mcp.json")).unwrap(),
        "{}\n"
    );
    assert!(!host.project().join(".vscode").exists());
    assert_eq!(host.ringfence(&["overlay", "apply"]).code, 0);
    assert_eq!(
        fs::read_to_string(host.project().join(".mcp.json")).unwrap(),
        "{\"servers\": 1}\n"
    );
    assert_eq!(
        fs::read_to_string(host.project().join(".vscode/settings.json")).unwrap(),
        "{}\n"
    );
}
