//! `--overlay` and `ringfence overlay`: writes are kept apart, looked at, and taken over or thrown away.

mod apply;
mod discard;
mod tree;

use std::fs;

use ringfence_e2e::{Ended, Host};

/// A project with a bit of everything.
fn project() -> Host {
    let host = Host::new();
    host.file("kept", "kept\n");
    host.file("changed", "before\n");
    host.file("removed", "removed\n");
    host.file("renamed", "renamed\n");
    host.file("dir/a", "a\n");
    host.file("dir/b", "b\n");
    host.file("replaced/old", "old\n");
    host.file("dropped/deep/file", "file\n");
    host
}

/// Changes of every kind.
const CHANGES: &str = "set -e
    echo after > changed; rm removed; mv renamed other; echo new > new; mkdir -p made/deep; echo deep > made/deep/file
    rm -r replaced; mkdir replaced; echo fresh > replaced/fresh
    rm -r dropped; ln -s kept link; printf '#!/bin/sh\\n' > script; chmod 755 script; chmod 600 dir/a; mkdir empty";

/// What the person's project looks like after these changes.
const AFTER: &str = "\
changed: after
dir/a: a
dir/b: b
empty/
kept: kept
link -> kept
made/deep/file: deep
new: new
other: renamed
replaced/fresh: fresh
script: #!/bin/sh
";

fn change(host: &Host) -> Ended {
    let before = tree::of(host.project());
    let ended = host.run().flag("--overlay").sh(CHANGES);
    assert_eq!(ended.code, 0, "{ended}");
    assert_eq!(tree::of(host.project()), before);
    ended
}

#[test]
fn the_agent_sees_its_own_changes() {
    let host = project();
    let ended = host.run().flag("--overlay").sh(&format!("{CHANGES}; cat changed other replaced/fresh; ls replaced; test ! -e dropped; test ! -e removed"));
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (0, "after\nrenamed\nfresh\nfresh\n"),
        "{ended}"
    );
}

#[test]
fn the_difference_lists_every_change() {
    let host = project();
    change(&host);
    let diff = host.ringfence(&["overlay", "diff"]);
    assert_eq!(diff.code, 0, "{diff}");
    let project = host.project().display().to_string();
    let mut lines: Vec<_> = diff
        .stdout
        .lines()
        .filter(|line| !line.starts_with(' '))
        .map(|line| line.replace(&format!("{project}/"), ""))
        .collect();
    lines.sort();
    assert_eq!(
        lines,
        [
            "A empty",
            "A link",
            "A made",
            "A made/deep",
            "A made/deep/file",
            "A new",
            "A other",
            "A replaced/fresh",
            "A script",
            "D dropped",
            "D removed",
            "D renamed",
            "D replaced/old",
            "M changed",
            "M dir/a"
        ]
    );
}

#[test]
fn nothing_is_kept_of_a_run_without_changes() {
    let host = project();
    let ended = host.run().flag("--overlay").sh("cat kept");
    assert_eq!(ended.stderr, "", "{ended}");
    assert_eq!(host.ringfence(&["overlay", "diff"]).code, 64);
    let runs = fs::read_dir(host.data().join("runs")).unwrap();
    assert_eq!(
        runs.filter(|entry| entry.as_ref().unwrap().path().is_dir())
            .count(),
        0
    );
}
