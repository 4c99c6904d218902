//! `--hide`: a path of the workspace that the agent does not see.

use std::fs;

use ringfence_e2e::Host;

#[test]
fn hidden_files_and_directories_are_empty() {
    let host = Host::new();
    host.file(".env", "TOKEN=hunter2\n");
    host.file("keys/deploy", "hunter2\n");
    let ended = host.run().option("--hide", ".env").option("--hide", "keys").sh(
        "cat .env; ls -A keys; echo x > .env; echo x > keys/new; mv .env other; grep -rs hunter2 . ; echo end",
    );
    assert_eq!(ended.stdout, "end\n", "{ended}");
    assert_eq!(
        fs::read_to_string(host.project().join(".env")).unwrap(),
        "TOKEN=hunter2\n"
    );
    assert_eq!(
        fs::read_dir(host.project().join("keys")).unwrap().count(),
        1
    );
}

#[test]
fn a_path_outside_of_the_workspace_cannot_be_hidden_by_climbing() {
    let host = Host::new();
    host.home_file("beside", "hunter2\n");
    let ended = host.run().option("--hide", "../beside").sh("cat ../beside");
    assert_ne!(ended.code, 0, "{ended}");
    assert!(!ended.stdout.contains("hunter2"), "{ended}");
}
