use std::fs;
use std::os::unix::fs::symlink;

use super::*;

fn write(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, "x").unwrap();
}

#[test]
fn finds_a_cloned_repositorys_hooks_and_not_its_samples() {
    let workspace = tempfile::tempdir().unwrap();
    let clone = workspace.path().join("vendor/thing");
    write(&clone.join(".git/hooks/post-checkout"));
    write(&clone.join(".git/hooks/pre-commit.sample"));
    write(&clone.join(".vscode/tasks.json"));
    write(&clone.join("src/hooks/useful.js"));
    // The workspace's own are protected, and reported as such.
    write(&workspace.path().join(".vscode/tasks.json"));
    let found = find(workspace.path(), UNIX_EPOCH);
    assert_eq!(
        found.files,
        [
            clone.join(".git/hooks/post-checkout"),
            clone.join(".vscode/tasks.json")
        ]
    );
    assert!(!found.incomplete);
}

#[test]
fn what_was_there_before_is_not_reported() {
    let workspace = tempfile::tempdir().unwrap();
    write(&workspace.path().join("a/.envrc"));
    write(&workspace.path().join("a/.git/config"));
    let later = SystemTime::now() + Duration::from_secs(60);
    assert!(find(workspace.path(), later).is_none());
}

#[test]
fn a_file_that_is_dated_back_is_reported() {
    let workspace = tempfile::tempdir().unwrap();
    let started = SystemTime::now();
    let path = workspace.path().join("a/.envrc");
    write(&path);
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(UNIX_EPOCH).unwrap();
    assert_eq!(find(workspace.path(), started).files, [path]);
}

#[test]
fn each_repository_with_new_configuration_is_reported_once() {
    let workspace = tempfile::tempdir().unwrap();
    let at = |path: &str| workspace.path().join(path);
    for name in ["config", "HEAD", "objects/x", "refs/heads/main"] {
        write(&at("clone/.git").join(name));
        write(&at("bare").join(name));
        // The workspace's own is protected.
        write(&at(".git").join(name));
    }
    write(&at("worktree/.git"));
    fs::create_dir_all(at("linked")).unwrap();
    symlink("../bare", at("linked/.git")).unwrap();
    // A directory that only looks a bit like a repository.
    write(&at("ordinary/config"));
    write(&at("ordinary/HEAD"));
    let found = find(workspace.path(), UNIX_EPOCH);
    assert_eq!(
        found.repositories,
        [at("bare"), at("clone"), at("linked"), at("worktree")]
    );
    assert!(found.files.is_empty(), "{found:?}");
}

#[test]
fn a_workspace_that_became_a_repository_itself_is_reported() {
    let workspace = tempfile::tempdir().unwrap();
    for name in [
        "config",
        "HEAD",
        "objects/x",
        "refs/heads/main",
        "hooks/update",
    ] {
        write(&workspace.path().join(name));
    }
    let found = find(workspace.path(), UNIX_EPOCH);
    assert_eq!(found.repositories, [workspace.path()]);
}

#[test]
fn a_tree_that_is_too_deep_is_not_passed_over() {
    let workspace = tempfile::tempdir().unwrap();
    let deep: PathBuf = (0..MOST_DEPTH + 2).map(|_| "d").collect();
    write(&workspace.path().join(deep).join(".envrc"));
    let found = find(workspace.path(), UNIX_EPOCH);
    assert!(found.files.is_empty() && found.incomplete);
}

#[test]
fn files_beyond_those_that_are_shown_are_counted() {
    let workspace = tempfile::tempdir().unwrap();
    for number in 0..MOST_SHOWN + 5 {
        write(&workspace.path().join(format!("a/.vscode/{number}")));
    }
    let found = find(workspace.path(), UNIX_EPOCH);
    assert_eq!((found.files.len(), found.unlisted), (MOST_SHOWN, 5));
}
