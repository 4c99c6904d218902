//! `--read-only`: the workspace can be read and nothing in it changes.

use std::fs;

use ringfence_e2e::Host;

#[test]
fn a_read_only_workspace_is_read_and_not_written() {
    let host = Host::new();
    host.file("notes", "as before\n");
    let ended = host.run().flag("--read-only").sh(
        "cat notes
         for change in 'echo x > notes' 'echo x > new' 'rm notes' 'mv notes moved' 'mkdir dir' 'chmod 777 notes' 'ln notes link'; do
             sh -c \"$change\" 2>/dev/null && echo \"possible: $change\"
         done
         echo x > /tmp/elsewhere && cat /tmp/elsewhere",
    );
    assert_eq!(ended.stdout, "as before\nx\n", "{ended}");
    let left: Vec<_> = fs::read_dir(host.project()).unwrap().collect();
    assert_eq!(left.len(), 1);
    assert_eq!(
        fs::read_to_string(host.project().join("notes")).unwrap(),
        "as before\n"
    );
}

#[test]
fn read_only_and_overlay_exclude_each_other() {
    let host = Host::new();
    let ended = host
        .run()
        .flag("--read-only")
        .flag("--overlay")
        .exec(&["true"]);
    assert_eq!(ended.code, 64, "{ended}");
}
