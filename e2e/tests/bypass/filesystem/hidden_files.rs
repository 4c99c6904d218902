//! `--hide`: a file of the workspace that the agent must not see, by whatever name.

use ringfence_e2e::Host;

use super::tree;

#[test]
fn a_hidden_file_cannot_be_read_moved_or_uncovered() {
    let host = Host::new();
    host.file(".env", "TOKEN=from-the-caller\n");
    host.file("deploy/secrets/key", "from-the-caller\n");
    let before = tree(host.project());
    let run = host
        .run()
        .option("--hide", ".env")
        .option("--hide", "deploy/secrets");
    let ended = run.sh(
        "cat .env deploy/secrets/key; mv .env x; cp .env y; ln .env z; cat x y z; rm -f .env; cat .env
         mv deploy moved && cat moved/secrets/key; mv moved deploy; umount .env; cat .env
         tar cf - . | grep -a from-the-caller; cat /proc/self/cwd/.env; git hash-object .env; rm -f x y z; true",
    );
    assert_eq!(ended.code, 0, "{ended}");
    assert!(!ended.stdout.contains("from-the-caller"), "{ended}");
    assert_eq!(tree(host.project()), before, "{ended}");
}
