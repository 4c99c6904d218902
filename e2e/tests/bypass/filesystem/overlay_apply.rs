//! Taking over what an agent left: links and special files in the private copy must not lead the person's own process anywhere
//! (nono #904, #201).

use std::fs;

use ringfence_e2e::Host;

use super::tree;

#[test]
fn apply_writes_below_the_workspace_only() {
    let host = Host::new();
    host.file("a/file", "original\n");
    host.file("b/c/file", "original\n");
    host.file("plain", "original\n");
    host.home_file("private/file", "untouched\n");
    host.home_file("private/c/file", "untouched\n");
    let outside = host.home().join("private");
    let before = tree(&outside);
    let script = ATTACK.replace("OUTSIDE", &outside.display().to_string());
    let ended = host.run().flag("--overlay").sh(&script);
    assert_eq!(ended.code, 0, "{ended}");
    assert_eq!(
        fs::read_to_string(host.project().join("plain")).unwrap(),
        "original\n"
    );
    let applied = host.ringfence(&["overlay", "apply"]);
    assert_eq!(tree(&outside), before, "{applied}");
    // The links themselves are what the agent made, and are taken over as links.
    assert_eq!(
        fs::read_link(host.project().join("link")).unwrap(),
        outside.join("file")
    );
    assert_eq!(
        fs::read_to_string(host.project().join("plain")).unwrap(),
        "changed\n",
        "{applied}"
    );
}

#[test]
fn apply_follows_no_link_that_stands_in_the_way_by_then() {
    let host = Host::new();
    host.file("a/file", "original\n");
    host.home_file("private/file", "untouched\n");
    let ended = host
        .run()
        .flag("--overlay")
        .sh("echo smuggled > a/file; echo smuggled > a/new");
    assert_eq!(ended.code, 0, "{ended}");
    fs::remove_dir_all(host.project().join("a")).unwrap();
    std::os::unix::fs::symlink(host.home().join("private"), host.project().join("a")).unwrap();
    let applied = host.ringfence(&["overlay", "apply"]);
    let outside = fs::read_to_string(host.home().join("private/file")).unwrap();
    assert_eq!(outside, "untouched\n", "{applied}");
    assert!(!host.home().join("private/new").exists());
}

const ATTACK: &str = r#"
echo changed > plain
rm -rf a && ln -s OUTSIDE a
rm -rf b/c && ln -s OUTSIDE/c b/c
ln -s OUTSIDE/file link
ln -s OUTSIDE/missing dangling
mkfifo pipe
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
chmod 4777 plain
mkdir -p d; echo x > "d/$(printf 'line\nfeed \033[31m')"
"#;
