//! Taking changes over.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use ringfence_e2e::Host;

use super::{AFTER, change, project, tree};

#[test]
fn applying_makes_the_project_what_the_agent_saw() {
    let host = project();
    change(&host);
    let applied = host.ringfence(&["overlay", "apply"]);
    assert_eq!(applied.code, 0, "{applied}");
    assert_eq!(tree::of(host.project()), AFTER);
    let mode = |name: &str| {
        fs::metadata(host.project().join(name))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode("script"), 0o755);
    assert_eq!(mode("dir/a"), 0o600);
    assert_eq!(
        host.ringfence(&["overlay", "diff"]).code,
        64,
        "it is applied once"
    );
}

#[test]
fn the_runs_are_listed_and_chosen_by_id() {
    let host = Host::new();
    for name in ["one", "two"] {
        let ended = host
            .run()
            .flag("--overlay")
            .sh(&format!("echo {name} > {name}"));
        assert_eq!(ended.code, 0, "{ended}");
    }
    let list = host.ringfence(&["overlay", "list", "--json"]);
    let kept: serde_json::Value = serde_json::from_str(&list.stdout).unwrap();
    assert_eq!(kept.as_array().unwrap().len(), 2, "{list}");
    let first = kept[0]["run"].as_str().unwrap();
    assert_eq!(host.ringfence(&["overlay", "apply", first]).code, 0);
    assert_eq!(tree::of(host.project()), "one: one\n");
}

#[test]
fn a_link_that_leads_out_is_taken_over_as_a_link_and_never_followed() {
    let host = project();
    let outside = host.home_file("outside/file", "untouched\n");
    let ended = host
        .run()
        .flag("--overlay")
        .sh("rm -r dir; ln -s ../outside dir; ln -s ../outside/file out; ln -s /etc/passwd passwd");
    assert_eq!(ended.code, 0, "{ended}");
    // The person makes the place a link in the meantime: what is below it must not be written through it.
    let applied = host.ringfence(&["overlay", "apply"]);
    assert_eq!(applied.code, 0, "{applied}");
    assert_eq!(fs::read_to_string(outside).unwrap(), "untouched\n");
    assert_eq!(
        fs::read_link(host.project().join("out")).unwrap().to_str(),
        Some("../outside/file")
    );
    assert_eq!(
        fs::read_link(host.project().join("dir")).unwrap().to_str(),
        Some("../outside")
    );
}

#[test]
fn a_directory_that_became_a_link_in_the_meantime_is_not_written_through() {
    let host = Host::new();
    host.file("dir/file", "before\n");
    let outside = host.home_file("outside/file", "untouched\n");
    let ended = host
        .run()
        .flag("--overlay")
        .sh("echo after > dir/file; echo new > dir/new");
    assert_eq!(ended.code, 0, "{ended}");
    fs::remove_dir_all(host.project().join("dir")).unwrap();
    std::os::unix::fs::symlink("../outside", host.project().join("dir")).unwrap();
    let applied = host.ringfence(&["overlay", "apply"]);
    assert_eq!(applied.code, 0, "{applied}");
    assert_eq!(tree::of(host.project()), "dir/file: after\ndir/new: new\n");
    assert_eq!(fs::read_to_string(&outside).unwrap(), "untouched\n");
    assert!(!outside.with_file_name("new").exists());
}

#[test]
fn special_permission_bits_are_not_taken_over() {
    let host = Host::new();
    let ended = host
        .run()
        .flag("--overlay")
        .sh("cp /bin/true tool; chmod 4755 tool || chmod 1755 tool; stat -c %a tool");
    // Setting the user on execution is refused in the sandbox already.
    assert_eq!(ended.stdout, "1755\n", "{ended}");
    assert_eq!(host.ringfence(&["overlay", "apply"]).code, 0);
    let mode = fs::metadata(host.project().join("tool"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o755);
}
