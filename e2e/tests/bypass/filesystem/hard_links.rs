//! A second name for the same file, made or present.

use ringfence_e2e::Host;

use super::tree;

#[test]
fn a_protected_file_gets_no_second_name() {
    let host = Host::new();
    host.file(".git/config", "[core]\n");
    host.file(".git/hooks/pre-commit", "#!/bin/sh\n");
    let before = tree(host.project());
    let ended = host.run().sh(
        "for f in .git/config .git/hooks/pre-commit; do ln $f second && echo linked && echo smuggled >> second; done
         echo smuggled > mine; ln -f mine .git/config && echo over; ln mine .git/hooks/post-checkout && echo into; rm mine; true",
    );
    assert_eq!(ended.stdout, "", "{ended}");
    assert_eq!(tree(host.project()), before, "{ended}");
}

#[test]
fn no_file_from_outside_can_be_linked_in() {
    let host = Host::new();
    let ended = host.run().sh(
        "for f in /usr/bin/env /etc/passwd /proc/1/environ /proc/self/exe; do ln $f here 2>/dev/null && echo linked $f; rm -f here; done; true",
    );
    assert_eq!(ended.stdout, "", "{ended}");
}
